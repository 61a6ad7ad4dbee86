/**
 * Puts places in the stead of virtual registers, instruction by instruction: registers by their numbers, spilled ones as the memory
 * operand where the instruction allows it, else through the scratch registers.
 */

import { bug } from '../../../machine/isa/bug.ts';
import { IMMEDIATE, M, MachineInstruction, MEMORY } from './machine.ts';
import { FIRST_VIRTUAL, FLOAT_SCRATCH, FRAME, isFloat, NONE, RBP, SCRATCH } from './registers.ts';

const [ADDRESS_SCRATCH, OTHER_SCRATCH] = SCRATCH;

export interface Places {
  /** By register number: a fixed register, or -1 - slot. */
  readonly places: Int32Array;
  /** For each virtual register: is it a vector register? */
  readonly isFloat: readonly boolean[];
  /** Offsets from RBP of `FRAME`, and of spill slot 0; slot n is 8n below. */
  readonly frame: number;
  readonly spillBase: number;
}

/** Rewrites `i` in place and gives it and what must be around it, in order, to `emit`. */
export function settle(i: MachineInstruction, p: Places, emit: (i: MachineInstruction) => void): void {
  settleAddress(i, p, emit);
  const a = placeOf(i.a, p);
  const b = placeOf(i.b, p);
  const floatA = isVector(i.a, p);
  const floatB = isVector(i.b, p);
  // Which scratch register is free: the address may be in the first.
  let free = i.base === ADDRESS_SCRATCH || i.index === ADDRESS_SCRATCH ? OTHER_SCRATCH : ADDRESS_SCRATCH;
  let freeFloat: number = FLOAT_SCRATCH[0];

  if (i.b >= 0) {
    if (b >= 0) i.b = b;
    else if (i.op.memoryB && i.a !== MEMORY && !(a < 0 && i.a >= 0 && prefersA(i))) toMemory(i, 'b', b, p);
    else {
      const scratch = floatB ? freeFloat : free;
      load(scratch, b, floatB, p, emit, i);
      i.b = scratch;
      if (floatB) freeFloat = FLOAT_SCRATCH[1];
      else free = OTHER_SCRATCH;
    }
  }
  if (i.a < 0 || a >= 0) {
    if (i.a >= 0) i.a = a;
    emit(i);
    return;
  }
  if (i.op === M.clear) {
    // In memory there is a shorter way than through a register.
    i.op = M.mov;
    i.width = 64;
    i.b = IMMEDIATE;
    toMemory(i, 'a', a, p);
    emit(i);
    return;
  }
  // A constant clears the upper half of a register; in memory that takes a 64-bit store, which extends the sign instead.
  const isConstant = i.op === M.mov && i.b === IMMEDIATE && i.width === 32;
  if (isConstant && i.imm >= 0) i.width = 64;
  if (i.op.memoryA && i.b !== MEMORY && i.base === NONE && i.symbol === null && !(isConstant && i.imm < 0)) {
    toMemory(i, 'a', a, p);
    emit(i);
    return;
  }
  const scratch = floatA ? freeFloat : free;
  if (i.op.a !== 'write') load(scratch, a, floatA, p, emit, i);
  i.a = scratch;
  emit(i);
  if (i.op.a !== 'read') {
    const store = new MachineInstruction(floatA ? M.movsd : M.mov, 64, MEMORY, scratch, i.location);
    setSlot(store, a, p);
    emit(store);
  }
}

/** With both operands spilled: is it better to have `a` in memory and `b` in a register? A changed `a` saves its load and store. */
function prefersA(i: MachineInstruction): boolean {
  return i.op.memoryA;
}

function settleAddress(i: MachineInstruction, p: Places, emit: (i: MachineInstruction) => void): void {
  if (i.base === FRAME) {
    i.base = RBP;
    i.disp += p.frame;
  }
  const base = placeOf(i.base, p);
  const index = placeOf(i.index, p);
  const baseSpilled = i.base >= FIRST_VIRTUAL && base < 0;
  const indexSpilled = i.index >= FIRST_VIRTUAL && index < 0;
  if (i.base >= 0 && !baseSpilled) i.base = base;
  if (i.index >= 0 && !indexSpilled) i.index = index;
  if (baseSpilled && indexSpilled) {
    load(ADDRESS_SCRATCH, base, false, p, emit, i);
    load(OTHER_SCRATCH, index, false, p, emit, i);
    const sum = new MachineInstruction(M.lea, 64, ADDRESS_SCRATCH, MEMORY, i.location);
    sum.base = ADDRESS_SCRATCH;
    sum.index = OTHER_SCRATCH;
    sum.scale = i.scale;
    emit(sum);
    i.base = ADDRESS_SCRATCH;
    i.index = NONE;
    i.scale = 1;
  } else if (baseSpilled) {
    load(ADDRESS_SCRATCH, base, false, p, emit, i);
    i.base = ADDRESS_SCRATCH;
  } else if (indexSpilled) {
    load(ADDRESS_SCRATCH, index, false, p, emit, i);
    if (i.base === NONE) {
      i.index = ADDRESS_SCRATCH;
      return;
    }
    const sum = new MachineInstruction(M.lea, 64, ADDRESS_SCRATCH, MEMORY, i.location);
    sum.base = i.base;
    sum.index = ADDRESS_SCRATCH;
    sum.scale = i.scale;
    emit(sum);
    i.base = ADDRESS_SCRATCH;
    i.index = NONE;
    i.scale = 1;
  }
}

function placeOf(register: number, p: Places): number {
  return register < 0 ? NONE : (p.places[register] ?? bug(`register ${register} has no place`));
}

function isVector(register: number, p: Places): boolean {
  return register >= FIRST_VIRTUAL ? p.isFloat[register - FIRST_VIRTUAL] === true : register >= 0 && isFloat(register);
}

function load(
  register: number,
  place: number,
  float: boolean,
  p: Places,
  emit: (i: MachineInstruction) => void,
  like: MachineInstruction,
): void {
  const i = new MachineInstruction(float ? M.movsd : M.mov, 64, register, MEMORY, like.location);
  setSlot(i, place, p);
  emit(i);
}

function toMemory(i: MachineInstruction, operand: 'a' | 'b', place: number, p: Places): void {
  i[operand] = MEMORY;
  setSlot(i, place, p);
}

function setSlot(i: MachineInstruction, place: number, p: Places): void {
  i.base = RBP;
  i.index = NONE;
  i.scale = 1;
  i.symbol = null;
  i.disp = p.spillBase - 8 * (-1 - place);
}
