/**
 * Loops that test at their head get a copy of the test at their end, in the place of the jump back: a jump less in each round.
 *
 * Needs: positions of blocks; places are fixed, so that the copy means the same. Keeps successors as they are read nowhere behind it.
 */

import { M, type MachineBlock, type MachineFunction, MachineInstruction } from './machine.ts';

/** Heads of more instructions are not copied. */
const HEAD_LIMIT = 6;

/** @returns the first instruction of each copy, and the head that is entered there */
export function rotateLoops(fn: MachineFunction): ReadonlyMap<MachineInstruction, MachineBlock> {
  const copies = new Map<MachineInstruction, MachineBlock>();
  // Heads are looked at before any block is changed, so that a copy is of the head alone.
  const ends: { readonly block: MachineBlock; readonly head: MachineBlock; readonly test: readonly MachineInstruction[] }[] = [];
  for (const block of fn.blocks) {
    const target = block.instructions[block.instructions.length - 1];
    if (target?.op !== M.jmp || target.target === null) continue;
    const head = target.target;
    if (head.position <= block.position && isTest(head)) ends.push({ block, head, test: [...head.instructions] });
  }
  for (const { block, head, test } of ends) {
    block.instructions.pop();
    const first = block.instructions.length;
    for (const i of test) block.instructions.push(copyOf(i));
    const copy = block.instructions[first];
    if (copy !== undefined) copies.set(copy, head);
  }
  return copies;
}

/** A few instructions, none of which is more than itself, and then a way on or out. */
function isTest({ instructions }: MachineBlock): boolean {
  const count = instructions.length;
  if (count > HEAD_LIMIT || instructions[count - 1]?.op !== M.jmp || instructions[count - 2]?.op !== M.jcc) return false;
  return instructions.every(({ op }) => !op.name.startsWith('<') && op !== M.call && op !== M.callind);
}

function copyOf(i: MachineInstruction): MachineInstruction {
  return Object.assign(new MachineInstruction(i.op, i.width, i.a, i.b, i.location), i);
}
