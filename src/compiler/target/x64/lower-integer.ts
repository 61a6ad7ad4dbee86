/**
 * Integer arithmetic, shifts, comparisons, conversions, trapif, select.
 *
 * What does not depend on upper bits is done in 32 bits for i8 and i16. What does is done at its own width (flags) or on extended copies.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Instruction, Value } from '../../ir/function.ts';
import { compareIntegers, flagsOf, setByte, widthOf } from './conditions.ts';
import { signExtend, trapIf, zeroExtend } from './extend.ts';
import { lowerDivision } from './lower-division.ts';
import { B, E, M, type MachineOp, MEMORY, NE, O, P, type Width } from './machine.ts';
import { NONE, RAX, RCX } from './registers.ts';
import { definition, type Selector } from './selector.ts';

export function lowerInteger(s: Selector, i: Instruction): void {
  const [x, y] = i.args;
  if (x === undefined) return bug(`${i.op} has operands`);
  if (y === undefined) return lowerUnary(s, i, x);
  const width: Width = i.type === 'i64' ? 64 : 32;
  switch (i.op) {
    case 'add':
      return lowerAdd(s, s.result(i.results[0]), x, y, width);
    case 'sub':
      if (s.immediate(x) === 0) return lowerInPlace(s, M.neg, i, y, width);
      return lowerBinary(s, M.sub, i, x, y, width, false);
    case 'and':
      return lowerBinary(s, M.and, i, x, y, width, true);
    case 'or':
      return lowerBinary(s, M.or, i, x, y, width, true);
    case 'xor':
      if (s.immediate(y) === -1) return lowerInPlace(s, M.not, i, x, width);
      return lowerBinary(s, M.xor, i, x, y, width, true);
    case 'mul':
      return lowerMultiply(s, i, x, y, width);
    case 'shl':
    case 'lshr':
    case 'ashr':
      return lowerShift(s, i, x, y, width);
    case 'sadd':
      return lowerChecked(s, M.add, i, x, y, O, true);
    case 'uadd':
      return lowerChecked(s, M.add, i, x, y, B, true);
    case 'ssub':
      return lowerChecked(s, M.sub, i, x, y, O, false);
    case 'usub':
      return lowerChecked(s, M.sub, i, x, y, B, false);
    case 'smul':
      return lowerSignedMultiply(s, i, x, y);
    case 'umul':
      return lowerUnsignedMultiply(s, i, x, y);
    case 'udiv':
    case 'sdiv':
    case 'urem':
    case 'srem':
      return lowerDivision(s, i, x, y);
    case 'icmp':
      return setByte(s, s.result(i.results[0]), compareIntegers(s, i));
    case 'select':
      return lowerSelect(s, i, x, y, i.args[2] ?? bug('select has three operands'));
    default:
      return bug(`no lowering for ${i.op}`);
  }
}

function lowerUnary(s: Selector, i: Instruction, x: Value): void {
  const result = i.results[0];
  switch (i.op) {
    case 'zext':
      return zeroExtend(s, s.result(result), x);
    case 'sext':
      return signExtend(s, s.result(result), x, i.type === 'i64' ? 64 : 32);
    case 'trapif': {
      const condition = flagsOf(s, x);
      if (condition.parity === 'or') trapIf(s, P, i.trap);
      if (condition.parity === 'and') s.condition(M.skip, 64, P, NONE, NONE);
      return trapIf(s, condition.code, i.trap);
    }
    case 'ctz':
      return lowerTrailingZeros(s, i, x);
    case 'clz':
      return lowerLeadingZeros(s, i, x);
    case 'bswap': {
      const register = s.result(result);
      s.into(register, x);
      s.r(M.bswap, i.type === 'i64' ? 64 : 32, register);
      if (i.type === 'i16') s.ri(M.shr, 32, register, 16);
      return;
    }
    default:
      return bug(`no lowering for ${i.op}`);
  }
}

function lowerInPlace(s: Selector, op: MachineOp, i: Instruction, x: Value, width: Width): void {
  const register = s.result(i.results[0]);
  s.into(register, x);
  s.r(op, width, register);
}

/** Puts first what is better destroyed: the operand that has no other use. Immediates and loads that can be taken in stay second. */
function ordered(s: Selector, x: Value, y: Value, commutes: boolean): readonly [Value, Value] {
  if (!commutes || s.immediate(y) !== null || s.mayTakeIn(y)) return [x, y];
  if (s.immediate(x) !== null || s.mayTakeIn(x)) return [y, x];
  return s.isOnlyUse(y) && !s.isOnlyUse(x) ? [y, x] : [x, y];
}

function lowerBinary(s: Selector, op: MachineOp, i: Instruction, x: Value, y: Value, width: Width, commutes: boolean): void {
  const [a, b] = ordered(s, x, y, commutes);
  const register = s.result(i.results[0]);
  s.into(register, a);
  s.withOperand(op, width, register, b, op !== M.imul);
}

/** LEA where the first operand lives on and there is nothing in memory to add. */
function lowerAdd(s: Selector, register: number, x: Value, y: Value, width: Width): void {
  const [a, b] = ordered(s, x, y, true);
  const imm = s.immediate(b);
  if (imm === null && (addScaled(s, register, x, y, width) || addScaled(s, register, y, x, width))) return;
  if (!s.isOnlyUse(a) && !s.mayTakeIn(b) && s.immediate(a) === null) {
    const base = s.use(a);
    const index = imm === null ? s.use(b) : NONE;
    s.rm(M.lea, width, register, { base, index, scale: 1, disp: imm ?? 0, symbol: null });
    return;
  }
  s.into(register, a);
  s.withOperand(M.add, width, register, b);
}

/** `a + (inner << count)` in one LEA, if the shift has no other user. */
function addScaled(s: Selector, register: number, a: Value, b: Value, width: Width): boolean {
  const def = definition(b);
  const [inner, by] = def?.args ?? [];
  if (def?.op !== 'shl' || inner === undefined || by === undefined || !s.isOnlyUse(b)) return false;
  const count = s.immediate(by);
  if (count === null || count < 1 || count > 3) return false;
  const base = s.use(a);
  s.rm(M.lea, width, register, { base, index: s.use(inner), scale: 1 << count, disp: 0, symbol: null });
  return true;
}

function lowerMultiply(s: Selector, i: Instruction, x: Value, y: Value, width: Width): void {
  const register = s.result(i.results[0]);
  const imm = s.immediate(y);
  if (imm === null) return lowerBinary(s, M.imul, i, x, y, width, true);
  const power = Math.log2(imm);
  if (imm > 0 && Number.isInteger(power)) {
    if (power === 0) copyClear(s, register, x);
    else {
      s.into(register, x);
      s.ri(M.shl, width, register, power);
    }
    return;
  }
  if (imm === 3 || imm === 5 || imm === 9) {
    const base = s.use(x);
    s.rm(M.lea, width, register, { base, index: base, scale: imm - 1, disp: 0, symbol: null });
    return;
  }
  multiplyByImmediate(s, register, x, imm, width);
}

function multiplyByImmediate(s: Selector, register: number, x: Value, imm: number, width: Width): void {
  const i = s.withOperand(M.imul3, width, register, x, false);
  i.imm = imm;
}

/** The same value, with upper bits clear for an i32 (see `isUpperClear`). */
export function copyClear(s: Selector, register: number, x: Value): void {
  if (x.type === 'i32') s.rr(M.movzx32, 32, register, s.use(x));
  else s.into(register, x);
}

function lowerShift(s: Selector, i: Instruction, x: Value, y: Value, width: Width): void {
  const register = s.result(i.results[0]);
  const bits = widthOf(x);
  const narrow = bits < 32;
  const shifted = (): void => {
    if (i.op === 'shl' || !narrow) s.into(register, x);
    else if (i.op === 'lshr') zeroExtend(s, register, x);
    else signExtend(s, register, x, 32);
  };
  const imm = s.immediate(y);
  if (imm !== null) {
    const count = imm & (bits - 1);
    if (count === 0) return copyClear(s, register, x);
    shifted();
    s.ri(i.op === 'shl' ? M.shl : i.op === 'lshr' ? M.shr : M.sar, width, register, count);
    return;
  }
  s.into(RCX, y);
  if (narrow) s.ri(M.and, 32, RCX, bits - 1);
  shifted();
  s.r(i.op === 'shl' ? M.shlcl : i.op === 'lshr' ? M.shrcl : M.sarcl, width, register);
}

function lowerChecked(s: Selector, op: MachineOp, i: Instruction, x: Value, y: Value, condition: number, commutes: boolean): void {
  const [a, b] = ordered(s, x, y, commutes);
  const register = s.result(i.results[0]);
  s.into(register, a);
  s.withOperand(op, widthOf(x), register, b);
  trapIf(s, condition, 'overflow');
}

function lowerSignedMultiply(s: Selector, i: Instruction, x: Value, y: Value): void {
  const register = s.result(i.results[0]);
  const width = widthOf(x);
  if (width === 8) {
    const other = s.temporary();
    signExtend(s, register, x, 32);
    signExtend(s, other, y, 32);
    s.rr(M.imul, 32, register, other);
    const low = s.temporary();
    s.rr(M.movsx8, 32, low, register);
    s.rr(M.cmp, 32, low, register);
    return trapIf(s, NE, 'overflow');
  }
  const imm = s.immediate(y);
  if (imm !== null && width !== 16) multiplyByImmediate(s, register, x, imm, width);
  else {
    const [a, b] = ordered(s, x, y, true);
    s.into(register, a);
    s.withOperand(M.imul, width, register, b, false);
  }
  trapIf(s, O, 'overflow');
}

/** i64 by MUL; narrower ones in 64 bits, where the product cannot overflow. */
function lowerUnsignedMultiply(s: Selector, i: Instruction, x: Value, y: Value): void {
  const register = s.result(i.results[0]);
  const width = widthOf(x);
  if (width === 64) {
    const [a, b] = ordered(s, x, y, true);
    const other = s.mayTakeIn(b) ? MEMORY : s.use(b);
    s.into(RAX, a);
    if (other === MEMORY) s.rm(M.mul, 64, MEMORY, s.addressOfLoad(b)).b = NONE;
    else s.r(M.mul, 64, other);
    trapIf(s, O, 'overflow');
    s.rr(M.mov, 64, register, RAX);
    return;
  }
  zeroExtend(s, register, x);
  const other = s.temporary();
  zeroExtend(s, other, y);
  s.rr(M.imul, 64, register, other);
  if (width === 32) {
    const high = s.temporary();
    s.rr(M.mov, 64, high, register);
    s.ri(M.shr, 64, high, 32);
  } else s.ri(M.test, 32, register, -(2 ** width));
  trapIf(s, NE, 'overflow');
}

function lowerSelect(s: Selector, i: Instruction, condition: Value, whenTrue: Value, whenFalse: Value): void {
  const register = s.result(i.results[0]);
  if (i.type === 'f64') return lowerFloatSelect(s, register, condition, whenTrue, whenFalse);
  const width: Width = i.type === 'i64' ? 64 : 32;
  const a = s.use(whenTrue);
  const b = s.use(whenFalse);
  const { code, parity } = flagsOf(s, condition);
  if (parity === 'and') {
    // True needs both: take the other one if either fails.
    s.copy(register, a, i.type);
    s.condition(M.cmov, width, code ^ 1, register, b);
    s.condition(M.cmov, width, P, register, b);
    return;
  }
  s.copy(register, b, i.type);
  s.condition(M.cmov, width, code, register, a);
  if (parity === 'or') s.condition(M.cmov, width, P, register, a);
}

/** There is no conditional move between vector registers: it goes through general ones. */
function lowerFloatSelect(s: Selector, register: number, condition: Value, whenTrue: Value, whenFalse: Value): void {
  const a = s.temporary();
  const b = s.temporary();
  s.rr(M.movq, 64, a, s.use(whenTrue));
  s.rr(M.movq, 64, b, s.use(whenFalse));
  const { code, parity } = flagsOf(s, condition);
  if (parity === 'and') {
    s.condition(M.cmov, 64, code ^ 1, a, b);
    s.condition(M.cmov, 64, P, a, b);
    s.rr(M.movq, 64, register, a);
    return;
  }
  s.condition(M.cmov, 64, code, b, a);
  if (parity === 'or') s.condition(M.cmov, 64, P, b, a);
  s.rr(M.movq, 64, register, b);
}

function lowerTrailingZeros(s: Selector, i: Instruction, x: Value): void {
  const register = s.result(i.results[0]);
  const width = widthOf(x);
  if (width < 32) {
    // A bit above the value stops the scan.
    const stopped = s.copyOf(x);
    s.ri(M.or, 32, stopped, 2 ** width);
    s.rr(M.bsf, 32, register, stopped);
    return;
  }
  const all = s.temporary();
  s.ri(M.mov, 32, all, width);
  s.withOperand(M.bsf, width, register, x, false);
  s.condition(M.cmov, width, E, register, all);
}

function lowerLeadingZeros(s: Selector, i: Instruction, x: Value): void {
  const register = s.result(i.results[0]);
  const width = widthOf(x);
  if (width < 32) {
    // The highest bit of 2x + 1 is one above x's, and bit 0 for x = 0.
    const wide = s.temporary();
    zeroExtend(s, wide, x);
    const double = s.temporary();
    s.rm(M.lea, 32, double, { base: wide, index: wide, scale: 1, disp: 1, symbol: null });
    const highest = s.temporary();
    s.rr(M.bsr, 32, highest, double);
    s.ri(M.mov, 32, register, width);
    s.rr(M.sub, 32, register, highest);
    return;
  }
  const none = s.temporary();
  s.ri(M.mov, 32, none, 2 * width - 1);
  s.withOperand(M.bsr, width, register, x, false);
  s.condition(M.cmov, width, E, register, none);
  s.ri(M.xor, 32, register, width - 1);
}
