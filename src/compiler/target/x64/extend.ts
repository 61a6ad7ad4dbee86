/**
 * Small sequences that several lowerings need: extension of narrow integers, traps on a condition.
 */

import type { Value } from '../../ir/function.ts';
import type { TrapCode } from '../../ir/trap-codes.ts';
import { widthOf } from './conditions.ts';
import { M, type Width } from './machine.ts';
import { NONE } from './registers.ts';
import { definition, type Selector } from './selector.ts';

export function trapIf(s: Selector, condition: number, trap: TrapCode): void {
  s.condition(M.trapif, 64, condition, NONE, NONE).trap = trap;
}

/** All bits above the value's own are 0, up to 64. */
export function zeroExtend(s: Selector, register: number, x: Value): void {
  const imm = s.immediate(x);
  if (imm !== null) return s.constant(register, BigInt.asUintN(widthOf(x), BigInt(imm)));
  if (s.mayTakeIn(x)) {
    const def = definition(x);
    if (def !== null) return s.loadInto(register, def);
  }
  const source = s.use(x);
  if (x.type === 'i64') s.rr(M.mov, 64, register, source);
  else if (s.isUpperClear(x)) s.rr(M.movclear, 32, register, source);
  else if (x.type === 'i8') s.rr(M.movzx8, 32, register, source);
  else if (x.type === 'i16') s.rr(M.movzx16, 32, register, source);
  else s.rr(M.movzx32, 32, register, source);
}

export function signExtend(s: Selector, register: number, x: Value, width: Width): void {
  const imm = s.immediate(x);
  if (imm !== null) return s.constant(register, width === 64 ? BigInt(imm) : imm);
  const op = x.type === 'i8' ? M.movsx8 : x.type === 'i16' ? M.movsx16 : x.type === 'i32' && width === 64 ? M.movsxd : M.mov;
  if (op !== M.mov && s.mayTakeIn(x)) s.rm(op, width, register, s.addressOfLoad(x));
  else s.rr(op, width, register, s.use(x));
}
