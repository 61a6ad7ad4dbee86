/** Rvalues: making them, turning constants into IR values, implicit and explicit conversions, loading from and storing to memory. */

import ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Value } from '../../ir/function.ts';
import type { IntegerType as IrInteger } from '../../ir/types.ts';
import type { Constant, Fn, Range, Rv } from './context.ts';
import { type Origin, STATIC } from './escape.ts';
import { Reported } from './problems.ts';
import {
  BOOLEAN,
  type ClassType,
  F64,
  I32,
  I64,
  type IntegerType,
  irBytes,
  isReference,
  isSmall,
  NEVER,
  NULL,
  partsOf,
  STRING,
  type Type,
  U32,
  U64,
  unbranded,
  VOID,
} from './types.ts';

export const VOID_RV: Rv = { type: VOID, parts: [], origin: STATIC, path: null };
export const NEVER_RV: Rv = { type: NEVER, parts: [], origin: STATIC, path: null };
export const NULL_RV: Rv = { type: NULL, parts: null, origin: STATIC, path: null };

export function rv(type: Type, parts: readonly Value[], more: Partial<Pick<Rv, 'range' | 'origin' | 'path' | 'isFresh'>> = {}): Rv {
  return { type, parts, origin: STATIC, path: null, ...more };
}

export function constantRv(type: Type, constant: Constant): Rv {
  return { type, parts: null, constant, origin: STATIC, path: null };
}

export function booleanRv(value: Value): Rv {
  return { type: BOOLEAN, parts: [value], origin: STATIC, path: null };
}

export function isConstant(value: Rv): boolean {
  return value.constant !== undefined;
}

/** The IR integer type of an integer. */
export function irInteger(type: IntegerType): IrInteger {
  return type.bits === 8 ? 'i8' : type.bits === 16 ? 'i16' : type.bits === 32 ? 'i32' : 'i64';
}

/** The IR parts of an rvalue. */
export function materialise(f: Fn, value: Rv): readonly Value[] {
  if (value.parts !== null) return value.parts;
  const { b } = f;
  const type = unbranded(value.type);
  if (value.fixed !== undefined) {
    const address = b.symbol(value.fixed.symbol, value.fixed.offset);
    return value.fixed.length === null ? [address] : [address, f.const64(value.fixed.length)];
  }
  const { constant } = value;
  if (type === NULL) return [f.const64(0)];
  if (constant === undefined) return bug(`a value of type ${type.key} without parts`);
  if (typeof constant === 'string') {
    const { symbol, length } = f.program.text(constant);
    return [b.symbol(symbol), f.const64(length)];
  }
  if (type.kind === 'integer') return [b.const(irInteger(type), typeof constant === 'bigint' ? constant : Number(constant))];
  if (type.kind === 'f64') return [b.const('f64', Number(constant))];
  if (type.kind === 'boolean') return [b.const('i8', constant === true ? 1 : 0)];
  if (type.kind === 'untyped') return materialise(f, { ...value, type: type.key === 'bigint' ? U64 : type.key === 'float' ? F64 : I32 });
  return bug(`a constant of type ${type.key}`);
}

export function single(f: Fn, value: Rv): Value {
  return materialise(f, value)[0] ?? bug(`a value of type ${value.type.key} has no parts`);
}

export function second(f: Fn, value: Rv): Value {
  return materialise(f, value)[1] ?? bug(`a value of type ${value.type.key} has one part`);
}

/** The same value with its parts made, so that it can be used several times. */
export function made(f: Fn, value: Rv): Rv {
  return value.parts === null ? { ...value, parts: materialise(f, value) } : value;
}

/** With a type of its own if it was untyped. */
export function settle(f: Fn, value: Rv, node: ts.Node): Rv {
  if (value.type.kind !== 'untyped') return value;
  if (value.type.key === 'float') return { ...value, type: F64 };
  if (value.type.key === 'bigint') {
    const v = value.constant;
    return convert(f, value, typeof v === 'bigint' && v < 0n ? I64 : U64, node);
  }
  const v = Number(value.constant);
  const type = v >= -0x8000_0000 && v <= 0x7fff_ffff ? I32 : v >= 0 && v <= 0xffff_ffff ? U32 : F64;
  return { ...value, type };
}

/** What a small integer can be here. */
export function rangeOf(value: Rv): Range {
  if (typeof value.constant === 'number') return { low: value.constant, high: value.constant };
  if (value.range !== undefined) return value.range;
  const type = unbranded(value.type);
  if (type.kind === 'boolean') return { low: 0, high: 1 };
  return isSmall(type) ? typeRange(type) : bug(`no range of ${type.key}`);
}

const RANGES = new Map<string, Range>();
for (const bits of [8, 16, 32]) {
  RANGES.set(`u${bits}`, { low: 0, high: 2 ** bits - 1 });
  RANGES.set(`i${bits}`, { low: -(2 ** (bits - 1)), high: 2 ** (bits - 1) - 1 });
}

export function typeRange(type: IntegerType): Range {
  return RANGES.get(type.key) ?? bug(`no range of ${type.key}`);
}

export function fits(range: Range, type: IntegerType): boolean {
  const all = typeRange(type);
  return range.low >= all.low && range.high <= all.high;
}

/** A small or 64-bit integer value in another width, by the sign of what it was. */
export function resize(f: Fn, value: Rv, to: IntegerType): Value {
  const type = unbranded(value.type);
  if (typeof value.constant === 'number' || typeof value.constant === 'bigint') {
    return f.b.const(irInteger(to), to.bits === 64 ? BigInt(value.constant) : wrapConstant(value.constant, to));
  }
  const part = single(f, value);
  if (type.kind === 'boolean') return f.b.resize(irInteger(to), part, false);
  if (type.kind !== 'integer') return bug(`resize of ${type.key}`);
  return f.b.resize(irInteger(to), part, type.signed);
}

export function wrapConstant(value: number | bigint, to: IntegerType): number | bigint {
  const exact = typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
  const cut = to.signed ? BigInt.asIntN(to.bits, exact) : BigInt.asUintN(to.bits, exact);
  return to.bits === 64 ? cut : Number(cut);
}

/** What a diagnostic calls the type. */
export function shown(value: Rv): string {
  const { type, constant } = value;
  if (type.kind !== 'untyped') return type.key;
  return `the constant ${String(constant)}${type.key === 'bigint' ? 'n' : ''}`;
}

function conversionHelp(from: Type, to: Type): string {
  const source = unbranded(from);
  if (to.kind === 'brand') return `make it with \`as ${to.key}\` in the module that declares it, behind a check`;
  const isNumber = (t: Type): boolean => t.kind === 'integer' || t.kind === 'f64' || t.kind === 'untyped';
  if (isNumber(source) && to.kind === 'integer')
    return `convert it: ${to.key}(…) traps if it does not fit, wrapping.${to.key}(…) truncates`;
  if (isNumber(source) && to.kind === 'f64') return 'convert it: f64(…)';
  if (to.kind === 'boolean' && isNumber(source)) return 'compare it: `x !== 0`';
  return 'mend the type, or the value';
}

function mismatch(f: Fn, value: Rv, to: Type, node: ts.Node): never {
  return f.fail(node, 'P1302', shown(value), to.key, conversionHelp(value.type, to));
}

/** The implicit conversion to the type that is wanted. */
export function convert(f: Fn, value: Rv, to: Type, node: ts.Node): Rv {
  const from = value.type;
  if (from === to) return value;
  if (from.kind === 'error' || to.kind === 'error') throw new Reported('P1302');
  if (from === NEVER) return zeroOf(f, to);
  if (to.kind === 'nullable') return toNullable(f, value, to.of, to, node);
  if (to.kind === 'brand') return mismatch(f, value, to, node);
  if (from.kind === 'brand') return convert(f, { ...value, type: from.base }, to, node);
  if (from.kind === 'nullable') {
    const inner = unbranded(from.of);
    if (inner === to || inner.kind === to.kind) return f.fail(node, 'P1401');
    return mismatch(f, value, to, node);
  }
  if (from === NULL) return f.fail(node, 'P1302', 'null', to.key, 'the type must say `| null`');
  if (to.kind === 'literal') return convert(f, value, STRING, node);
  if (from.kind === 'literal') return convert(f, { ...value, type: STRING }, to, node);
  if (to.kind === 'integer') {
    if (typeof value.constant === 'number' || typeof value.constant === 'bigint')
      return convertConstant(f, value, value.constant, to, node);
    if (isSmall(from) && isSmall(to) && fits(rangeOf(value), to)) {
      return rv(to, [resize(f, value, to)], { range: rangeOf(value) });
    }
    return mismatch(f, value, to, node);
  }
  if (to.kind === 'f64') {
    if (typeof value.constant === 'number' && from.kind === 'untyped') return { ...value, type: F64 };
    return mismatch(f, value, to, node);
  }
  if (from.kind === 'slice' && to.kind === 'slice' && from.element === to.element && (to.readonly || !from.readonly)) {
    if (from.typedArray === to.typedArray) return { ...value, type: to };
  }
  if (from.kind === 'class' && to.kind === 'class' && isLaidOutAs(f, from, to)) return { ...value, type: to };
  if (from.kind === 'function' && to.kind === 'function') {
    const same = from.result === to.result && from.params.length <= to.params.length && from.params.every((t, i) => t === to.params[i]);
    // Arguments more than it takes stand in registers that it does not look at: only where they are all single registers.
    if (same && to.params.every((t) => partsOf(t).length === 1 && t.kind !== 'f64') && to.params.length <= 6) {
      f.program.noteFunctionConversion(from, to);
      return { ...value, type: to };
    }
  }
  return mismatch(f, value, to, node);
}

function convertConstant(f: Fn, value: Rv, constant: number | bigint, to: IntegerType, node: ts.Node): Rv {
  if ((typeof constant === 'bigint') !== (to.bits === 64)) return mismatch(f, value, to, node);
  if (typeof constant === 'number' && !Number.isInteger(constant)) return mismatch(f, value, to, node);
  const exact = BigInt(constant);
  if (value.type.kind === 'integer' && value.type.bits === 64 && value.type !== to) return mismatch(f, value, to, node);
  if (exact < to.least || exact > to.most) return f.fail(node, 'P1301', String(constant), to.key, `${to.least} … ${to.most}`);
  return constantRv(to, constant);
}

/** Fields of an interface may be read from an object whose class has them at the same places. */
function isLaidOutAs(f: Fn, from: ClassType, to: ClassType): boolean {
  if (ts.isClassDeclaration(to.node)) return false;
  const target = f.rules.shapeOf(f.program, to);
  if (target.isBound) return false;
  const source = f.rules.shapeOf(f.program, from);
  for (const field of target.fields.values()) {
    const own = source.fields.get(field.name);
    if (own === undefined || own.offset !== field.offset || own.type !== field.type || own.isPrivate) return false;
  }
  return true;
}

function toNullable(f: Fn, value: Rv, of: Type, to: Type, node: ts.Node): Rv {
  if (value.type === NULL) return { ...zeroOf(f, to), path: null };
  if (value.type.kind === 'nullable') {
    if (isReference(of) && isReference(value.type.of)) return { ...convert(f, { ...value, type: value.type.of }, of, node), type: to };
    return mismatch(f, value, to, node);
  }
  const inner = convert(f, value, of, node);
  if (isReference(of)) return { ...inner, type: to };
  return rv(to, [...materialise(f, inner), f.b.const('i8', 1)], { origin: inner.origin });
}

/** All zero bytes: null, 0, false. */
export function zeroOf(f: Fn, type: Type): Rv {
  return rv(
    type,
    partsOf(type).map((t) => f.b.const(t, 0)),
  );
}

/** The inner value of a `T | null` that is known not to be null. */
export function stripNull(value: Rv): Rv {
  if (value.type.kind !== 'nullable') return value;
  const { of } = value.type;
  if (isReference(of) || value.parts === null) return { ...value, type: of };
  return { ...value, type: of, parts: value.parts.slice(0, 1) };
}

/** 1 if a `T | null` is not null. */
export function isPresent(f: Fn, value: Rv): Value {
  const { type } = value;
  if (type === NULL) return f.b.const('i8', 0);
  if (type.kind !== 'nullable') return f.b.const('i8', 1);
  if (isReference(type.of)) return f.b.icmp('ne', single(f, value), f.const64(0));
  return second(f, value);
}

/** `u8(x)`: the value if it fits, else a trap. */
export function toIntegerChecked(f: Fn, value: Rv, to: IntegerType, node: ts.Node): Rv {
  const from = unbranded(value.type);
  const { constant } = value;
  if (typeof constant === 'number' || typeof constant === 'bigint') {
    const exact = typeof constant === 'bigint' ? constant : Number.isFinite(constant) ? BigInt(Math.trunc(constant)) : to.most + 1n;
    if (exact < to.least || exact > to.most) f.fail(node, 'P1301', String(constant), to.key, `${to.least} … ${to.most}`);
    return constantRv(to, to.bits === 64 ? exact : Number(exact));
  }
  if (typeof constant === 'boolean') return constantRv(to, to.bits === 64 ? BigInt(constant) : Number(constant));
  if (from.kind === 'boolean') return rv(to, [resize(f, value, to)], to.bits < 64 ? { range: { low: 0, high: 1 } } : {});
  if (from.kind === 'f64') return rv(to, [floatToInteger(f, single(f, value), to)]);
  if (from.kind !== 'integer') return f.fail(node, 'P1304', to.key, shown(value), 'it converts numbers, bigints and booleans');
  if (from === to) return { ...value, type: to };
  if (from.bits < 64) {
    const range = rangeOf(value);
    const cut = to.bits === 64 ? { low: to.signed ? -(2 ** 62) : 0, high: 2 ** 62 } : typeRange(to);
    const low = Math.max(range.low, cut.low);
    const high = Math.min(range.high, cut.high);
    if (low > range.low || high < range.high) checkRange(f, single(f, value), from, BigInt(low), BigInt(high));
    return rv(to, [resize(f, value, to)], to.bits < 64 && low <= high ? { range: { low, high } } : {});
  }
  const least = larger(from.least, to.least);
  const most = -larger(-from.most, -to.most);
  if (least > from.least || most < from.most) checkRange(f, single(f, value), from, least, most);
  return rv(to, [resize(f, value, to)]);
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** Traps unless least ≤ value ≤ most; both lie within the value's type. */
function checkRange(f: Fn, value: Value, type: IntegerType, least: bigint, most: bigint): void {
  const { b } = f;
  const ir = irInteger(type);
  const number = (n: bigint): Value => b.const(ir, ir === 'i64' ? n : Number(n));
  if (least > most) return b.trapIf(b.const('i8', 1), 'conversion');
  const isOut =
    least === type.least && type.signed
      ? b.icmp('sgt', value, number(most))
      : most === type.most && type.signed
        ? b.icmp('slt', value, number(least))
        : b.icmp('ugt', least === 0n ? value : b.binary('sub', value, number(least)), number(most - least));
  b.trapIf(isOut, 'conversion');
}

function floatToInteger(f: Fn, value: Value, to: IntegerType): Value {
  const { b } = f;
  const float = (n: number): Value => b.const('f64', n);
  // Both limits are exact doubles; what lies between them truncates into the type.
  const isAbove = to.bits === 64 && to.signed ? b.fcmp('ge', value, float(-(2 ** 63))) : b.fcmp('gt', value, float(Number(to.least) - 1));
  const isBelow = b.fcmp('lt', value, float(Number(to.most + 1n)));
  b.trapIf(b.icmp('eq', b.binary('and', isAbove, isBelow), b.const('i8', 0)), 'conversion');
  if (to === U64 || (to.bits === 64 && !to.signed)) return b.convert('fptoui', 'i64', value);
  return b.resize(irInteger(to), b.convert('fptosi', 'i64', value), true);
}

/** `f64(x)`. */
export function toFloat(f: Fn, value: Rv, node: ts.Node): Rv {
  const type = unbranded(value.type);
  const { constant } = value;
  if (typeof constant === 'number' || typeof constant === 'bigint' || typeof constant === 'boolean')
    return constantRv(F64, Number(constant));
  if (type.kind === 'f64') return { ...value, type };
  if (type.kind === 'boolean') return rv(F64, [f.b.convert('sitofp', 'f64', f.b.resize('i32', single(f, value), false))]);
  if (type.kind !== 'integer') return f.fail(node, 'P1304', 'f64', shown(value), 'it converts numbers, bigints and booleans');
  if (type.bits === 64) return rv(F64, [f.b.convert(type.signed ? 'sitofp' : 'uitofp', 'f64', single(f, value))]);
  return rv(F64, [f.b.convert('sitofp', 'f64', f.b.resize(type === U32 ? 'i64' : 'i32', single(f, value), type.signed))]);
}

/** `wrapping.T(x)`: the low bits. */
export function truncateTo(f: Fn, value: Rv, to: IntegerType, node: ts.Node): Rv {
  const type = unbranded(value.type);
  const { constant } = value;
  if (typeof constant === 'number' || typeof constant === 'bigint') return constantRv(to, wrapConstant(constant, to));
  if (type.kind !== 'integer' && type.kind !== 'boolean') {
    return f.fail(
      node,
      'P1304',
      `wrapping.${to.key}`,
      shown(value),
      type.kind === 'f64' ? `convert it first: i64(…)` : 'it converts integers',
    );
  }
  const keepsRange = type.kind === 'integer' && isSmall(type) && to.bits < 64 && fits(rangeOf(value), to);
  return rv(to, [resize(f, value, to)], keepsRange ? { range: rangeOf(value) } : {});
}

// Memory

function partOffset(type: Type, index: number): number {
  const first = partsOf(type)[0];
  return index === 0 || first === undefined ? 0 : irBytes(first);
}

/** A value as it lies at an address. */
export function loadValue(f: Fn, type: Type, address: Value, offset: number, origin: Origin, path: string | null = null): Rv {
  const parts = partsOf(type).map((t, i) => f.b.load(t, address, offset + partOffset(type, i)));
  return rv(type, parts, { origin, path });
}

export function storeValue(f: Fn, value: Rv, address: Value, offset: number): void {
  let index = 0;
  for (const part of materialise(f, value)) f.b.store(part, address, offset + partOffset(value.type, index++));
}
