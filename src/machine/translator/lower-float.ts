/**
 * Lowering of floating-point terms: see `lower.ts`.
 *
 * WebAssembly computes in round-to-nearest, has no sticky flags and leaves NaN bits open; x86 asks for all three. So each operation has
 * a *fast path* that is taken only where Wasm's result is certain to be x86's and the sticky flags certain not to change. Else code that may give up
 * does so, and other code calls the service, which is exact in every case. The fast path's conditions:
 * - no operand is a NaN, infinite or denormal, and the result is not near underflow, not infinite by overflow, not a NaN: then the
 *   only exception that can arise is PE (inexact). This is asked of exponents, as integers: one comparison that zeros alone pass to a second one;
 * - MXCSR is *settled* (rounding to nearest, PE masked and already set), or else it rounds to nearest and the result is seen to be exact.
 * `fstatus` is then 0: whether PE is reported again makes no difference to a row, since it is or-ed into MXCSR where it is set.
 * Nobody asks for the status where MXCSR is a constant (approximations).
 */
import { bug } from '../isa/bug.ts';
import type { FloatOp } from '../isa/ops.ts';
import type { Term } from '../isa/term.ts';
import { type FloatValue, type LoweringContext, typeOf } from './lowering-context.ts';
import { FLOAT_SERVICES, FLOAT_WIDE_OPERAND, FLOAT_WIDE_RESULT, SERVICE_OPERANDS, SERVICE_RESULT } from './services.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

/** Of MXCSR: RC, and PM with PE. */
const ROUNDING = 0x6000;
const INEXACT_SEEN = 0x1020;

/** Exponents with a zero significand, in the upper 32 bits: of the smallest normal number, and of infinity; and one step of the exponent. */
const EXPONENT = {
  32: { normal: 0x0080_0000, infinite: 0x7f80_0000, step: 0x0080_0000 },
  64: { normal: 0x0010_0000, infinite: 0x7ff0_0000, step: 0x0010_0000 },
} as const;

type FloatWidth = 32 | 64;
const floatType = (width: FloatWidth) => (width === 64 ? 'f64' : 'f32');
const floatWidth = (width: number): FloatWidth => (width === 64 ? 64 : 32);

const NUMBERS: ReadonlySet<string> = new Set(['fadd', 'fsub', 'fmul', 'fdiv', 'fsqrt', 'fmin', 'fmax', 'fnarrow', 'fwiden', 'fromint']);
/** Whether the result is a floating-point number. */
export const givesFloat = (op: string): boolean => NUMBERS.has(op);

/** Leaves the bits of the result. */
export function lowerFloat(l: LoweringContext, t: Term): void {
  const { result, isFloat } = lowered(l, t);
  l.f.get(result);
  if (isFloat) l.f.op(t.width === 64 ? OP.i64.reinterpret_f64 : OP.i32.reinterpret_f32);
}

/** Leaves the exceptions raised by the floating-point term under `t`. */
export function lowerFloatStatus(l: LoweringContext, t: Term): void {
  const { status } = lowered(l, l.canonical(l.arg(t, 0)));
  if (status === null) l.f.i32(0);
  else l.f.get(status);
}

export function lowered(l: LoweringContext, t: Term): FloatValue {
  const known = l.floats.get(t);
  if (known !== undefined) return known;
  const made = compute(l, t);
  l.floats.set(t, made);
  return made;
}

function compute(l: LoweringContext, t: Term): FloatValue {
  const { f, services } = l;
  const op = t.op as FloatOp;
  const operands = t.args.slice(0, -1);
  const mxcsr = t.args.at(-1) ?? bug('a floating-point term without MXCSR');
  const isFloat = givesFloat(op);
  const to = floatWidth(t.width);
  const result = l.locals.take(isFloat ? floatType(to) : typeOf(t.width));
  const control = mxcsr.op === 'const' ? null : l.toLocal(mxcsr);
  const canGiveUp = services.giveUp !== null;
  const values = operands.map((operand) => {
    const local = l.locals.take(op === 'fromint' ? typeOf(operand.width) : floatType(floatWidth(operand.width)));
    if (op === 'fromint') l.push(operand);
    else l.pushFloat(operand);
    f.set(local);
    return local;
  });
  const done = canGiveUp ? null : f.block();
  const slow = services.giveUp ?? f.block();
  if (mxcsr.op === 'const' && (Number(mxcsr.value) & ROUNDING) !== 0) bug('an approximation that does not round to nearest');
  fastPath({ l, f, slow, mxcsr: control, operands, values, width: floatWidth(operands[0]?.width ?? 0), result, to }, op);
  if (done === null) return { result, isFloat, status: null };
  const status = l.locals.take('i32');
  f.i32(0);
  f.set(status);
  f.br(done);
  f.end();
  const kind = (width: number) => (width === 64 ? 'f64' : 'f32');
  for (const [i, local] of values.entries()) {
    f.get(services.base);
    f.get(local);
    const width = operands[i]?.width ?? 0;
    f.store(op === 'fromint' ? typeOf(floatWidth(width)) : kind(width), SERVICE_OPERANDS + 8 * i);
  }
  f.i32(FLOAT_SERVICES.indexOf(op) | (operands[0]?.width === 64 ? FLOAT_WIDE_OPERAND : 0) | (t.width === 64 ? FLOAT_WIDE_RESULT : 0));
  l.push(mxcsr);
  f.call(services.float ?? bug(`no service for ${op}`));
  f.set(status);
  f.get(services.base);
  f.load(isFloat ? kind(t.width) : typeOf(t.width), SERVICE_RESULT);
  f.set(result);
  f.end();
  return { result, isFloat, status };
}

interface Fast {
  readonly l: LoweringContext;
  readonly f: FunctionBuilder;
  readonly slow: Label;
  /** The local with MXCSR; null: the status is not asked for, and rounding is to nearest. */
  readonly mxcsr: number | null;
  readonly operands: readonly Term[];
  /** Locals with the operands. */
  readonly values: readonly number[];
  /** Width of the operands, and of the result. */
  readonly width: FloatWidth;
  readonly to: FloatWidth;
  /** Local for the result. */
  readonly result: number;
}

/** Sets `result`, or branches to `slow`. */
function fastPath(x: Fast, op: FloatOp): void {
  switch (op) {
    case 'fadd':
    case 'fsub':
    case 'fmul':
    case 'fdiv':
    case 'fsqrt':
      return arithmetic(x, op);
    case 'fmin':
    case 'fmax':
      return choose(x, op === 'fmin' ? OP[floatType(x.width)].lt : OP[floatType(x.width)].gt);
    case 'fcmp':
    case 'fucmp':
      return compare(x);
    case 'fnarrow':
      return narrow(x);
    case 'fwiden':
      return widen(x);
    case 'fromint':
      return fromInteger(x);
    case 'toint':
    case 'trunctoint':
      return toInteger(x, op === 'toint');
    default:
      return bug(`no lowering for ${op satisfies never}`);
  }
}

const value = (x: Fast, n: number): number => x.values[n] ?? bug(`floating-point operand ${n} is missing`);
const pushConstant = (f: FunctionBuilder, width: FloatWidth, number: number) => (width === 64 ? f.f64(number) : f.f32(number));

/** To the slow path unless the condition on the stack holds. */
function need(x: Fast): void {
  x.f.op(OP.i32.eqz);
  x.f.brIf(x.slow, false);
}

/** Leaves 1 if the float is zero. */
function isZero(f: FunctionBuilder, width: FloatWidth, local: number): void {
  f.get(local);
  pushConstant(f, width, 0);
  f.op(OP[floatType(width)].eq);
}

/** What is to be done if the float's magnitude, by its exponent, is below `least` or not below infinity. Zeros are always below. */
function unlessWithin(f: FunctionBuilder, width: FloatWidth, local: number, least: number, otherwise: () => void): void {
  f.get(local);
  if (width === 64) {
    f.op(OP.i64.reinterpret_f64);
    f.i64(32n);
    f.op(OP.i64.shr_u, OP.i32.wrap_i64);
  } else f.op(OP.i32.reinterpret_f32);
  f.i32(0x7fff_ffff);
  f.op(OP.i32.and);
  f.i32(least);
  f.op(OP.i32.sub);
  f.i32(EXPONENT[width].infinite - least);
  f.op(OP.i32.ge_u);
  f.if(undefined, false);
  otherwise();
  f.end();
}

/** Operand `n` must be a zero or an ordinary number, or (if that `isFine`) infinite. */
function needOrdinary(x: Fast, n: number, infinity: 'isFine' | 'isNot' = 'isNot'): void {
  const { f, l, width } = x;
  const term = x.operands[n] ?? bug('operand');
  if (l.isOrdinary(term)) return;
  const local = value(x, n);
  unlessWithin(f, width, local, EXPONENT[width].normal, () => {
    isZero(f, width, local);
    if (infinity === 'isFine') {
      f.get(local);
      f.op(OP[floatType(width)].abs);
      pushConstant(f, width, Number.POSITIVE_INFINITY);
      f.op(OP[floatType(width)].eq, OP.i32.or);
    }
    need(x);
  });
  if (infinity === 'isNot') l.noteOrdinary(term);
}

/** The result, if it is rounded, must be so to nearest and with PE seen before; else `exact` asks whether it is exact. */
function needSettled(x: Fast, exact: (mxcsr: number) => void): void {
  const { f, mxcsr } = x;
  if (mxcsr === null) return;
  f.get(mxcsr);
  f.i32(ROUNDING | INEXACT_SEEN);
  f.op(OP.i32.and);
  f.i32(INEXACT_SEEN);
  f.op(OP.i32.ne);
  f.if(undefined, false);
  exact(mxcsr);
  f.end();
}

function needNearest(x: Fast, mxcsr: number): void {
  x.f.get(mxcsr);
  x.f.i32(ROUNDING);
  x.f.op(OP.i32.and);
  x.f.brIf(x.slow, false);
}

/** The magnitude must be below `limit`. */
function needBelow(x: Fast, width: FloatWidth, local: number, limit: number): void {
  const ops = OP[floatType(width)];
  x.f.get(local);
  x.f.op(ops.abs);
  pushConstant(x.f, width, limit);
  x.f.op(ops.lt);
  need(x);
}

function arithmetic(x: Fast, op: 'fadd' | 'fsub' | 'fmul' | 'fdiv' | 'fsqrt'): void {
  const { f, width, result } = x;
  const ops = OP[floatType(width)];
  needOrdinary(x, 0);
  if (op !== 'fsqrt') needOrdinary(x, 1);
  const a = value(x, 0);
  const b = op === 'fsqrt' ? a : value(x, 1);
  f.get(a);
  if (op !== 'fsqrt') f.get(b);
  f.op({ fadd: ops.add, fsub: ops.sub, fmul: ops.mul, fdiv: ops.div, fsqrt: ops.sqrt }[op]);
  f.set(result);
  unlessWithin(f, width, result, EXPONENT[width].normal + EXPONENT[width].step, () => {
    isZero(f, width, result);
    // A zero result is exact unless it came by underflow: of a product or quotient without a zero operand.
    if (op === 'fmul' || op === 'fdiv') {
      isZero(f, width, a);
      if (op === 'fmul') {
        isZero(f, width, b);
        f.op(OP.i32.or);
      }
      f.op(OP.i32.and);
    }
    need(x);
  });
  needSettled(x, (mxcsr) => {
    needNearest(x, mxcsr);
    needExact(x, op, a, b);
  });
}

/** The result must be the exact one (it is finite, and the operands ordinary). */
function needExact(x: Fast, op: 'fadd' | 'fsub' | 'fmul' | 'fdiv' | 'fsqrt', a: number, b: number): void {
  const { f, width, result } = x;
  const ops = OP[floatType(width)];
  if (op === 'fadd' || op === 'fsub') {
    // Knuth's TwoSum: the error of s = a + b is (a − (s − v)) + (b − v) with v = s − a. For a difference b is negated.
    const v = x.l.locals.take(floatType(width));
    f.get(result);
    f.get(a);
    f.op(ops.sub);
    f.set(v);
    f.get(a);
    f.get(result);
    f.get(v);
    f.op(ops.sub, ops.sub);
    f.get(b);
    if (op === 'fsub') f.op(ops.neg);
    f.get(v);
    f.op(ops.sub, ops.add);
    pushConstant(f, width, 0);
    f.op(ops.eq);
    return need(x);
  }
  // A quotient or root is exact if its product with the divisor, or with itself, is: and gives the dividend.
  const [p, q, product] = op === 'fmul' ? [a, b, result] : op === 'fdiv' ? [result, b, a] : [result, result, a];
  if (width === 32) {
    // A product of two 24-bit significands is exact in f64.
    f.get(p);
    f.op(OP.f64.promote_f32);
    f.get(q);
    f.op(OP.f64.promote_f32, OP.f64.mul);
    f.get(product);
    f.op(OP.f64.promote_f32, OP.f64.eq);
    return need(x);
  }
  // At most 26 and 27 significant bits.
  for (const [factor, mask] of [
    [p, 0x7ff_ffffn],
    [q, 0x3ff_ffffn],
  ] as const) {
    f.get(factor);
    f.op(OP.i64.reinterpret_f64);
    f.i64(mask);
    f.op(OP.i64.and, OP.i64.eqz);
    need(x);
  }
  if (op === 'fmul') return;
  f.get(p);
  f.get(q);
  f.op(OP.f64.mul);
  f.get(product);
  f.op(OP.f64.eq);
  need(x);
}

/** MIN and MAX: the first operand if it compares so, else the second. */
function choose(x: Fast, comparison: number): void {
  const [a, b] = [value(x, 0), value(x, 1)];
  needOrdinary(x, 0);
  needOrdinary(x, 1);
  x.f.get(a);
  x.f.get(b);
  x.f.get(a);
  x.f.get(b);
  x.f.op(comparison, OP.select);
  x.f.set(x.result);
}

/** 1 less, 2 equal, 0 greater; unordered takes the slow path. */
function compare(x: Fast): void {
  const { f } = x;
  const ops = OP[floatType(x.width)];
  const [a, b] = [value(x, 0), value(x, 1)];
  needOrdinary(x, 0, 'isFine');
  needOrdinary(x, 1, 'isFine');
  f.get(a);
  f.get(b);
  f.op(ops.lt);
  f.get(a);
  f.get(b);
  f.op(ops.eq);
  f.i32(1);
  f.op(OP.i32.shl, OP.i32.or);
  f.set(x.result);
}

function narrow(x: Fast): void {
  const { f, result } = x;
  const a = value(x, 0);
  needOrdinary(x, 0);
  f.get(a);
  f.op(OP.f32.demote_f64);
  f.set(result);
  unlessWithin(f, 32, result, EXPONENT[32].normal + EXPONENT[32].step, () => {
    isZero(f, 64, a);
    need(x);
  });
  needSettled(x, (mxcsr) => {
    needNearest(x, mxcsr);
    f.get(result);
    f.op(OP.f64.promote_f32);
    f.get(a);
    f.op(OP.f64.eq);
    need(x);
  });
}

function widen(x: Fast): void {
  needOrdinary(x, 0);
  x.f.get(value(x, 0));
  x.f.op(OP.f64.promote_f32);
  x.f.set(x.result);
}

function fromInteger(x: Fast): void {
  const { f } = x;
  const ops = OP[floatType(x.to)];
  const integer = value(x, 0);
  f.get(integer);
  f.op(x.width === 64 ? ops.convert_i64_s : ops.convert_i32_s);
  f.set(x.result);
  if (x.width === 32 && x.to === 64) return;
  needSettled(x, (mxcsr) => {
    needNearest(x, mxcsr);
    // Exact for sure: magnitudes up to 2^24 (2^53).
    f.get(integer);
    if (x.width === 32) f.op(OP.i64.extend_i32_s);
    const limit = x.to === 64 ? 1n << 53n : 1n << 24n;
    f.i64(limit);
    f.op(OP.i64.add);
    f.i64(2n * limit);
    f.op(OP.i64.le_u);
    need(x);
  });
}

function toInteger(x: Fast, rounds: boolean): void {
  const { f, result } = x;
  const source = value(x, 0);
  needOrdinary(x, 0);
  const a = x.width === 64 ? source : x.l.locals.take('f64');
  if (x.width === 32) {
    f.get(source);
    f.op(OP.f64.promote_f32);
    f.set(a);
  }
  const limit = x.to === 64 ? 2 ** 63 - 1024 : 2 ** 31 - 1;
  needBelow(x, 64, a, limit);
  f.get(a);
  if (rounds) f.op(OP.f64.nearest);
  f.truncSaturatedF64(x.to === 64 ? 'i64' : 'i32');
  f.set(result);
  needSettled(x, (mxcsr) => {
    if (rounds) needNearest(x, mxcsr);
    f.get(result);
    f.op(x.to === 64 ? OP.f64.convert_i64_s : OP.f64.convert_i32_s);
    f.get(a);
    f.op(OP.f64.eq);
    need(x);
  });
}
