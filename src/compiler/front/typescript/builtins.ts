/** What is there without import: conversions, `wrapping`, `div`, `array`, `assert`, `Math`, and the methods of slices and strings. */

import type ts from 'typescript';
import { bug } from '../../../machine/isa/bug.ts';
import type { Value } from '../../ir/function.ts';
import { argument } from './calls.ts';
import type { Fn, Rv } from './context.ts';
import { createArray } from './objects.ts';
import { compare, divide, unary } from './operators.ts';
import { elementAddress, indexValue } from './places.ts';
import { resolveType } from './resolve.ts';
import { elementStorage } from './shapes.ts';
import {
  F64,
  I32,
  I64,
  INTEGERS,
  type IntegerType,
  isSmall,
  mayPointToFrame,
  type SliceType,
  STRING,
  type Type,
  U8,
  U32,
  U64,
  unbranded,
} from './types.ts';
import {
  constantRv,
  convert,
  fits,
  made,
  materialise,
  NEVER_RV,
  rangeOf,
  resize,
  rv,
  second,
  shown,
  single,
  storeValue,
  toFloat,
  toIntegerChecked,
  truncateTo,
  VOID_RV,
} from './values.ts';

function args(f: Fn, node: ts.CallExpression, name: string, least: number, most = least): readonly ts.Expression[] {
  const { length } = node.arguments;
  if (length < least || length > most) f.fail(node, 'P1307', name, least === most ? String(least) : `${least} to ${most}`, String(length));
  return node.arguments;
}

function nth(list: readonly ts.Expression[], index: number): ts.Expression {
  return list[index] ?? bug('checked before');
}

export function builtin(f: Fn, name: string, node: ts.CallExpression, want: Type | null): Rv {
  const integer = INTEGERS.get(name);
  f.at(node);
  if (integer !== undefined) return toIntegerChecked(f, argument(f, nth(args(f, node, name, 1), 0), null), integer, node);
  switch (name) {
    case 'f64':
      return toFloat(f, argument(f, nth(args(f, node, name, 1), 0), F64), node);
    case 'div': {
      const list = args(f, node, name, 2);
      return divide(f, argument(f, nth(list, 0), null), argument(f, nth(list, 1), null), node);
    }
    case 'idx':
      return toIntegerChecked(f, argument(f, nth(args(f, node, name, 1), 0), null), I32, node);
    case 'array':
      return createArray(f, node, want);
    case 'bytesOf': {
      const list = args(f, node, name, 1);
      const text = convert(f, argument(f, nth(list, 0), STRING), STRING, nth(list, 0));
      const type = f.program.types.typedArray('Uint8Array');
      if (typeof text.constant !== 'string') return { ...text, type, path: null };
      const { symbol, length } = f.program.text(text.constant);
      return { type, parts: null, fixed: { symbol, offset: 0, length }, origin: text.origin, path: null };
    }
    case 'sizeOf': {
      const type = typeArgument(f, node, null);
      return constantRv(U64, BigInt(elementStorage(f.program, type).size));
    }
    case 'assert': {
      const holds = f.b.block();
      const fails = f.b.block();
      fails.cold = true;
      f.rules.condition(f, nth(args(f, node, name, 1), 0), holds, fails);
      f.enter(fails);
      f.at(node);
      f.b.trap('assertion');
      f.enter(holds);
      return VOID_RV;
    }
    case 'unreachable':
      args(f, node, name, 0);
      f.endUnreachable();
      return NEVER_RV;
    default:
      return f.fail(node.expression, 'P1310', name);
  }
}

export function typeArgument(f: Fn, node: ts.CallExpression, want: Type | null): Type {
  const given = node.typeArguments?.[0];
  if (given !== undefined) return resolveType(f.program, f.scope, given);
  return want ?? f.fail(node, 'P1204', 'T');
}

export function builtinMember(f: Fn, object: string, name: string, node: ts.CallExpression, _want: Type | null): Rv {
  f.at(node);
  if (object === 'wrapping') return wrappingCall(f, name, node);
  if (object === 'Math') return math(f, name, node);
  if (object === 'BigInt') return bigintCall(f, name, node);
  return f.fail(node.expression, 'P1310', `${object}.${name}`);
}

function wrappingCall(f: Fn, name: string, node: ts.CallExpression): Rv {
  const to = INTEGERS.get(name);
  if (to !== undefined) {
    const operand = nth(args(f, node, `wrapping.${name}`, 1), 0);
    f.wrap = to;
    const value = f.expression(operand);
    f.wrap = null;
    return truncateTo(f, value, to, node);
  }
  const isUnary = name === 'neg' || name === 'not';
  if (!isUnary && name !== 'add' && name !== 'sub' && name !== 'mul' && name !== 'shl') {
    return f.fail(node.expression, 'P1501', 'wrapping', name, 'add sub mul shl neg not u8 u16 u32 u64 i8 i16 i32 i64');
  }
  const list = args(f, node, `wrapping.${name}`, isUnary ? 1 : 2);
  const operands = list.map((e) => {
    const value = argument(f, e, null);
    return value.type.kind === 'brand' ? { ...value, type: unbranded(value.type) } : value;
  });
  const isWide = operands.some((v) => (v.type.kind === 'integer' && v.type.bits === 64) || v.type.key === 'bigint');
  const type = isWide ? U64 : U32;
  const [a, b] = operands.map((v, i) => unsignedOperand(f, v, type, name, list[i] ?? node));
  if (a === undefined) return bug('an operand');
  if (name === 'neg') return rv(type, [f.b.neg(a)]);
  if (name === 'not') return rv(type, [f.b.not(a)]);
  if (b === undefined) return bug('two operands');
  if (name !== 'shl') return rv(type, [f.b.binary(name === 'add' ? 'add' : name === 'sub' ? 'sub' : 'mul', a, b)]);
  const bits = f.b.const(a.type, type.bits);
  return rv(type, [f.b.select(f.b.icmp('ult', b, bits), f.b.binary('shl', a, b), f.b.const(a.type, 0))]);
}

function unsignedOperand(f: Fn, value: Rv, type: IntegerType, name: string, node: ts.Node): Value {
  const from = value.type;
  const isConstant = from.kind === 'untyped' || value.constant !== undefined;
  const isFitting = type === U64 ? from === U64 : isSmall(from) && fits(rangeOf(value), U32);
  if (!isConstant && !isFitting) {
    f.fail(node, 'P1304', `wrapping.${name}`, shown(value), `it is for u32 and u64; signed: wrapping.${from.key}(a + b)`);
  }
  return isConstant ? single(f, convert(f, { ...value, type: from.kind === 'untyped' ? from : type }, type, node)) : resize(f, value, type);
}

function math(f: Fn, name: string, node: ts.CallExpression): Rv {
  const list = args(f, node, `Math.${name}`, name === 'min' || name === 'max' || name === 'imul' ? 2 : 1);
  const a = made(f, argument(f, nth(list, 0), null));
  switch (name) {
    case 'min':
    case 'max': {
      const b = made(f, argument(f, nth(list, 1), null));
      return leastOrMost(f, name, a, b, node);
    }
    case 'imul': {
      const b = argument(f, nth(list, 1), null);
      return rv(I32, [f.b.binary('mul', resize(f, smallOperand(f, a, node), I32), resize(f, smallOperand(f, b, node), I32))]);
    }
    case 'clz32':
      return rv(I32, [f.b.unary('clz', resize(f, smallOperand(f, a, node), I32))], { range: { low: 0, high: 32 } });
    case 'abs': {
      if (isFloat(a)) return rv(F64, [f.b.unary('fabs', floatPart(f, a, node))]);
      const negative = unary(f, '-', a, node);
      const wide = convert(f, a, negative.type, node);
      const zero = constantRv(unbranded(negative.type).kind === 'integer' ? negative.type : I32, unbranded(negative.type) === I64 ? 0n : 0);
      return rv(negative.type, [f.b.select(single(f, compare(f, '<', wide, zero, node)), single(f, negative), single(f, wide))]);
    }
    case 'sqrt':
      return rv(F64, [f.b.unary('fsqrt', floatPart(f, a, node))]);
    case 'floor':
    case 'ceil':
    case 'trunc':
      return rv(F64, [rounded(f, name, floatPart(f, a, node))]);
    default:
      return f.fail(node.expression, 'P1501', 'Math', name, 'min max abs sqrt floor ceil trunc imul clz32');
  }
}

const isFloat = (v: Rv): boolean => unbranded(v.type).kind === 'f64' || v.type.key === 'float';

function smallOperand(f: Fn, value: Rv, node: ts.Node): Rv {
  const type = unbranded(value.type);
  if (isSmall(type)) return { ...value, type };
  if (typeof value.constant === 'number') return { ...value, type: I32, parts: null };
  return f.fail(node, 'P1304', 'this', shown(value), 'it is for small integers');
}

function floatPart(f: Fn, value: Rv, node: ts.Node): Value {
  if (typeof value.constant === 'number' && value.type.kind === 'untyped') return f.b.const('f64', value.constant);
  return single(f, convert(f, value, F64, node));
}

function leastOrMost(f: Fn, name: 'min' | 'max', a: Rv, b: Rv, node: ts.Node): Rv {
  const op = name === 'min' ? '<' : '>';
  if (isFloat(a) || isFloat(b)) {
    const x = floatPart(f, a, node);
    const y = floatPart(f, b, node);
    // A NaN on either side is the result.
    const first = f.b.binary('or', f.b.fcmp(name === 'min' ? 'lt' : 'gt', x, y), f.b.fcmp('ne', x, x));
    return rv(F64, [f.b.select(first, x, y)]);
  }
  if (a.constant !== undefined && b.constant !== undefined) {
    const isFirst = compare(f, op, a, b, node).constant === true;
    return isFirst ? { ...a, parts: null } : { ...b, parts: null };
  }
  // Both as the type in which they compare; a constant takes the other's.
  const type = a.type.kind === 'untyped' ? b.type : b.type.kind === 'untyped' ? a.type : wider(unbranded(a.type), unbranded(b.type));
  const x = convert(f, { ...a, parts: a.constant === undefined ? a.parts : null }, type, node);
  const y = convert(f, { ...b, parts: b.constant === undefined ? b.parts : null }, type, node);
  const isFirst = single(f, compare(f, op, x, y, node));
  const range = isSmall(unbranded(type))
    ? { low: pick(name, rangeOf(x).low, rangeOf(y).low), high: pick(name, rangeOf(x).high, rangeOf(y).high) }
    : undefined;
  return rv(type, [f.b.select(isFirst, single(f, x), single(f, y))], range === undefined ? {} : { range });
}

const pick = (name: 'min' | 'max', a: number, b: number): number => (name === 'min' ? Math.min(a, b) : Math.max(a, b));

function wider(a: Type, b: Type): Type {
  if (!isSmall(a) || !isSmall(b)) return a;
  return b.least <= a.least && b.most >= a.most ? b : a.least <= b.least && a.most >= b.most ? a : I32;
}

/** Through i64 where the number is small enough to have a fraction; the sign of zero is kept. */
function rounded(f: Fn, name: 'floor' | 'ceil' | 'trunc', x: Value): Value {
  const { b } = f;
  const whole = b.convert('sitofp', 'f64', b.convert('fptosi', 'i64', x));
  let result = whole;
  if (name === 'floor') result = b.select(b.fcmp('gt', whole, x), b.binary('fsub', whole, b.const('f64', 1)), whole);
  if (name === 'ceil') result = b.select(b.fcmp('lt', whole, x), b.binary('fadd', whole, b.const('f64', 1)), whole);
  const signedZero = b.binary('fmul', x, b.const('f64', 0));
  result = b.select(b.fcmp('eq', result, b.const('f64', 0)), signedZero, result);
  return b.select(b.fcmp('lt', b.unary('fabs', x), b.const('f64', 2 ** 52)), result, x);
}

function bigintCall(f: Fn, name: string, node: ts.CallExpression): Rv {
  const list = args(f, node, `BigInt.${name}`, 2);
  const { constant } = f.expression(nth(list, 0));
  if (typeof constant !== 'number' || constant < 1 || constant > 64) return f.fail(nth(list, 0), 'P1308', 'the width');
  const value = f.expression(nth(list, 1));
  const to = name === 'asUintN' ? U64 : name === 'asIntN' && constant === 64 ? I64 : null;
  if (to === null) return f.fail(node.expression, 'P1501', 'BigInt', `${name}(${constant}, …)`, 'asUintN(n, x) asIntN(64, x)');
  const cut = truncateTo(f, value, to, node);
  if (constant === 64) return cut;
  const mask = (1n << BigInt(constant)) - 1n;
  if (typeof cut.constant === 'bigint') return constantRv(U64, cut.constant & mask);
  return rv(U64, [f.b.binary('and', single(f, cut), f.const64(mask))]);
}

// Slices and strings

export function sliceMember(f: Fn, object: Rv, name: string, node: ts.CallExpression): Rv {
  const slice = made(f, object);
  const type = unbranded(slice.type);
  f.at(node);
  if (type.kind === 'string' || type.kind === 'literal') {
    if (name === 'charCodeAt') {
      const index = indexValue(f, nth(args(f, node, name, 1), 0));
      f.b.trapIf(f.b.icmp('uge', index, second(f, slice)), 'bounds');
      return rv(U8, [f.b.load('i8', f.b.binary('add', single(f, slice), index))]);
    }
    if (name === 'slice') return part(f, slice, STRING, 1, args(f, node, name, 1, 2));
    return f.fail(node.expression, 'P1501', 'string', name, 'length charCodeAt slice');
  }
  if (type.kind !== 'slice') return bug(`a slice member of ${type.key}`);
  const { size } = elementStorage(f.program, type.element);
  if (name === 'subarray') return part(f, slice, type, size, args(f, node, name, 1, 2));
  if (type.element.kind === 'class' || type.readonly) return f.fail(node.expression, 'P1501', type.key, name, 'length subarray');
  if (name === 'set') return setFrom(f, slice, type, size, args(f, node, name, 1, 2), node);
  if (name === 'fill') return fill(f, slice, type, size, args(f, node, name, 1, 3), node);
  return f.fail(node.expression, 'P1501', type.key, name, 'length subarray set fill');
}

function part(f: Fn, slice: Rv, type: Type, size: number, list: readonly ts.Expression[]): Rv {
  const begin = indexValue(f, nth(list, 0));
  const length = second(f, slice);
  const end = list[1] === undefined ? length : indexValue(f, list[1]);
  if (end !== length) f.b.trapIf(f.b.icmp('ugt', end, length), 'bounds');
  f.b.trapIf(f.b.icmp('ugt', begin, end), 'bounds');
  return rv(type, [elementAddress(f, single(f, slice), begin, size), f.b.binary('sub', end, begin)], { origin: slice.origin });
}

function setFrom(f: Fn, slice: Rv, type: SliceType, size: number, list: readonly ts.Expression[], node: ts.Node): Rv {
  const from = nth(list, 0);
  const readable = type.typedArray === null ? f.program.types.slice(type.element, true) : type;
  const source = made(f, convert(f, argument(f, from, readable), readable, from));
  const length = second(f, slice);
  const offset = list[1] === undefined ? f.const64(0) : indexValue(f, list[1]);
  f.at(node);
  f.b.trapIf(f.b.icmp('ugt', offset, length), 'bounds');
  f.b.trapIf(f.b.icmp('ugt', second(f, source), f.b.binary('sub', length, offset)), 'bounds');
  if (mayPointToFrame(type.element)) f.escape.store(slice.origin, source.origin, node);
  const bytes = size === 1 ? second(f, source) : f.b.binary('mul', second(f, source), f.const64(size));
  f.b.memory('memmove', elementAddress(f, single(f, slice), offset, size), single(f, source), bytes);
  return VOID_RV;
}

function fill(f: Fn, slice: Rv, type: SliceType, size: number, list: readonly ts.Expression[], node: ts.Node): Rv {
  const first = nth(list, 0);
  const value = made(f, convert(f, argument(f, first, type.element), type.element, first));
  const length = second(f, slice);
  const begin = list[1] === undefined ? f.const64(0) : indexValue(f, list[1]);
  const end = list[2] === undefined ? length : indexValue(f, list[2]);
  f.at(node);
  if (list[2] !== undefined) f.b.trapIf(f.b.icmp('ugt', end, length), 'bounds');
  if (list[1] !== undefined) f.b.trapIf(f.b.icmp('ugt', begin, end), 'bounds');
  if (mayPointToFrame(type.element)) f.escape.store(slice.origin, value.origin, node);
  const start = list[1] === undefined ? single(f, slice) : elementAddress(f, single(f, slice), begin, size);
  const count = list[1] === undefined ? end : f.b.binary('sub', end, begin);
  const isZero = value.constant === 0 || value.constant === 0n || value.constant === false;
  const [byte] = materialise(f, value);
  if (isZero || (size === 1 && byte?.type === 'i8')) {
    const bytes = size === 1 ? count : f.b.binary('mul', count, f.const64(size));
    f.b.memory('memset', start, isZero || byte === undefined ? f.b.const('i8', 0) : byte, bytes);
    return slice;
  }
  const index = f.variables.declare('i64');
  f.variables.write(index, f.const64(0));
  const header = f.b.block();
  const turn = f.b.block();
  const behind = f.b.block();
  f.jump(header);
  f.enter(header, true);
  const i = f.variables.read(index);
  f.branch(f.b.icmp('ult', i, count), turn, behind);
  f.enter(turn);
  storeValue(f, value, elementAddress(f, start, i, size), 0);
  f.variables.write(index, f.b.binary('add', i, f.const64(1)));
  f.jump(header);
  f.variables.seal(header);
  f.enter(behind);
  return slice;
}
