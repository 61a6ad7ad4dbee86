/**
 * How the values of a function are used, counted once before selection.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Block, IrFunction, Value } from '../../ir/function.ts';
import { opRow } from '../../ir/ops.ts';

/** What is known of a value, in one row of `rows`. */
const COUNT = 0;
/** Uses as the address of a load or store. */
const ADDRESSES = 1;
/** Of results: position of the block, plus 1. */
const POSITION = 2;
/** Of results: how many instructions that write come before, over the whole function. */
const WRITES = 3;
const ROW = 4;

export class Uses {
  private readonly rows: Int32Array;
  private readonly atEnd: number[] = [];

  constructor(fn: IrFunction, order: readonly Block[]) {
    this.rows = new Int32Array(ROW * fn.valueCount);
    let writes = 0;
    for (let at = 0; at < order.length; at++) {
      const block = order[at] ?? bug('a hole in the order');
      for (const i of block.instructions) {
        for (const arg of i.args) this.note(arg, COUNT);
        const address = i.op === 'load' ? i.args[0] : i.op === 'store' ? i.args[1] : undefined;
        if (address !== undefined) this.note(address, ADDRESSES);
        for (const value of i.results) {
          this.rows[ROW * value.id + POSITION] = at + 1;
          this.rows[ROW * value.id + WRITES] = writes;
        }
        if (opRow(i.op).writes) writes++;
      }
      const end = block.terminator;
      if (end !== null) {
        for (const arg of end.args) this.note(arg, COUNT);
        for (const edge of end.targets) for (const arg of edge.args) this.note(arg, COUNT);
      }
      this.atEnd.push(writes);
    }
  }

  count(value: Value): number {
    return this.rows[ROW * value.id + COUNT] ?? 0;
  }

  isOnlyAddress(value: Value): boolean {
    return this.rows[ROW * value.id + COUNT] === this.rows[ROW * value.id + ADDRESSES];
  }

  /** Position of the block whose instruction gives it; -1 for parameters. */
  position(value: Value): number {
    return (this.rows[ROW * value.id + POSITION] ?? 0) - 1;
  }

  writesBefore(value: Value): number {
    return this.rows[ROW * value.id + WRITES] ?? 0;
  }

  writesAtEnd(position: number): number {
    return this.atEnd[position] ?? 0;
  }

  private note(value: Value, column: number): void {
    const at = ROW * value.id + column;
    this.rows[at] = (this.rows[at] ?? 0) + 1;
  }
}
