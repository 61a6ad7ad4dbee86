/**
 * Conditions: from a boolean value to flags, and from flags to jumps, traps, moves and bytes.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Instruction, Predicate, Value } from '../../ir/function.ts';
import { bitsOf } from '../../ir/types.ts';
import { A, AE, B, BE, E, G, GE, L, LE, M, NE, NP, NS, P, S, type Width } from './machine.ts';
import { definition, type Selector } from './selector.ts';

/**
 * What the flags must be: `code`, and besides for equality of f64 (UCOMISD sets ZF and PF for unordered operands): `and` not PF,
 * `or` PF.
 */
export interface Condition {
  readonly code: number;
  readonly parity: 'none' | 'and' | 'or';
}

const CODES: Readonly<Partial<Record<Predicate, number>>> = {
  eq: E,
  ne: NE,
  slt: L,
  sle: LE,
  sgt: G,
  sge: GE,
  ult: B,
  ule: BE,
  ugt: A,
  uge: AE,
};

/** After TEST of a value with itself (CF and OF are 0). Unsigned "below 0" and its negation are left to CMP. */
const CODES_AGAINST_ZERO: Readonly<Partial<Record<Predicate, number>>> = {
  eq: E,
  ne: NE,
  slt: S,
  sge: NS,
  sle: LE,
  sgt: G,
  ugt: NE,
  ule: E,
};

const SWAPPED: Readonly<Record<Predicate, Predicate>> = {
  eq: 'eq',
  ne: 'ne',
  slt: 'sgt',
  sle: 'sge',
  sgt: 'slt',
  sge: 'sle',
  ult: 'ugt',
  ule: 'uge',
  ugt: 'ult',
  uge: 'ule',
  lt: 'gt',
  le: 'ge',
  gt: 'lt',
  ge: 'le',
};

export function negate(condition: Condition): Condition {
  return { code: condition.code ^ 1, parity: condition.parity === 'none' ? 'none' : condition.parity === 'and' ? 'or' : 'and' };
}

/** Sets the flags so that the condition given back holds if the boolean (i8) is not 0. */
export function flagsOf(s: Selector, value: Value): Condition {
  const def = definition(value);
  if (def !== null && s.mayRepeat(value)) {
    if (def.op === 'icmp') {
      const inner = negated(s, def);
      return inner !== null ? negate(flagsOf(s, inner)) : compareIntegers(s, def);
    }
    if (def.op === 'fcmp') return compareFloats(s, def);
  }
  if (s.mayTakeIn(value)) s.mi(M.cmp, 8, s.addressOfLoad(value), 0);
  else {
    const register = s.use(value);
    s.rr(M.test, 8, register, register);
  }
  return { code: NE, parity: 'none' };
}

/** `b` if the comparison is `b == 0` of a comparison, which is then not made twice. */
function negated(s: Selector, def: Instruction): Value | null {
  const [a, b] = def.args;
  if (def.predicate !== 'eq' || def.type !== 'i8' || a === undefined || b === undefined || s.immediate(b) !== 0) return null;
  const inner = definition(a);
  return (inner?.op === 'icmp' || inner?.op === 'fcmp') && s.mayRepeat(a) ? a : null;
}

export function compareIntegers(s: Selector, def: Instruction): Condition {
  let [a, b] = def.args;
  let predicate = def.predicate;
  if (a === undefined || b === undefined) return bug('icmp has two operands');
  if (s.immediate(a) !== null && s.immediate(b) === null) {
    [a, b] = [b, a];
    predicate = SWAPPED[predicate];
  }
  const width = widthOf(a);
  const imm = s.immediate(b);
  if (imm === 0) {
    const code = compareWithZero(s, a, predicate, width);
    if (code !== null) return { code, parity: 'none' };
  }
  if (imm !== null) {
    if (s.mayTakeIn(a)) s.mi(M.cmp, width, s.addressOfLoad(a), imm);
    else s.ri(M.cmp, width, s.use(a), imm);
  } else if (s.mayTakeIn(a) && !s.mayTakeIn(b)) {
    const register = s.use(b);
    s.mr(M.cmp, width, s.addressOfLoad(a), register);
  } else {
    s.withOperand(M.cmp, width, s.use(a), b);
  }
  return { code: CODES[predicate] ?? bug(`${predicate} is not for integers`), parity: 'none' };
}

/** TEST instead of CMP with 0; of an AND that has no other user, without making its result. */
function compareWithZero(s: Selector, a: Value, predicate: Predicate, width: Width): number | null {
  const code = CODES_AGAINST_ZERO[predicate];
  if (code === undefined) return null;
  const def = definition(a);
  if (def?.op === 'and' && s.isOnlyUse(a)) {
    const [x, y] = def.args;
    if (x === undefined || y === undefined) return bug('and has two operands');
    const imm = s.immediate(y);
    if (imm !== null && s.mayTakeIn(x)) s.mi(M.test, width, s.addressOfLoad(x), imm);
    else if (imm !== null) s.ri(M.test, width, s.use(x), imm);
    else s.rr(M.test, width, s.use(x), s.use(y));
    return code;
  }
  if (s.mayTakeIn(a)) return null;
  const register = s.use(a);
  s.rr(M.test, width, register, register);
  return code;
}

export function compareFloats(s: Selector, def: Instruction): Condition {
  const [a, b] = def.args;
  if (a === undefined || b === undefined) return bug('fcmp has two operands');
  const { predicate } = def;
  // CF is set for unordered operands too, so "above" is asked for, with the operands swapped if needed.
  const swap = predicate === 'lt' || predicate === 'le';
  const [x, y] = swap ? [b, a] : [a, b];
  s.withOperand(M.ucomisd, 64, s.use(x), y, false);
  if (predicate === 'eq') return { code: E, parity: 'and' };
  if (predicate === 'ne') return { code: NE, parity: 'or' };
  return { code: predicate === 'lt' || predicate === 'gt' ? A : AE, parity: 'none' };
}

/** 1 or 0 into the low byte. */
export function setByte(s: Selector, register: number, { code, parity }: Condition): void {
  s.r(M.set, 8, register).condition = code;
  if (parity === 'none') return;
  const other = s.temporary();
  s.r(M.set, 8, other).condition = parity === 'and' ? NP : P;
  s.rr(parity === 'and' ? M.and : M.or, 32, register, other);
}

export function widthOf(value: Value): Width {
  const bits = bitsOf(value.type);
  return bits === 32 ? 32 : bits === 64 ? 64 : bits === 8 ? 8 : 16;
}
