/**
 * Division: by constants through shifts and multiplications (Warren, "Hacker's Delight", chapter 10), else by DIV and IDIV behind tests
 * for what they would fault on.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Instruction, Value } from '../../ir/function.ts';
import { widthOf } from './conditions.ts';
import { signExtend, trapIf, zeroExtend } from './extend.ts';
import { E, M, NE, O, type Width } from './machine.ts';
import { signedMagic, unsignedMagic } from './magic.ts';
import { NONE, RAX, RDX } from './registers.ts';
import type { Selector } from './selector.ts';

export function lowerDivision(s: Selector, i: Instruction, x: Value, y: Value): void {
  const divisor = s.immediate(y);
  if (divisor !== null && divisor !== 0 && lowerByConstant(s, i, x, divisor)) return;
  if (i.op === 'udiv' || i.op === 'urem') lowerUnsigned(s, i, x, y);
  else lowerSigned(s, i, x, y);
}

const resultRegister = (i: Instruction): number => (i.op === 'udiv' || i.op === 'sdiv' ? RAX : RDX);

function lowerUnsigned(s: Selector, i: Instruction, x: Value, y: Value): void {
  const width = i.type === 'i64' ? 64 : 32;
  const divisor = s.temporary();
  zeroExtend(s, divisor, y);
  trapIfZero(s, divisor, width);
  zeroExtend(s, RAX, x);
  s.ri(M.mov, 32, RDX, 0);
  s.r(M.div, width, divisor);
  s.rr(M.mov, width, s.result(i.results[0]), resultRegister(i));
}

function trapIfZero(s: Selector, register: number, width: Width): void {
  s.rr(M.test, width, register, register);
  trapIf(s, E, 'divide');
}

function lowerSigned(s: Selector, i: Instruction, x: Value, y: Value): void {
  const width = i.type === 'i64' ? 64 : 32;
  const divisor = s.temporary();
  signExtend(s, divisor, y, width);
  trapIfZero(s, divisor, width);
  if (i.op === 'sdiv') trapIfQuotientOverflows(s, x, divisor, width);
  else {
    // A remainder by -1 is 0, as by 1; IDIV would fault for the least dividend.
    const one = s.temporary();
    s.ri(M.mov, 32, one, 1);
    s.ri(M.cmp, width, divisor, -1);
    s.condition(M.cmov, width, E, divisor, one);
  }
  signExtend(s, RAX, x, width);
  s.emit(width === 64 ? M.cqo : M.cdq, width, NONE, NONE);
  s.r(M.idiv, width, divisor);
  s.rr(M.mov, width, s.result(i.results[0]), resultRegister(i));
}

/** The least value by -1: NEG of the dividend sets OF only for that value. */
function trapIfQuotientOverflows(s: Selector, x: Value, divisor: number, width: Width): void {
  const negative = s.temporary();
  s.copy(negative, s.use(x), x.type);
  s.r(M.neg, widthOf(x), negative);
  const least = s.temporary();
  s.r(M.set, 8, least).condition = O;
  s.ri(M.cmp, width, divisor, -1);
  const minusOne = s.temporary();
  s.r(M.set, 8, minusOne).condition = E;
  s.rr(M.test, 8, least, minusOne);
  trapIf(s, NE, 'overflow');
}

/** @returns false if there is nothing better than a division */
function lowerByConstant(s: Selector, i: Instruction, x: Value, divisor: number): boolean {
  const bits = widthOf(x);
  const isSigned = i.op === 'sdiv' || i.op === 'srem';
  const d = isSigned ? BigInt(divisor) : BigInt.asUintN(bits, BigInt(divisor));
  const width = i.type === 'i64' ? 64 : 32;
  const register = s.result(i.results[0]);
  const isRemainder = i.op === 'urem' || i.op === 'srem';

  if (d === 1n || d === -1n) return lowerByOne(s, i, x, d, register, width);
  const value = s.temporary();
  if (isSigned) signExtend(s, value, x, width);
  else zeroExtend(s, value, x);

  const magnitude = d < 0n ? -d : d;
  const power = magnitude.toString(2).length - 1;
  if (1n << BigInt(power) === magnitude) {
    if (!isSigned) unsignedPower(s, register, value, power, width, isRemainder);
    else signedPower(s, register, value, power, width, isRemainder, d < 0n);
    return true;
  }
  const quotient = isRemainder ? s.temporary() : register;
  // Narrow dividends are extended: they are divided as 32-bit ones.
  if (isSigned) signedByMagic(s, quotient, value, d, width);
  else unsignedByMagic(s, quotient, value, d, width);
  if (isRemainder) remainder(s, register, value, quotient, d, width);
  return true;
}

function lowerByOne(s: Selector, i: Instruction, x: Value, d: bigint, register: number, width: Width): boolean {
  if (i.op === 'urem' || i.op === 'srem') s.ri(M.mov, 32, register, 0);
  else if (d === 1n) {
    if (i.op === 'udiv') zeroExtend(s, register, x);
    else if (x.type === 'i32') s.rr(M.movzx32, 32, register, s.use(x));
    else s.into(register, x);
  } else {
    s.into(register, x);
    s.r(M.neg, widthOf(x), register);
    trapIf(s, O, 'overflow');
    if (x.type === 'i32') s.rr(M.movzx32, width, register, register);
  }
  return true;
}

function unsignedPower(s: Selector, register: number, value: number, power: number, width: Width, isRemainder: boolean): void {
  if (!isRemainder) {
    s.rr(M.mov, width, register, value);
    s.ri(M.shr, width, register, power);
    return;
  }
  if (power <= 31) {
    s.rr(M.mov, width, register, value);
    s.ri(M.and, width, register, 2 ** power - 1);
    return;
  }
  s.constant(register, (1n << BigInt(power)) - 1n);
  s.rr(M.and, width, register, value);
}

/** Rounds towards 0: 2^power - 1 is added to negative dividends first. */
function signedPower(
  s: Selector,
  register: number,
  value: number,
  power: number,
  width: Width,
  isRemainder: boolean,
  negate: boolean,
): void {
  const bias = s.temporary();
  s.rr(M.mov, width, bias, value);
  s.ri(M.sar, width, bias, width - 1);
  s.ri(M.shr, width, bias, width - power);
  if (!isRemainder) {
    s.rm(M.lea, width, register, { base: value, index: bias, scale: 1, disp: 0, symbol: null });
    s.ri(M.sar, width, register, power);
    if (negate) s.r(M.neg, width, register);
    return;
  }
  // value - ((value + bias) without its low bits)
  const rounded = s.temporary();
  s.rm(M.lea, width, rounded, { base: value, index: bias, scale: 1, disp: 0, symbol: null });
  s.ri(M.sar, width, rounded, power);
  s.ri(M.shl, width, rounded, power);
  s.rr(M.mov, width, register, value);
  s.rr(M.sub, width, register, rounded);
}

function unsignedByMagic(s: Selector, quotient: number, value: number, d: bigint, width: 32 | 64): void {
  const { multiplier, shift, add } = unsignedMagic(d, width);
  if (width === 32) {
    // In 64 bits: the multiplier has 32 bits, or 33 and then the top bit is added by hand.
    s.constant(quotient, multiplier);
    s.rr(M.imul, 64, quotient, value);
    if (!add) {
      s.ri(M.shr, 64, quotient, 32 + shift);
      return;
    }
    s.ri(M.shr, 64, quotient, 32);
    s.rr(M.add, 64, quotient, value);
    s.ri(M.shr, 64, quotient, shift);
    return;
  }
  s.constant(RAX, BigInt.asIntN(64, multiplier));
  s.r(M.mul, 64, value);
  if (!add) {
    s.rr(M.mov, 64, quotient, RDX);
    if (shift > 0) s.ri(M.shr, 64, quotient, shift);
    return;
  }
  // ((value - high) / 2 + high) >> (shift - 1)
  const half = s.temporary();
  s.rr(M.mov, 64, half, value);
  s.rr(M.sub, 64, half, RDX);
  s.ri(M.shr, 64, half, 1);
  s.rm(M.lea, 64, quotient, { base: half, index: RDX, scale: 1, disp: 0, symbol: null });
  if (shift > 1) s.ri(M.shr, 64, quotient, shift - 1);
}

function signedByMagic(s: Selector, quotient: number, value: number, d: bigint, width: 32 | 64): void {
  const { multiplier, shift } = signedMagic(d, width);
  if (width === 32) {
    const wide = s.temporary();
    s.rr(M.movsxd, 64, wide, value);
    s.constant(quotient, multiplier);
    s.rr(M.imul, 64, quotient, wide);
    s.ri(M.sar, 64, quotient, 32);
  } else {
    s.constant(RAX, multiplier);
    s.r(M.imul1, 64, value);
    s.rr(M.mov, 64, quotient, RDX);
  }
  if (d > 0n && multiplier < 0n) s.rr(M.add, width, quotient, value);
  if (d < 0n && multiplier > 0n) s.rr(M.sub, width, quotient, value);
  if (shift > 0) s.ri(M.sar, width, quotient, shift);
  const sign = s.temporary();
  s.rr(M.mov, width, sign, quotient);
  s.ri(M.shr, width, sign, width - 1);
  s.rr(M.add, width, quotient, sign);
}

function remainder(s: Selector, register: number, value: number, quotient: number, d: bigint, width: Width): void {
  const signed = BigInt.asIntN(width, d);
  if (BigInt.asIntN(32, signed) !== signed) return bug('the divisor is an immediate');
  const product = s.temporary();
  s.rr(M.imul3, width, product, quotient).imm = Number(signed);
  s.rr(M.mov, width, register, value);
  s.rr(M.sub, width, register, product);
}
