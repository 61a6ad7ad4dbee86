/**
 * Ranges of integer values: between which numbers a value lies when its bits are read as signed and as unsigned.
 *
 * Bounds are numbers: exact safe integers, or infinite where nothing is known of an i64 (the type's own limits are then meant). All functions
 * are total and err towards more.
 */
import type { Instruction, Value } from '../ir/function.ts';
import { bitsOf, type Constant, type IntegerType, isInteger, type Type, unsigned } from '../ir/types.ts';
import { constantOf } from './rewrite.ts';

export interface Range {
  readonly sLow: number;
  readonly sHigh: number;
  readonly uLow: number;
  readonly uHigh: number;
}

export interface Limits {
  readonly sLow: number;
  readonly sHigh: number;
  readonly uHigh: number;
}

/** The type's limits; infinite for i64. */
export function limitsOf(type: Type): Limits {
  const bits = bitsOf(type);
  if (bits === 64) return { sLow: -Infinity, sHigh: Infinity, uHigh: Infinity };
  return { sLow: -(2 ** (bits - 1)), sHigh: 2 ** (bits - 1) - 1, uHigh: 2 ** bits - 1 };
}

export function fullRange(type: Type): Range {
  const { sLow, sHigh, uHigh } = limitsOf(type);
  return { sLow, sHigh, uLow: 0, uHigh };
}

/** Bounds beyond the safe integers say nothing. */
function low(bound: number): number {
  return bound < -Number.MAX_SAFE_INTEGER ? -Infinity : Math.min(bound, Number.MAX_SAFE_INTEGER);
}
function high(bound: number): number {
  return bound > Number.MAX_SAFE_INTEGER ? Infinity : Math.max(bound, -Number.MAX_SAFE_INTEGER);
}

/** What is known of a value both ways, each way told to the other. An empty range (code that cannot be reached) stays as it is. */
export function normalised(type: Type, range: Range): Range {
  const limits = limitsOf(type);
  let sLow = Math.max(low(range.sLow), limits.sLow);
  let sHigh = Math.min(high(range.sHigh), limits.sHigh);
  let uLow = Math.max(low(range.uLow), 0);
  let uHigh = Math.min(high(range.uHigh), limits.uHigh);
  if (sLow >= 0) {
    uLow = Math.max(uLow, sLow);
    uHigh = Math.min(uHigh, sHigh);
  }
  // In 64 bits every finite unsigned bound lies below the sign.
  const isBelowSign = limits.sHigh === Infinity ? uHigh !== Infinity : uHigh <= limits.sHigh;
  if (isBelowSign) {
    sLow = Math.max(sLow, uLow);
    sHigh = Math.min(sHigh, uHigh);
  }
  return { sLow, sHigh, uLow, uHigh };
}

export function constantRange(type: IntegerType, value: Constant): Range {
  const s = Number(value);
  const u = Number(unsigned(type, value));
  return normalised(type, { sLow: s, sHigh: s, uLow: u, uHigh: u });
}

export function intersection(type: Type, a: Range, b: Range): Range {
  return normalised(type, {
    sLow: Math.max(a.sLow, b.sLow),
    sHigh: Math.min(a.sHigh, b.sHigh),
    uLow: Math.max(a.uLow, b.uLow),
    uHigh: Math.min(a.uHigh, b.uHigh),
  });
}

export function union(a: Range, b: Range): Range {
  return {
    sLow: Math.min(a.sLow, b.sLow),
    sHigh: Math.max(a.sHigh, b.sHigh),
    uLow: Math.min(a.uLow, b.uLow),
    uHigh: Math.max(a.uHigh, b.uHigh),
  };
}

type Interval = readonly [low: number, high: number];

/** The exact result of a sum, difference or product of intervals; NaN (0 * ∞, ∞ - ∞) becomes unknown. */
export function exact(op: 'add' | 'sub' | 'mul', [a, b]: Interval, [c, d]: Interval): Interval {
  const corners = op === 'add' ? [a + c, b + d] : op === 'sub' ? [a - d, b - c] : [a * c, a * d, b * c, b * d];
  if (corners.some(Number.isNaN)) return [-Infinity, Infinity];
  return [Math.min(...corners), Math.max(...corners)];
}

/** Does the exact result fit the type? In 64 bits: is it a safe integer. */
export function fitsSigned(type: Type, [from, to]: Interval): boolean {
  const { sLow, sHigh } = limitsOf(type);
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= sLow && to <= sHigh;
}
export function fitsUnsigned(type: Type, [from, to]: Interval): boolean {
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && to <= limitsOf(type).uHigh;
}

export function signedOf(r: Range): Interval {
  return [r.sLow, r.sHigh];
}
export function unsignedOf(r: Range): Interval {
  return [r.uLow, r.uHigh];
}

/** The range of an instruction's only result. */
export function rangeOf(i: Instruction, of: (value: Value) => Range): Range {
  const type = i.results[0]?.type ?? i.type;
  if (!isInteger(type)) return fullRange(type);
  const [x, y] = i.args;
  const a = x !== undefined && isInteger(x.type) ? of(x) : fullRange('i64');
  const b = y !== undefined && isInteger(y.type) ? of(y) : fullRange('i64');
  const full = fullRange(type);
  switch (i.op) {
    case 'const':
      return constantRange(type, i.value);
    case 'icmp':
    case 'fcmp':
      return { sLow: 0, sHigh: 1, uLow: 0, uHigh: 1 };
    case 'zext':
      return normalised(type, { ...full, sLow: a.uLow, sHigh: a.uHigh, uLow: a.uLow, uHigh: a.uHigh });
    case 'sext':
      return normalised(type, { ...full, sLow: a.sLow, sHigh: a.sHigh });
    case 'trunc':
      return truncated(type, a, full);
    case 'select':
      return i.args[2] === undefined ? full : union(b, of(i.args[2]));
    case 'add':
    case 'sub':
    case 'mul':
    case 'sadd':
    case 'ssub':
    case 'smul':
    case 'uadd':
    case 'usub':
    case 'umul':
      return arithmetic(i.op, type, a, b);
    case 'and':
      return normalised(type, { ...full, uHigh: Math.min(a.uHigh, b.uHigh) });
    case 'lshr':
    case 'shl':
      return shifted(i.op, type, a, constantOf(y));
    case 'udiv':
      return normalised(type, {
        ...full,
        uLow: Math.floor(a.uLow / Math.max(1, b.uHigh)) || 0,
        uHigh: Math.floor(a.uHigh / Math.max(1, b.uLow)),
      });
    case 'urem':
      return normalised(type, { ...full, uHigh: Math.min(a.uHigh, b.uHigh - 1) });
    case 'sdiv':
      return a.sLow >= 0 && b.sLow > 0 ? normalised(type, { ...full, sLow: 0, sHigh: Math.floor(a.sHigh / b.sLow) }) : full;
    case 'srem': {
      const most = Math.max(Math.abs(b.sLow), Math.abs(b.sHigh)) - 1;
      return normalised(type, {
        ...full,
        sLow: a.sLow >= 0 ? 0 : -most,
        sHigh: a.sHigh <= 0 ? 0 : a.sLow >= 0 ? Math.min(a.sHigh, most) : most,
      });
    }
    case 'clz':
    case 'ctz':
      return normalised(type, { ...full, uHigh: bitsOf(type) });
    default:
      return full;
  }
}

function truncated(type: IntegerType, a: Range, full: Range): Range {
  const limits = limitsOf(type);
  if (a.uHigh <= limits.uHigh) return normalised(type, { ...full, uLow: a.uLow, uHigh: a.uHigh });
  if (a.sLow >= limits.sLow && a.sHigh <= limits.sHigh) return normalised(type, { ...full, sLow: a.sLow, sHigh: a.sHigh });
  return full;
}

function arithmetic(op: string, type: IntegerType, a: Range, b: Range): Range {
  const plain = op.endsWith('add') ? 'add' : op.endsWith('sub') ? 'sub' : 'mul';
  const full = fullRange(type);
  const s = exact(plain, signedOf(a), signedOf(b));
  const u = exact(plain, unsignedOf(a), unsignedOf(b));
  // A checked operation that goes on has not left its type; a wrapping one may, unless the exact result fits.
  const isSigned = op.startsWith('s') && op !== 'sub';
  const isUnsigned = op.startsWith('u');
  const known = { ...full };
  if (isSigned || fitsSigned(type, s)) [known.sLow, known.sHigh] = s;
  if (isUnsigned || fitsUnsigned(type, u)) [known.uLow, known.uHigh] = u;
  return normalised(type, known);
}

function shifted(op: 'lshr' | 'shl', type: IntegerType, a: Range, count: Constant | null): Range {
  const full = fullRange(type);
  if (count === null) return op === 'lshr' ? normalised(type, { ...full, uHigh: a.uHigh }) : full;
  const factor = 2 ** Number(BigInt.asUintN(bitsOf(type), BigInt(count)) % BigInt(bitsOf(type)));
  if (op === 'lshr') {
    const top = a.uHigh === Infinity ? 2 ** 64 : a.uHigh;
    return normalised(type, { ...full, uLow: Math.floor(a.uLow / factor), uHigh: Math.floor(top / factor) });
  }
  const u: Interval = [a.uLow * factor, a.uHigh * factor];
  return fitsUnsigned(type, u) ? normalised(type, { ...full, uLow: u[0], uHigh: u[1] }) : full;
}
