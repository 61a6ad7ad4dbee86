/** Arithmetic, bits, comparisons: what operators mean on each pair of types, and on constants. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { BinaryOp, TrappingOp } from '../../ir/builder.ts';
import type { FloatPredicate, IntegerPredicate, Value } from '../../ir/function.ts';
import type { Fn, Range, Rv } from './context.ts';
import {
  BOOLEAN,
  F64,
  I32,
  I64,
  type IntegerType,
  isSmall,
  NULL,
  type Type,
  U32,
  U64,
  UNTYPED_BIGINT,
  UNTYPED_FLOAT,
  UNTYPED_NUMBER,
  unbranded,
} from './types.ts';
import {
  booleanRv,
  constantRv,
  fits,
  irInteger,
  isConstant,
  isPresent,
  rangeOf,
  resize,
  rv,
  second,
  shown,
  single,
  typeRange,
  wrapConstant,
} from './values.ts';

export type Operator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>' | '>>>';
export type Comparison = '===' | '!==' | '<' | '<=' | '>' | '>=';

const K = ts.SyntaxKind;
export const BINARY_OPERATORS: ReadonlyMap<ts.SyntaxKind, Operator> = new Map([
  [K.PlusToken, '+'],
  [K.MinusToken, '-'],
  [K.AsteriskToken, '*'],
  [K.SlashToken, '/'],
  [K.PercentToken, '%'],
  [K.AmpersandToken, '&'],
  [K.BarToken, '|'],
  [K.CaretToken, '^'],
  [K.LessThanLessThanToken, '<<'],
  [K.GreaterThanGreaterThanToken, '>>'],
  [K.GreaterThanGreaterThanGreaterThanToken, '>>>'],
] as [ts.SyntaxKind, Operator][]);

export const ASSIGNMENT_OPERATORS: ReadonlyMap<ts.SyntaxKind, Operator> = new Map([
  [K.PlusEqualsToken, '+'],
  [K.MinusEqualsToken, '-'],
  [K.AsteriskEqualsToken, '*'],
  [K.SlashEqualsToken, '/'],
  [K.PercentEqualsToken, '%'],
  [K.AmpersandEqualsToken, '&'],
  [K.BarEqualsToken, '|'],
  [K.CaretEqualsToken, '^'],
  [K.LessThanLessThanEqualsToken, '<<'],
  [K.GreaterThanGreaterThanEqualsToken, '>>'],
  [K.GreaterThanGreaterThanGreaterThanEqualsToken, '>>>'],
] as [ts.SyntaxKind, Operator][]);

export const COMPARISONS: ReadonlyMap<ts.SyntaxKind, Comparison> = new Map([
  [K.EqualsEqualsEqualsToken, '==='],
  [K.ExclamationEqualsEqualsToken, '!=='],
  [K.LessThanToken, '<'],
  [K.LessThanEqualsToken, '<='],
  [K.GreaterThanToken, '>'],
  [K.GreaterThanEqualsToken, '>='],
] as [ts.SyntaxKind, Comparison][]);

const isShift = (op: Operator): boolean => op === '<<' || op === '>>' || op === '>>>';
const isBitwise = (op: Operator): boolean => isShift(op) || op === '&' || op === '|' || op === '^';

/** The type in which small integers compute. */
export function promoted(type: IntegerType): IntegerType {
  return type.bits < 32 ? I32 : type;
}

function wrong(f: Fn, op: string, a: Rv, b: Rv, node: ts.Node): never {
  const x = unbranded(a.type);
  const y = unbranded(b.type);
  const small = (t: Type): boolean => isSmall(t) || t === UNTYPED_NUMBER;
  const wide = (t: Type): boolean => (t.kind === 'integer' && t.bits === 64) || t === UNTYPED_BIGINT;
  let help = 'see docs/bare-typescript.md, "Arithmetic"';
  if (x.kind === 'nullable' || y.kind === 'nullable') help = 'one may be null: test it first';
  else if (small(x) && small(y)) help = 'convert one: u32(…) or i32(…) trap if it does not fit';
  else if ((small(x) && wide(y)) || (wide(x) && small(y))) help = 'convert one: u64(x), or i32(x) which traps if it does not fit';
  else if (wide(x) && wide(y)) help = 'convert one: u64(…) or i64(…) trap if it does not fit';
  else if (x.kind === 'f64' || y.kind === 'f64') help = 'convert one: f64(x), or i32(x) which truncates';
  else if (x.kind === 'string' || y.kind === 'string') help = 'strings are not joined here: print the parts one by one';
  return f.fail(node, 'P1303', op, shown(a), shown(b), help);
}

/** `a op b`. */
export function binary(f: Fn, op: Operator, left: Rv, right: Rv, node: ts.Node): Rv {
  const a: Rv = left.type.kind === 'brand' ? { ...left, type: unbranded(left.type) } : left;
  const b: Rv = right.type.kind === 'brand' ? { ...right, type: unbranded(right.type) } : right;
  if (isConstant(a) && isConstant(b)) return foldBinary(f, op, a, b, node);
  if (f.wrap !== null && (op === '+' || op === '-' || op === '*' || (op === '<<' && is64(a)))) return wrapped(f, op, a, b, f.wrap, node);
  if (isBitwise(op) && isSmallLike(a) && isSmallLike(b)) return smallBits(f, op, a, b);
  const type = commonType(f, op, a, b, node);
  if (type.kind === 'f64') return float(f, op, a, b, node);
  if (type.bits < 64) return small(f, op, a, b, type, node);
  return wide(f, op, a, b, type, node);
}

const isSmallLike = (v: Rv): boolean => isSmall(v.type) || (v.type === UNTYPED_NUMBER && Number.isInteger(v.constant));
const is64 = (v: Rv): boolean => (v.type.kind === 'integer' && v.type.bits === 64) || v.type === UNTYPED_BIGINT;

/** The type in which both compute, or a diagnostic. */
function commonType(f: Fn, op: string, a: Rv, b: Rv, node: ts.Node): IntegerType | typeof F64 {
  const x = a.type;
  const y = b.type;
  if (x.kind === 'untyped') return constantMeets(a, y) ?? wrong(f, op, a, b, node);
  if (y.kind === 'untyped') return constantMeets(b, x) ?? wrong(f, op, a, b, node);
  if (x.kind === 'f64' && y.kind === 'f64') return F64;
  if (x.kind !== 'integer' || y.kind !== 'integer') return wrong(f, op, a, b, node);
  if (x.bits === 64 || y.bits === 64) return x === y ? x : wrong(f, op, a, b, node);
  const p = promoted(x);
  const q = promoted(y);
  if (p === q) return p;
  if (fits(rangeOf(a), U32) && fits(rangeOf(b), U32)) return U32;
  if (fits(rangeOf(a), I32) && fits(rangeOf(b), I32)) return I32;
  return wrong(f, op, a, b, node);
}

/** The type in which an untyped constant computes with a value of type `type`; null if it cannot. */
function constantMeets(constant: Rv, type: Type): IntegerType | typeof F64 | null {
  const c = constant.constant;
  if (type.kind === 'f64') return typeof c === 'number' ? F64 : null;
  if (type.kind !== 'integer' || (typeof c !== 'number' && typeof c !== 'bigint')) return null;
  if (typeof c === 'bigint') return type.bits === 64 && c >= type.least && c <= type.most ? type : null;
  if (type.bits === 64 || constant.type === UNTYPED_FLOAT || !Number.isInteger(c)) return null;
  const range = { low: c, high: c };
  const p = promoted(type);
  if (fits(range, p)) return p;
  return !type.signed && fits(range, U32) ? U32 : null;
}

function span(values: readonly number[]): Range {
  return { low: Math.min(...values), high: Math.max(...values) };
}

function small(f: Fn, op: Operator, a: Rv, b: Rv, type: IntegerType, node: ts.Node): Rv {
  const x = rangeOf(a);
  const y = rangeOf(b);
  const left = resize(f, a, type);
  const right = resize(f, b, type);
  const all = typeRange(type);
  const checked = (range: Range, plain: BinaryOp, signed: TrappingOp, unsigned: TrappingOp): Rv => {
    const isSafe = range.low >= all.low && range.high <= all.high;
    const cut = { low: Math.max(range.low, all.low), high: Math.min(range.high, all.high) };
    return rv(type, [f.b.binary(isSafe ? plain : type.signed ? signed : unsigned, left, right)], cut.low <= cut.high ? { range: cut } : {});
  };
  switch (op) {
    case '+':
      return checked({ low: x.low + y.low, high: x.high + y.high }, 'add', 'sadd', 'uadd');
    case '-':
      return checked({ low: x.low - y.high, high: x.high - y.low }, 'sub', 'ssub', 'usub');
    case '*':
      return checked(span([x.low * y.low, x.low * y.high, x.high * y.low, x.high * y.high]), 'mul', 'smul', 'umul');
    case '%': {
      const most = Math.max(Math.abs(y.low), Math.abs(y.high)) - 1;
      const range = { low: x.low < 0 ? Math.max(x.low, -most) : 0, high: x.high > 0 ? Math.min(x.high, most) : 0 };
      return rv(type, [f.b.binary(type.signed ? 'srem' : 'urem', left, right)], { range });
    }
    case '/':
      return f.fail(node, 'P1304', '/', type.key, 'write div(a, b), which truncates');
    default:
      return bug(op);
  }
}

/** `div(a, b)`. */
export function divide(f: Fn, a: Rv, b: Rv, node: ts.Node): Rv {
  const x: Rv = { ...a, type: unbranded(a.type) };
  const y: Rv = { ...b, type: unbranded(b.type) };
  if (isConstant(x) && isConstant(y) && isSmallLike(x) && isSmallLike(y)) {
    if (y.constant === 0) return f.fail(node, 'P1306', 'division by zero');
    return keep(f, x, y, Math.trunc(Number(x.constant) / Number(y.constant)) + 0, node);
  }
  if (!isSmallLike(x) || !isSmallLike(y)) return wrong(f, 'div', x, y, node);
  const type = commonType(f, 'div', x, y, node);
  if (type.kind === 'f64') return wrong(f, 'div', x, y, node);
  const r = rangeOf(x);
  const least = rangeOf(y).low;
  const range = least > 0 ? span([Math.trunc(r.low / least), Math.trunc(r.high / least), 0]) : undefined;
  const value = f.b.binary(type.signed ? 'sdiv' : 'udiv', resize(f, x, type), resize(f, y, type));
  return rv(type, [value], range === undefined ? {} : { range });
}

function wide(f: Fn, op: Operator, a: Rv, b: Rv, type: IntegerType, node: ts.Node): Rv {
  const left = resize(f, a, type);
  const right = resize(f, b, type);
  const plain = (o: BinaryOp | TrappingOp): Rv => rv(type, [f.b.binary(o, left, right)]);
  switch (op) {
    case '+':
      return plain(type.signed ? 'sadd' : 'uadd');
    case '-':
      return plain(type.signed ? 'ssub' : 'usub');
    case '*':
      return plain(type.signed ? 'smul' : 'umul');
    case '/':
      return plain(type.signed ? 'sdiv' : 'udiv');
    case '%':
      return plain(type.signed ? 'srem' : 'urem');
    case '&':
      return plain('and');
    case '|':
      return plain('or');
    case '^':
      return plain('xor');
    case '>>':
      return rv(type, [shiftRight(f, left, right, type, b)]);
    case '<<':
      return rv(type, [shiftLeft(f, left, right, type, b)]);
    case '>>>':
      return f.fail(node, 'P1304', '>>>', type.key, 'JavaScript has none for bigints: use >> on a u64');
  }
}

function shiftRight(f: Fn, left: Value, right: Value, type: IntegerType, count: Rv): Value {
  const { b } = f;
  const shifted = b.binary(type.signed ? 'ashr' : 'lshr', left, right);
  if (typeof count.constant === 'bigint' && count.constant >= 0n && count.constant < 64n) return shifted;
  const isIn = b.icmp('ult', right, f.const64(64));
  return b.select(isIn, shifted, type.signed ? b.binary('ashr', left, f.const64(63)) : f.const64(0));
}

function shiftLeft(f: Fn, left: Value, right: Value, type: IntegerType, count: Rv): Value {
  const { b } = f;
  if (!(typeof count.constant === 'bigint' && count.constant >= 0n && count.constant < 64n))
    b.trapIf(b.icmp('uge', right, f.const64(64)), 'shift');
  const shifted = b.binary('shl', left, right);
  b.trapIf(b.icmp('ne', b.binary(type.signed ? 'ashr' : 'lshr', shifted, right), left), 'shift');
  return shifted;
}

function float(f: Fn, op: Operator, a: Rv, b: Rv, node: ts.Node): Rv {
  const ops: Partial<Record<Operator, BinaryOp>> = { '+': 'fadd', '-': 'fsub', '*': 'fmul', '/': 'fdiv' };
  const o = ops[op];
  if (o === undefined) return f.fail(node, 'P1304', op, 'f64', 'convert with i32(…) or i64(…), which truncate');
  return rv(F64, [f.b.binary(o, floatValue(f, a), floatValue(f, b))]);
}

function floatValue(f: Fn, value: Rv): Value {
  return typeof value.constant === 'number' ? f.b.const('f64', value.constant) : single(f, value);
}

/** JavaScript's bitwise operators: both sides as i32. */
function smallBits(f: Fn, op: Operator, a: Rv, b: Rv): Rv {
  const left = resize(f, a, I32);
  const right = resize(f, b, I32);
  const x = rangeOf(a);
  const y = rangeOf(b);
  const bothPositive = x.low >= 0 && y.low >= 0 && x.high <= 0x7fff_ffff && y.high <= 0x7fff_ffff;
  const count = typeof b.constant === 'number' ? b.constant & 31 : null;
  switch (op) {
    case '&': {
      // A mask that is not negative limits the result, whatever the other is.
      const limits = [x, y].filter((r) => r.low >= 0 && r.high <= 0x7fff_ffff).map((r) => r.high);
      return rv(I32, [f.b.binary('and', left, right)], limits.length === 0 ? {} : { range: { low: 0, high: Math.min(...limits) } });
    }
    case '|':
    case '^': {
      const high = 2 ** (32 - Math.clz32(Math.max(x.high, y.high))) - 1;
      return rv(I32, [f.b.binary(op === '|' ? 'or' : 'xor', left, right)], bothPositive ? { range: { low: 0, high } } : {});
    }
    case '<<': {
      const high = count === null ? Number.POSITIVE_INFINITY : x.high * 2 ** count;
      return rv(I32, [f.b.binary('shl', left, right)], x.low >= 0 && high <= 0x7fff_ffff ? { range: { low: 0, high } } : {});
    }
    case '>>': {
      const positive = x.low >= 0 && x.high <= 0x7fff_ffff;
      const range = positive ? { low: 0, high: count === null ? x.high : Math.floor(x.high / 2 ** count) } : typeRange(I32);
      return rv(I32, [f.b.binary('ashr', left, right)], { range });
    }
    case '>>>': {
      const most = x.low >= 0 ? x.high : 0xffff_ffff;
      return rv(U32, [f.b.binary('lshr', left, right)], { range: { low: 0, high: count === null ? most : Math.floor(most / 2 ** count) } });
    }
    default:
      return bug(op);
  }
}

/** Modulo 2^bits of `to`: leaves are cut or extended to it first. */
function wrapped(f: Fn, op: Operator, a: Rv, b: Rv, to: IntegerType, node: ts.Node): Rv {
  const isInteger = (v: Rv): boolean => v.type.kind === 'integer' || (v.type.kind === 'untyped' && v.type !== UNTYPED_FLOAT);
  const isMixed = is64(a) !== is64(b) && a.isWrapped !== true && b.isWrapped !== true;
  if (!isInteger(a) || !isInteger(b) || isMixed) return wrong(f, op, a, b, node);
  const left = resize(f, a, to);
  if (op === '<<') {
    const count = resize(f, b, U64);
    const shifted = f.b.binary('shl', left, f.b.resize(irInteger(to), count, false));
    const zero = f.b.const(irInteger(to), 0);
    return modulo(to, f.b.select(f.b.icmp('ult', count, f.const64(to.bits)), shifted, zero));
  }
  const ops: Partial<Record<Operator, BinaryOp>> = { '+': 'add', '-': 'sub', '*': 'mul' };
  return modulo(to, f.b.binary(ops[op] ?? bug(op), left, resize(f, b, to)));
}

function modulo(type: IntegerType, value: Value): Rv {
  return { ...rv(type, [value]), isWrapped: true };
}

/** `-x`, `~x`, `+x`. */
export function unary(f: Fn, op: '-' | '~', operand: Rv, node: ts.Node): Rv {
  const value: Rv = operand.type.kind === 'brand' ? { ...operand, type: unbranded(operand.type) } : operand;
  const { type, constant } = value;
  if (typeof constant === 'number' || typeof constant === 'bigint') {
    if (op === '~') return typeof constant === 'bigint' ? foldTo(f, type, ~constant, node) : foldTo(f, bitType(type), ~constant, node);
    return foldTo(
      f,
      type,
      typeof constant === 'bigint' ? -constant : type.kind === 'f64' || type === UNTYPED_FLOAT ? -constant : 0 - constant,
      node,
    );
  }
  if (type.kind === 'f64' && op === '-') return rv(F64, [f.b.unary('fneg', single(f, value))]);
  if (type.kind !== 'integer') return f.fail(node, 'P1304', op, shown(value), 'it is for numbers and bigints');
  if (op === '~') {
    if (type.bits < 64) return rv(I32, [f.b.not(resize(f, value, I32))]);
    if (f.wrap !== null) return modulo(f.wrap, f.b.not(resize(f, value, f.wrap)));
    if (!type.signed) return f.fail(node, 'P1304', '~', 'u64', 'in JavaScript it is negative: write wrapping.not(x) or wrapping.u64(~x)');
    return rv(type, [f.b.not(single(f, value))]);
  }
  if (f.wrap !== null) return modulo(f.wrap, f.b.neg(resize(f, value, f.wrap)));
  const to = promoted(type);
  const range = type.bits < 64 ? rangeOf(value) : null;
  if (!to.signed) {
    return f.fail(node, 'P1304', '-', type.key, `write wrapping.neg(x), or convert to ${type.bits === 64 ? 'i64' : 'i32'} first`);
  }
  const part = resize(f, value, to);
  if (range !== null && range.low > -0x8000_0000) return rv(to, [f.b.neg(part)], { range: { low: 0 - range.high, high: 0 - range.low } });
  return rv(to, [f.b.binary('ssub', f.b.const(irInteger(to), 0), part)]);
}

const bitType = (type: Type): Type => (type.kind === 'untyped' ? UNTYPED_NUMBER : I32);

/** A constant result in a type; a diagnostic where the operation would trap. */
function foldTo(f: Fn, type: Type, value: number | bigint, node: ts.Node): Rv {
  if (f.wrap !== null && type.kind !== 'f64' && type !== UNTYPED_FLOAT) {
    return type.kind === 'integer' ? constantRv(type, wrapConstant(value, type)) : constantRv(type, value);
  }
  if (type.kind === 'integer') {
    const exact = BigInt(value);
    const to = promoted(type);
    if (exact < to.least || exact > to.most) f.fail(node, 'P1306', `${value} does not fit ${to.key}`);
    return constantRv(to, value);
  }
  return constantRv(type, value);
}

/** The type of arithmetic on two constants. */
function keep(f: Fn, a: Rv, b: Rv, value: number | bigint, node: ts.Node): Rv {
  const type =
    a.type.kind !== 'untyped' && b.type.kind !== 'untyped'
      ? commonType(f, 'constants', a, b, node)
      : a.type.kind !== 'untyped'
        ? a.type
        : b.type;
  return foldTo(f, type, value, node);
}

function foldBinary(f: Fn, op: Operator, a: Rv, b: Rv, node: ts.Node): Rv {
  const x = a.constant;
  const y = b.constant;
  if (typeof x === 'string' && typeof y === 'string' && op === '+') return constantRv(a.type, x + y);
  if (typeof x === 'bigint' && typeof y === 'bigint') {
    if ((op === '/' || op === '%') && y === 0n) return f.fail(node, 'P1306', 'division by zero');
    if (op === '<<' && y >= 64n) return f.fail(node, 'P1306', 'bits are lost');
    if (op === '>>>') return wrong(f, op, a, b, node);
    const results = {
      '+': () => x + y,
      '-': () => x - y,
      '*': () => x * y,
      '/': () => x / y,
      '%': () => x % y,
      '&': () => x & y,
      '|': () => x | y,
    };
    const more = { '^': () => x ^ y, '<<': () => x << y, '>>': () => x >> y };
    return keep(f, a, b, { ...results, ...more }[op](), node);
  }
  if (typeof x !== 'number' || typeof y !== 'number') return wrong(f, op, a, b, node);
  const isFloat = a.type.kind === 'f64' || b.type.kind === 'f64' || a.type === UNTYPED_FLOAT || b.type === UNTYPED_FLOAT;
  if (isBitwise(op)) {
    if (isFloat) return wrong(f, op, a, b, node);
    const result = { '&': x & y, '|': x | y, '^': x ^ y, '<<': x << y, '>>': x >> y, '>>>': x >>> y }[op as '&'];
    const typed = a.type.kind !== 'untyped' || b.type.kind !== 'untyped';
    return constantRv(typed ? (op === '>>>' ? U32 : I32) : UNTYPED_NUMBER, result);
  }
  if (isFloat) {
    if (op === '%') return wrong(f, op, a, b, node);
    const type = a.type.kind === 'f64' || b.type.kind === 'f64' ? F64 : UNTYPED_FLOAT;
    return constantRv(type, op === '+' ? x + y : op === '-' ? x - y : op === '*' ? x * y : x / y);
  }
  if (op === '/') {
    // Of two literals JavaScript gives a fraction: only a whole result, or one of f64, is meant here.
    if (a.type.kind === 'untyped' && b.type.kind === 'untyped' && y !== 0)
      return constantRv(Number.isInteger(x / y) ? UNTYPED_NUMBER : UNTYPED_FLOAT, x / y);
    return f.fail(node, 'P1304', '/', shown(a), 'write div(a, b), which truncates');
  }
  if (op === '%') return y === 0 ? f.fail(node, 'P1306', 'division by zero') : keep(f, a, b, (x % y) + 0, node);
  return keep(f, a, b, op === '+' ? x + y : op === '-' ? x - y : x * y, node);
}

const SIGNED: Record<Comparison, IntegerPredicate> = { '===': 'eq', '!==': 'ne', '<': 'slt', '<=': 'sle', '>': 'sgt', '>=': 'sge' };
const UNSIGNED: Record<Comparison, IntegerPredicate> = { '===': 'eq', '!==': 'ne', '<': 'ult', '<=': 'ule', '>': 'ugt', '>=': 'uge' };
const FLOAT: Record<Comparison, FloatPredicate> = { '===': 'eq', '!==': 'ne', '<': 'lt', '<=': 'le', '>': 'gt', '>=': 'ge' };

/** `a op b` on anything but strings, which `expressions` compares through the library. */
export function compare(f: Fn, op: Comparison, left: Rv, right: Rv, node: ts.Node): Rv {
  const a = beside({ ...left, type: unbranded(left.type) }, right);
  const b = beside({ ...right, type: unbranded(right.type) }, left);
  const x = a.type;
  const y = b.type;
  const isEquality = op === '===' || op === '!==';
  if (isConstant(a) && isConstant(b)) return foldCompare(f, op, a, b, node);
  if (isSmallLike(a) && isSmallLike(b)) return smallCompare(f, op, a, b);
  if (is64(a) && is64(b)) {
    const type = commonType(f, op, a, b, node);
    if (type.kind === 'f64') return bug('bigints');
    return booleanRv(f.b.icmp((type.signed ? SIGNED : UNSIGNED)[op], resize(f, a, type), resize(f, b, type)));
  }
  const isFloatLike = (v: Rv): boolean => v.type.kind === 'f64' || (v.type.kind === 'untyped' && typeof v.constant === 'number');
  if (isFloatLike(a) && isFloatLike(b)) return booleanRv(f.b.fcmp(FLOAT[op], floatValue(f, a), floatValue(f, b)));
  if (isEquality) {
    if (x.kind === 'boolean' && y.kind === 'boolean') return booleanRv(f.b.icmp(SIGNED[op], single(f, a), single(f, b)));
    if (x === NULL || y === NULL) {
      const other = x === NULL ? b : a;
      if (other.type.kind !== 'nullable' && other.type !== NULL) {
        // A narrowed one is known not to be null; anything else cannot be.
        if (other.path === null) f.report(node, 'P1403', other.type.key);
        return constantRv(BOOLEAN, op === '!==');
      }
      const present = isPresent(f, other);
      return booleanRv(op === '!==' ? present : f.b.icmp('eq', present, f.b.const('i8', 0)));
    }
    const sameReference = references(x, y);
    if (sameReference) {
      const equal = f.b.icmp(SIGNED[op], single(f, a), single(f, b));
      if (sameReference === 'address') return booleanRv(equal);
      const lengths = f.b.icmp(SIGNED[op], second(f, a), second(f, b));
      return booleanRv(f.b.binary(op === '===' ? 'and' : 'or', equal, lengths));
    }
    const number = nullableNumber(f, op, a, b, node) ?? nullableNumber(f, op, b, a, node);
    if (number !== null) return number;
  }
  return wrong(f, op, a, b, node);
}

/** A whole number that is compared with a bigint, as JavaScript allows: a bigint too. */
function beside(value: Rv, other: Rv): Rv {
  const { constant } = value;
  if (value.type !== UNTYPED_NUMBER || typeof constant !== 'number' || !Number.isInteger(constant)) return value;
  return is64({ ...other, type: unbranded(other.type) }) ? constantRv(UNTYPED_BIGINT, BigInt(constant)) : value;
}

/** `x === 5` where x is `u32 | null`. */
function nullableNumber(f: Fn, op: Comparison, a: Rv, b: Rv, node: ts.Node): Rv | null {
  if (a.type.kind !== 'nullable' || a.parts === null || a.parts.length !== 2 || b.type.kind === 'nullable') return null;
  const inner = unbranded(a.type.of);
  if (inner.kind !== 'integer' && inner.kind !== 'f64' && inner.kind !== 'boolean') return null;
  const value = single(f, compare(f, '===', rv(inner, a.parts.slice(0, 1)), b, node));
  const equal = f.b.binary('and', value, second(f, a));
  return booleanRv(op === '===' ? equal : f.b.icmp('eq', equal, f.b.const('i8', 0)));
}

function references(x: Type, y: Type): 'address' | 'slice' | null {
  const a = x.kind === 'nullable' ? unbranded(x.of) : x;
  const b = y.kind === 'nullable' ? unbranded(y.of) : y;
  if (a !== b) return null;
  return a.kind === 'class' || a.kind === 'function' ? 'address' : a.kind === 'slice' ? 'slice' : null;
}

function smallCompare(f: Fn, op: Comparison, a: Rv, b: Rv): Rv {
  const x = rangeOf(a);
  const y = rangeOf(b);
  const type = fits(x, I32) && fits(y, I32) ? I32 : fits(x, U32) && fits(y, U32) ? U32 : I64;
  return booleanRv(f.b.icmp((type.signed ? SIGNED : UNSIGNED)[op], resize(f, a, type), resize(f, b, type)));
}

function foldCompare(f: Fn, op: Comparison, a: Rv, b: Rv, node: ts.Node): Rv {
  const x = a.constant ?? 0;
  const y = b.constant ?? 0;
  if (typeof x !== typeof y) return wrong(f, op, a, b, node);
  const results = { '===': x === y, '!==': x !== y, '<': x < y, '<=': x <= y, '>': x > y, '>=': x >= y };
  return constantRv(BOOLEAN, results[op]);
}
