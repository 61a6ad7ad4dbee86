/**
 * What operations give on constants: the meaning of the IR's arithmetic, used by the interpreter and by constant folding.
 *
 * Every function takes and gives constants in normal form and returns null where the operation traps.
 */

import { bug } from '../../machine/isa/bug.ts';
import { bitsOf, type Constant, type IntegerType, isInteger, normal, type Predicate, type Type, unsigned } from './types.ts';

/** The constant that the operation gives on constants, or null where it would trap. `from` is the type of the first operand. */
export type Fold = (type: Type, args: readonly Constant[], from: Type, predicate: Predicate) => Constant | null;

/** Addition, subtraction, multiplication modulo 2^width; `exact` gives the mathematical result of values below 2^32 or bigints. */
function wrapping(small: (a: number, b: number) => number, big: (a: bigint, b: bigint) => bigint): Fold {
  return (type, [a, b]) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return BigInt.asIntN(64, big(a, b));
    if (typeof a === 'number' && typeof b === 'number') return normal(type, small(a, b));
    return badOperands(type);
  };
}

/** The same, but null (trap) if the mathematical result of the operands read as signed or unsigned does not fit. */
function checked(sign: 'signed' | 'unsigned', big: (a: bigint, b: bigint) => bigint): Fold {
  return (type, [a, b]) => {
    if (a === undefined || b === undefined || !isInteger(type)) return badOperands(type);
    const read = (value: Constant): bigint => BigInt(sign === 'signed' ? value : unsigned(type, value));
    const exact = big(read(a), read(b));
    const bits = bitsOf(type);
    const fits = sign === 'signed' ? BigInt.asIntN(bits, exact) === exact : BigInt.asUintN(bits, exact) === exact;
    return fits ? normal(type, exact) : null;
  };
}

function badOperands(type: Type): never {
  return bug(`operands do not have the type ${type}`);
}

function integer(type: Type): IntegerType {
  return isInteger(type) ? type : bug(`${type} is not an integer type`);
}

export const add = wrapping(
  (a, b) => a + b,
  (a, b) => a + b,
);
export const sub = wrapping(
  (a, b) => a - b,
  (a, b) => a - b,
);
export const mul = wrapping(Math.imul, (a, b) => a * b);
export const and = wrapping(
  (a, b) => a & b,
  (a, b) => a & b,
);
export const or = wrapping(
  (a, b) => a | b,
  (a, b) => a | b,
);
export const xor = wrapping(
  (a, b) => a ^ b,
  (a, b) => a ^ b,
);

export const sadd = checked('signed', (a, b) => a + b);
export const uadd = checked('unsigned', (a, b) => a + b);
export const ssub = checked('signed', (a, b) => a - b);
export const usub = checked('unsigned', (a, b) => a - b);
export const smul = checked('signed', (a, b) => a * b);
export const umul = checked('unsigned', (a, b) => a * b);

function shift(sign: 'signed' | 'unsigned', big: (value: bigint, count: bigint) => bigint): Fold {
  return (type, [a, b]) => {
    if (a === undefined || b === undefined) return badOperands(type);
    const t = integer(type);
    const count = BigInt(unsigned(t, b)) % BigInt(bitsOf(t));
    return normal(t, big(BigInt(sign === 'signed' ? a : unsigned(t, a)), count));
  };
}

export const shl = shift('unsigned', (a, n) => a << n);
export const lshr = shift('unsigned', (a, n) => a >> n);
export const ashr = shift('signed', (a, n) => a >> n);

function division(sign: 'signed' | 'unsigned', part: 'quotient' | 'remainder'): Fold {
  return (type, [a, b]) => {
    if (a === undefined || b === undefined) return badOperands(type);
    const t = integer(type);
    const dividend = BigInt(sign === 'signed' ? a : unsigned(t, a));
    const divisor = BigInt(sign === 'signed' ? b : unsigned(t, b));
    if (divisor === 0n) return null;
    if (part === 'remainder') return normal(t, dividend % divisor);
    const quotient = dividend / divisor;
    if (sign === 'signed' && BigInt.asIntN(bitsOf(t), quotient) !== quotient) return null;
    return normal(t, quotient);
  };
}

export const udiv = division('unsigned', 'quotient');
export const sdiv = division('signed', 'quotient');
export const urem = division('unsigned', 'remainder');
export const srem = division('signed', 'remainder');

function bitwise(count: (bits: string) => number): Fold {
  return (type, [a]) => {
    if (a === undefined) return badOperands(type);
    const t = integer(type);
    return normal(t, count(BigInt(unsigned(t, a)).toString(2).padStart(bitsOf(t), '0')));
  };
}

const countOrAll = (bits: string, at: number): number => (at < 0 ? bits.length : at);
export const clz = bitwise((bits) => countOrAll(bits, bits.indexOf('1')));
export const ctz = bitwise((bits) => (bits.includes('1') ? bits.length - 1 - bits.lastIndexOf('1') : bits.length));
export const bswap: Fold = (type, [a]) => {
  if (a === undefined) return badOperands(type);
  const t = integer(type);
  let rest = BigInt(unsigned(t, a));
  let swapped = 0n;
  for (let done = 0; done < bitsOf(t); done += 8) {
    swapped = (swapped << 8n) | (rest & 0xffn);
    rest >>= 8n;
  }
  return normal(t, swapped);
};

export const zext: Fold = (type, [a], from) => (a === undefined ? badOperands(type) : normal(type, unsigned(integer(from), a)));
/** To a wider type by the sign, or to a narrower one. */
export const resize: Fold = (type, [a]) => (a === undefined ? badOperands(type) : normal(type, a));

export function compare(predicate: Predicate, type: Type, a: Constant, b: Constant): boolean {
  const isUnsigned = predicate.startsWith('u') && isInteger(type);
  const x = isUnsigned ? unsigned(integer(type), a) : a;
  const y = isUnsigned ? unsigned(integer(type), b) : b;
  switch (predicate) {
    case 'eq':
      return x === y;
    case 'ne':
      return x !== y;
    case 'slt':
    case 'ult':
    case 'lt':
      return x < y;
    case 'sle':
    case 'ule':
    case 'le':
      return x <= y;
    case 'sgt':
    case 'ugt':
    case 'gt':
      return x > y;
    case 'sge':
    case 'uge':
    case 'ge':
      return x >= y;
  }
}

/** Of integers and of f64. */
export const comparison: Fold = (type, [a, b], _from, predicate) =>
  a === undefined || b === undefined ? badOperands(type) : compare(predicate, type, a, b) ? 1 : 0;

export const select: Fold = (type, [condition, a, b]) => (condition === 0 ? b : a) ?? badOperands(type);

/** The bits of a NaN that an operation makes are not part of the IR's meaning; x86 makes this one from non-NaN operands. */
function float(compute: (a: number, b: number) => number): Fold {
  return (_type, [a, b]) => compute(Number(a), Number(b));
}

export const fadd = float((a, b) => a + b);
export const fsub = float((a, b) => a - b);
export const fmul = float((a, b) => a * b);
export const fdiv = float((a, b) => a / b);
export const fneg = float((a) => -a);
export const fabs = float((a) => Math.abs(a));
export const fsqrt = float((a) => Math.sqrt(a));

export const sitofp: Fold = (_type, [a]) => Number(a);
export const uitofp: Fold = (_type, [a], from) => (a === undefined ? badOperands('f64') : Number(unsigned(integer(from), a)));

/** CVTTSD2SI: towards zero; NaN and what does not fit gives the least value ("integer indefinite", SDM Vol. 1, 4.8.3.7). */
export const fptosi: Fold = (type, [a]) => {
  const bits = bitsOf(type);
  const value = Math.trunc(Number(a));
  const limit = 2 ** (bits - 1);
  if (!(value >= -limit && value < limit)) return normal(type, -(1n << BigInt(bits - 1)));
  return normal(type, BigInt(value));
};

/** Towards zero; below 2^63 as the signed conversion, from there on 2^63 more than that of `a` - 2^63. */
export const fptoui: Fold = (type, [a], from, predicate) => {
  const value = Number(a);
  if (!(value >= 2 ** 63)) return fptosi(type, [value], from, predicate);
  const rest = fptosi('i64', [value - 2 ** 63], from, predicate);
  return rest === null ? null : normal(type, BigInt(rest) ^ (1n << 63n));
};

const scratch = new DataView(new ArrayBuffer(8));

export const bitcast: Fold = (type, [a]) => {
  if (a === undefined) return badOperands(type);
  if (type === 'f64') {
    scratch.setBigInt64(0, BigInt(a));
    return scratch.getFloat64(0);
  }
  scratch.setFloat64(0, Number(a));
  return scratch.getBigInt64(0);
};
