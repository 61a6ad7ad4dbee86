/**
 * How the values of a function are used, counted once before selection.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Block, IrFunction, Value } from '../../ir/function.ts';
import { opRow } from '../../ir/ops.ts';

export class Uses {
  private readonly counts: Int32Array;
  /** Uses as the address of a load or store. */
  private readonly addresses: Int32Array;
  /** Of results: position of the block. */
  private readonly positions: Int32Array;
  /** Of results: how many instructions that write come before, over the whole function. */
  private readonly writes: Int32Array;
  private readonly atEnd: number[] = [];

  constructor(fn: IrFunction, order: readonly Block[]) {
    this.counts = new Int32Array(fn.valueCount);
    this.addresses = new Int32Array(fn.valueCount);
    this.positions = new Int32Array(fn.valueCount).fill(-1);
    this.writes = new Int32Array(fn.valueCount);
    let writes = 0;
    for (let at = 0; at < order.length; at++) {
      const block = order[at] ?? bug('a hole in the order');
      for (const i of block.instructions) {
        for (const arg of i.args) this.note(arg);
        if (i.op === 'load') this.noteAddress(i.args[0]);
        else if (i.op === 'store') this.noteAddress(i.args[1]);
        for (const value of i.results) {
          this.positions[value.id] = at;
          this.writes[value.id] = writes;
        }
        if (opRow(i.op).writes) writes++;
      }
      for (const arg of block.terminator?.args ?? []) this.note(arg);
      for (const edge of block.terminator?.targets ?? []) for (const arg of edge.args) this.note(arg);
      this.atEnd.push(writes);
    }
  }

  count(value: Value): number {
    return this.counts[value.id] ?? 0;
  }

  isOnlyAddress(value: Value): boolean {
    return this.counts[value.id] === this.addresses[value.id];
  }

  /** Position of the block whose instruction gives it; -1 for parameters. */
  position(value: Value): number {
    return this.positions[value.id] ?? -1;
  }

  writesBefore(value: Value): number {
    return this.writes[value.id] ?? 0;
  }

  writesAtEnd(position: number): number {
    return this.atEnd[position] ?? 0;
  }

  private note(value: Value): void {
    this.counts[value.id] = (this.counts[value.id] ?? 0) + 1;
  }

  private noteAddress(value: Value | undefined): void {
    if (value !== undefined) this.addresses[value.id] = (this.addresses[value.id] ?? 0) + 1;
  }
}
