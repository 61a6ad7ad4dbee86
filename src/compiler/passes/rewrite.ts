/** What several passes need: constants behind values, and the replacement of values. */
import { type Block, type FunctionNotes, Instruction, type IrFunction, type Value } from '../ir/function.ts';
import type { Constant, Type } from '../ir/types.ts';

/** The constant that a value is, or null. */
export function constantOf(value: Value | undefined): Constant | null {
  const def = value?.def;
  return def instanceof Instruction && def.op === 'const' ? def.value : null;
}

/** The instruction that gives the value, if it is one of this op. */
export function defOf(value: Value | undefined, op: Instruction['op']): Instruction | null {
  const def = value?.def;
  return def instanceof Instruction && def.op === op ? def : null;
}

/** Turns an instruction with one result into a constant; `value` is in normal form. */
export function becomeConstant(i: Instruction, type: Type, value: Constant): void {
  i.op = 'const';
  i.type = type;
  i.args = [];
  i.value = value;
  i.symbol = '';
  i.offset = 0;
}

/** Values that stand for others: `to(value)` follows chains. */
export class Replacements {
  readonly #notes: FunctionNotes | null;
  readonly #forward: (Value | undefined)[];
  #isEmpty = true;

  constructor(fn: IrFunction) {
    this.#notes = fn.notes;
    this.#forward = new Array(fn.valueCount);
  }

  set(value: Value, by: Value): void {
    this.#forward[value.id] = by;
    this.#isEmpty = false;
    this.#notes?.replace(value, by);
  }

  to(value: Value): Value {
    let at = value;
    for (let next = this.#forward[at.id]; next !== undefined; next = this.#forward[at.id]) at = next;
    return at;
  }

  isReplaced(value: Value): boolean {
    return this.#forward[value.id] !== undefined;
  }

  /** In every use of the function. */
  apply(fn: IrFunction): void {
    if (this.#isEmpty) return;
    for (const block of fn.blocks) {
      for (const i of block.instructions) this.applyTo(i.args);
      const end = block.terminator;
      if (end === null) continue;
      this.applyTo(end.args);
      for (const edge of end.targets) this.applyTo(edge.args);
    }
  }

  applyTo(values: Value[]): void {
    for (const [k, value] of values.entries()) values[k] = this.to(value);
  }
}

/** Removes the blocks that cannot be reached from the layout. */
export function removeUnreachableBlocks(fn: IrFunction): void {
  const [entry] = fn.blocks;
  if (entry === undefined) return;
  const seen = new Uint8Array(fn.blockCount);
  const stack: Block[] = [entry];
  seen[entry.id] = 1;
  for (let block = stack.pop(); block !== undefined; block = stack.pop()) {
    for (const { block: target } of block.terminator?.targets ?? []) {
      if (seen[target.id] === 1) continue;
      seen[target.id] = 1;
      stack.push(target);
    }
  }
  if (fn.blocks.some((block) => seen[block.id] !== 1)) fn.blocks = fn.blocks.filter((block) => seen[block.id] === 1);
}
