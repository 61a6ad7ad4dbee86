/**
 * Common subexpressions: what a dominating block has computed is not computed again.
 *
 * Needs: no unreachable blocks (they are left alone). Keeps: blocks and edges. Operations that trap are merged with a dominating equal
 * one, `trapif` too. Loads (not volatile) are merged within a block while no store can have changed them, and take the value that was stored.
 * Constants and addresses of symbols and slots are merged within a block alone: they are cheaper to make than to keep.
 */
import { bug } from '../../machine/isa/bug.ts';
import { Dominators } from '../ir/dominators.ts';
import { type Block, Instruction, type IrFunction, type Value } from '../ir/function.ts';
import { isPure, opRow } from '../ir/ops.ts';
import { bytesOf } from '../ir/types.ts';
import { Replacements } from './rewrite.ts';

export function mergeCommonSubexpressions(fn: IrFunction): void {
  const dominators = new Dominators(fn);
  const children = new Map<Block, Block[]>();
  for (const block of dominators.order) {
    const parent = dominators.idom(block);
    if (parent === null) continue;
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [block]);
    else list.push(block);
  }
  const replacements = new Replacements(fn);
  const available = new Map<string, Value | null>();
  const [entry] = dominators.order;
  if (entry === undefined) return;
  // A walk over the dominator tree; a negative step leaves a block and forgets what it made available.
  const stack: (Block | readonly string[])[] = [entry];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    if (!('instructions' in step)) {
      for (const key of step) available.delete(key);
      continue;
    }
    stack.push(mergeInBlock(step, available, replacements), ...(children.get(step) ?? []));
  }
  replacements.apply(fn);
}

/** Returns the keys that this block has added. */
function mergeInBlock(block: Block, available: Map<string, Value | null>, replacements: Replacements): string[] {
  const added: string[] = [];
  const local = new Map<string, Value>();
  const memory = new Memory();
  const kept: Instruction[] = [];
  for (const i of block.instructions) {
    replacements.applyTo(i.args);
    const [result] = i.results;
    if (i.op === 'load' && result !== undefined && !i.volatile) {
      const known = memory.load(i);
      if (known !== null) {
        replacements.set(result, known);
        continue;
      }
      memory.note(i, result);
    } else if (opRow(i.op).writes) {
      memory.write(i);
    } else if (isCheap(i) && result !== undefined) {
      const key = keyOf(i);
      const known = local.get(key);
      if (known !== undefined) {
        replacements.set(result, known);
        continue;
      }
      local.set(key, result);
    } else if (isPure(i.op) || (opRow(i.op).traps && !opRow(i.op).reads)) {
      const key = keyOf(i);
      const known = available.get(key);
      if (known !== undefined) {
        if (result !== undefined) replacements.set(result, known ?? bug(`${i.op} has no result`));
        continue;
      }
      available.set(key, result ?? null);
      added.push(key);
    }
    kept.push(i);
  }
  block.instructions = kept;
  return added;
}

function isCheap(i: Instruction): boolean {
  return i.op === 'const' || i.op === 'symbol' || i.op === 'slot';
}

function keyOf(i: Instruction): string {
  if (isCheap(i)) {
    const value = Object.is(i.value, -0) ? '-0' : String(i.value);
    return `${i.op} ${i.type} ${value} ${i.symbol} ${i.offset} ${i.slot?.index ?? ''}`;
  }
  const args = i.args.map(operandKey);
  if (opRow(i.op).commutes) args.sort();
  return `${i.op} ${i.type} ${i.predicate} ${args.join(' ')}`;
}

/** Cheap operands are not merged across blocks, so they are compared by what they are. */
function operandKey(value: Value): string {
  const { def } = value;
  return def instanceof Instruction && isCheap(def) ? `(${keyOf(def)})` : `${value.id}`;
}

interface Known {
  readonly base: string;
  readonly slot: number;
  readonly from: number;
  readonly to: number;
  readonly value: Value;
}

/** What is known of memory at a point of a block. */
class Memory {
  readonly #known = new Map<string, Known>();

  load(i: Instruction): Value | null {
    const value = this.#known.get(this.#key(i, i.args[0]))?.value;
    return value !== undefined && value.type === i.type ? value : null;
  }

  note(i: Instruction, value: Value): void {
    const base = i.op === 'load' ? i.args[0] : i.args[1];
    if (base === undefined) return;
    const known = { base: operandKey(base), slot: slotOf(base), from: i.offset, to: i.offset + bytesOf(i.type), value };
    this.#known.set(this.#key(i, base), known);
  }

  /** Forgets what the instruction may have changed; a plain store leaves its value to be loaded. */
  write(i: Instruction): void {
    const [stored, address] = i.args;
    if (i.op !== 'store' || i.volatile || address === undefined || stored === undefined) {
      this.#known.clear();
      return;
    }
    const base = operandKey(address);
    const slot = slotOf(address);
    const end = i.offset + bytesOf(i.type);
    for (const [key, known] of this.#known) {
      const isApart = known.base === base ? known.to <= i.offset || known.from >= end : slot >= 0 && known.slot >= 0 && slot !== known.slot;
      if (!isApart) this.#known.delete(key);
    }
    this.note(i, stored);
  }

  #key(i: Instruction, base: Value | undefined): string {
    return `${base === undefined ? '' : operandKey(base)}+${i.offset} ${i.type}`;
  }
}

function slotOf(address: Value): number {
  const { def } = address;
  return def instanceof Instruction && def.op === 'slot' ? (def.slot?.index ?? -1) : -1;
}
