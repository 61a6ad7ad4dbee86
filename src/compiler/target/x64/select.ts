/**
 * Instruction selection: IR → machine code over virtual registers.
 *
 * Blocks are visited in postorder and instructions backwards, so that all uses of a value are known before its definition: what nobody
 * wants and has no effect is not lowered, and a user may take a definition into itself (an address, a comparison, a load) and so not
 * want it. What is lowered for one IR instruction is collected forwards and appended in reverse; a block's list is turned round when it
 * is complete.
 */

import { bug } from '../../../machine/isa/bug.ts';
import { reversePostorder } from '../../ir/dominators.ts';
import type { Block, Instruction, IrFunction } from '../../ir/function.ts';
import { lowerCall, lowerParameters, parameterPlaces } from './lower-call.ts';
import { lowerTerminator } from './lower-control.ts';
import { lowerFloat } from './lower-float.ts';
import { lowerInteger } from './lower-integer.ts';
import { lowerMemory } from './lower-memory.ts';
import type { MachineBlock, MachineFunction, MachineInstruction } from './machine.ts';
import { type ConstantPool, Selector } from './selector.ts';

export function select(fn: IrFunction, pool: ConstantPool): MachineFunction {
  const order = reversePostorder(fn);
  const depths = loopDepths(order, fn.blockCount);
  const s = new Selector(fn, pool, order);
  for (let at = 0; at < order.length; at++) {
    const block = order[at] ?? bug('a hole in the order');
    const machine = s.machineBlock(block);
    machine.depth = depths[at] ?? 0;
    machine.cold = block.cold || block.terminator?.op === 'trap';
  }
  const layout: MachineBlock[][] = [];
  for (let at = order.length - 1; at >= 0; at--) {
    const block = order[at] ?? bug('a hole in the order');
    s.enter(at);
    lowerBlock(s, block, at === 0);
    layout.push([s.machineBlock(block), ...s.takeEdgeBlocks()]);
  }
  if (fn.notes !== null) s.noteOrigin(fn.notes, order, parameterPlaces(order[0]?.params ?? []));
  const [entry, ...blocks] = layout.reverse().flat();
  if (entry !== undefined) s.out.blocks = [entry, ...blocks.filter((block) => !block.cold), ...blocks.filter((block) => block.cold)];
  return s.out;
}

function lowerBlock(s: Selector, block: Block, isEntry: boolean): void {
  const machine = s.machineBlock(block);
  const reversed: MachineInstruction[] = [];
  const append = (): void => {
    const sequence = s.take();
    for (let at = sequence.length - 1; at >= 0; at--) reversed.push(sequence[at] ?? bug('a hole in the sequence'));
  };
  const end = block.terminator ?? bug('a block without terminator');
  s.location = end.location;
  lowerTerminator(s, end, machine);
  append();
  for (let at = block.instructions.length - 1; at >= 0; at--) {
    const i = block.instructions[at] ?? bug('a hole in the block');
    if (!s.step(i)) continue;
    lower(s, i);
    append();
  }
  if (isEntry) {
    s.location = s.fn.notes?.entry ?? s.fn.location;
    lowerParameters(s, block.params);
    append();
  }
  for (let at = reversed.length - 1; at >= 0; at--) machine.instructions.push(reversed[at] ?? bug('a hole'));
}

function lower(s: Selector, i: Instruction): void {
  switch (i.op) {
    case 'const':
    case 'symbol':
    case 'slot':
    case 'trunc':
      if (i.op === 'trunc') s.into(s.result(i.results[0]), i.args[0] ?? bug('trunc has an operand'));
      else s.rematerialise(s.result(i.results[0]), i);
      break;
    case 'load':
    case 'store':
    case 'memcpy':
    case 'memmove':
    case 'memset':
      lowerMemory(s, i);
      break;
    case 'call':
    case 'callind':
    case 'asm':
      lowerCall(s, i);
      break;
    case 'fadd':
    case 'fsub':
    case 'fmul':
    case 'fdiv':
    case 'fneg':
    case 'fabs':
    case 'fsqrt':
    case 'fcmp':
    case 'sitofp':
    case 'uitofp':
    case 'fptosi':
    case 'fptoui':
    case 'bitcast':
      lowerFloat(s, i);
      break;
    default:
      lowerInteger(s, i);
  }
}

/** How many loops are around each block, taking a loop for all blocks between its header and its last backward edge in the order. */
function loopDepths(order: readonly Block[], blockCount: number): number[] {
  const position = new Int32Array(blockCount);
  for (let at = 0; at < order.length; at++) position[order[at]?.id ?? 0] = at;
  const last = new Int32Array(order.length).fill(-1);
  for (let at = 0; at < order.length; at++) {
    for (const { block } of order[at]?.terminator?.targets ?? []) {
      const header = position[block.id] ?? 0;
      if (header <= at) last[header] = Math.max(last[header] ?? -1, at);
    }
  }
  const change = new Int32Array(order.length + 1);
  for (let header = 0; header < order.length; header++) {
    const end = last[header] ?? -1;
    if (end < 0) continue;
    change[header] = (change[header] ?? 0) + 1;
    change[end + 1] = (change[end + 1] ?? 0) - 1;
  }
  let depth = 0;
  return order.map((_, at) => (depth += change[at] ?? 0));
}
