/**
 * Jump threading and block merging: an edge to a block that only goes on elsewhere goes there itself; a block that is reached by one jump joins
 * its predecessor.
 *
 * Needs: valid SSA. Keeps: all instructions and their order on every path. An empty block is passed over if its parameters are used by its own
 * terminator alone. Threaded: jumps; branches and switches on a parameter for which the edge has a constant.
 */
import { bug } from '../../machine/isa/bug.ts';
import type { Block, Edge, IrFunction, Terminator, Value } from '../ir/function.ts';
import { constantOf, Replacements, removeUnreachableBlocks } from './rewrite.ts';

export function threadJumps(fn: IrFunction): void {
  const usedElsewhere = usesOutside(fn);
  const canPass = (block: Block) =>
    block.instructions.length === 0 && block.params.every((p) => usedElsewhere[p.id] !== 1) && block !== fn.blocks[0];
  for (const block of fn.blocks) {
    for (const edge of block.terminator?.targets ?? []) threadEdge(fn, edge, canPass);
    if (block.terminator !== null) joinTargets(block.terminator);
  }
  removeUnreachableBlocks(fn);
  mergeBlocks(fn);
}

const longestThread = 16;

function threadEdge(fn: IrFunction, edge: Edge, canPass: (block: Block) => boolean): void {
  for (let steps = 0; steps < longestThread; steps += 1) {
    const over = edge.block;
    const next = canPass(over) ? edgeTaken(over, edge) : null;
    if (next === null || next.block === over) return;
    const args = next.args.map((arg) => passedTo(arg, over, edge));
    if (fn.notes !== null) for (const param of over.params) fn.notes.lose(param);
    edge.block = next.block;
    edge.args = args;
  }
}

/** Where the empty block goes when it is entered by this edge; null: that is not certain. */
function edgeTaken(block: Block, by: Edge): Edge | null {
  const end = block.terminator;
  const [value] = end?.args ?? [];
  if (end?.op === 'jump') return end.targets[0] ?? null;
  if ((end?.op !== 'branch' && end?.op !== 'switch') || value === undefined) return null;
  const c = constantOf(passedTo(value, block, by));
  if (c === null) return null;
  const index = end.op === 'branch' ? (c === 0 ? 1 : 0) : end.cases.indexOf(c);
  return end.targets[index < 0 ? end.cases.length : index] ?? null;
}

/** A value at the end of an empty block, as it is when the block is entered by this edge. */
function passedTo(value: Value, block: Block, by: Edge): Value {
  return value.def === block ? (by.args[block.params.indexOf(value)] ?? bug(`an edge to b${block.id} lacks an argument`)) : value;
}

/** A branch whose ways are the same is a jump. */
function joinTargets(end: Terminator): void {
  const [first] = end.targets;
  if (first === undefined || end.targets.length < 2) return;
  const isSame = (e: Edge) => e.block === first.block && e.args.every((arg, k) => arg === first.args[k]);
  if (!end.targets.every(isSame)) return;
  end.op = 'jump';
  end.args = [];
  end.cases = [];
  end.targets = [first];
}

/** 1 for parameters that are used outside of their own block's terminator. */
function usesOutside(fn: IrFunction): Uint8Array {
  const used = new Uint8Array(fn.valueCount);
  for (const block of fn.blocks) {
    for (const i of block.instructions) for (const arg of i.args) used[arg.id] = 1;
    const end = block.terminator;
    if (end === null) continue;
    const note = (value: Value) => {
      if (value.def !== block) used[value.id] = 1;
    };
    end.args.forEach(note);
    for (const edge of end.targets) edge.args.forEach(note);
  }
  return used;
}

function mergeBlocks(fn: IrFunction): void {
  const incoming = new Uint32Array(fn.blockCount);
  for (const block of fn.blocks)
    for (const edge of block.terminator?.targets ?? []) incoming[edge.block.id] = (incoming[edge.block.id] ?? 0) + 1;
  const replacements = new Replacements(fn);
  const merged = new Set<Block>();
  for (const block of fn.blocks) {
    if (merged.has(block)) continue;
    for (let end = block.terminator; end?.op === 'jump'; end = block.terminator) {
      const [edge] = end.targets;
      const next = edge?.block;
      if (edge === undefined || next === undefined || next === block || next === fn.blocks[0] || incoming[next.id] !== 1) break;
      for (const [k, param] of next.params.entries())
        replacements.set(param, edge.args[k] ?? bug(`an edge to b${next.id} lacks an argument`));
      // Not by push(...): a block may have more instructions than a call has arguments.
      block.instructions = block.instructions.concat(next.instructions);
      block.terminator = next.terminator;
      block.cold &&= next.cold;
      next.params = [];
      next.instructions = [];
      merged.add(next);
    }
  }
  if (merged.size === 0) return;
  fn.blocks = fn.blocks.filter((block) => !merged.has(block));
  replacements.apply(fn);
}
