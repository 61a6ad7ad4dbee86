/**
 * f64 arithmetic and conversions: SSE2 scalar double.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Instruction, Value } from '../../ir/function.ts';
import { compareFloats, setByte } from './conditions.ts';
import { zeroExtend } from './extend.ts';
import { AE, M, type MachineOp, S, type Width } from './machine.ts';
import { NONE } from './registers.ts';
import { type Selector, symbolAddress } from './selector.ts';

export function lowerFloat(s: Selector, i: Instruction): void {
  const [x, y] = i.args;
  if (x === undefined) return bug(`${i.op} has operands`);
  const register = s.result(i.results[0]);
  switch (i.op) {
    case 'fadd':
      return lowerBinary(s, M.addsd, register, x, y);
    case 'fsub':
      return lowerBinary(s, M.subsd, register, x, y);
    case 'fmul':
      return lowerBinary(s, M.mulsd, register, x, y);
    case 'fdiv':
      return lowerBinary(s, M.divsd, register, x, y);
    case 'fneg':
    case 'fabs':
      s.into(register, x);
      s.rm(i.op === 'fneg' ? M.xorpd : M.andpd, 64, register, symbolAddress(s.pool.mask(i.op === 'fneg' ? 'sign' : 'magnitude')));
      return;
    case 'fsqrt':
      s.rr(M.clearpd, 64, register, NONE);
      s.withOperand(M.sqrtsd, 64, register, x, false);
      return;
    case 'fcmp':
      return setByte(s, register, compareFloats(s, i));
    case 'sitofp':
      s.rr(M.clearpd, 64, register, NONE);
      s.withOperand(M.cvtsi2sd, x.type === 'i64' ? 64 : 32, register, x, false);
      return;
    case 'uitofp':
      return lowerUnsignedToFloat(s, register, x);
    case 'fptosi':
      s.withOperand(M.cvttsd2si, i.type === 'i64' ? 64 : 32, register, x, false);
      return;
    case 'fptoui':
      return lowerFloatToUnsigned(s, register, x);
    case 'bitcast':
      s.rr(M.movq, 64, register, s.use(x));
      return;
    default:
      return bug(`no lowering for ${i.op}`);
  }
}

function lowerBinary(s: Selector, op: MachineOp, register: number, x: Value, y: Value | undefined): void {
  if (y === undefined) return bug(`${op.name} has two operands`);
  s.into(register, x);
  s.withOperand(op, 64, register, y, false);
}

/** From 2^63 on: half of the value, its lost bit kept for rounding, converted and doubled. */
function lowerUnsignedToFloat(s: Selector, register: number, x: Value): void {
  const value = s.temporary();
  zeroExtend(s, value, x);
  s.rr(M.clearpd, 64, register, NONE);
  if (x.type !== 'i64') {
    s.rr(M.cvtsi2sd, 64, register, value);
    return;
  }
  const half = s.temporary();
  const lost = s.temporary();
  s.rr(M.mov, 64, half, value);
  s.ri(M.shr, 64, half, 1);
  s.rr(M.mov, 64, lost, value);
  s.ri(M.and, 64, lost, 1);
  s.rr(M.or, 64, half, lost);
  // Both ways, and the integers choose: there are no jumps within a block.
  const direct = s.temporary(true);
  s.rr(M.clearpd, 64, direct, NONE);
  s.rr(M.cvtsi2sd, 64, direct, value);
  s.rr(M.cvtsi2sd, 64, register, half);
  s.rr(M.addsd, 64, register, register);
  const a = s.temporary();
  const b = s.temporary();
  s.rr(M.movq, 64, a, direct);
  s.rr(M.movq, 64, b, register);
  s.rr(M.test, 64, value, value);
  s.condition(M.cmov, 64, S, a, b);
  s.rr(M.movq, 64, register, a);
}

/** See `fptoui` in fold.ts: from 2^63 on, 2^63 is subtracted before and added after. */
function lowerFloatToUnsigned(s: Selector, register: number, x: Value): void {
  const limit = symbolAddress(s.pool.float(2 ** 63));
  const value = s.use(x);
  const small = s.temporary();
  s.rr(M.cvttsd2si, 64, small, value);
  const rest = s.temporary(true);
  s.copy(rest, value, 'f64');
  s.rm(M.subsd, 64, rest, limit);
  s.rr(M.cvttsd2si, 64, register, rest);
  const top = s.temporary();
  s.constant(top, -(1n << 63n));
  s.rr(M.xor, 64, register, top);
  s.rm(M.ucomisd, 64, value, limit);
  const width: Width = 64;
  s.condition(M.cmov, width, AE ^ 1, register, small);
}
