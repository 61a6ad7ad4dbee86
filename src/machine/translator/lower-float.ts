/**
 * Lowering of floating-point terms: see `lower.ts`.
 *
 * WebAssembly computes in round-to-nearest, has no sticky flags and leaves NaN bits open; x86 asks for all three. So each operation has
 * a *fast path* that is taken only where Wasm's result is certain to be x86's and the sticky flags certain not to change, and else calls
 * the service, which is exact in every case. The fast path's conditions:
 * - rounding control is to nearest (operations that round);
 * - no operand is a NaN or denormal, and the result is not near underflow, not infinite by overflow, not a NaN: then the
 *   only exception that can arise is PE (inexact);
 * - PE is masked and already set in MXCSR, or the result is seen to be exact.
 * `fstatus` is then 0: whether PE is reported again makes no difference to a row, since it is or-ed into MXCSR where it is set.
 */
import { bug } from '../isa/bug.ts';
import type { FloatOp } from '../isa/ops.ts';
import type { Term } from '../isa/term.ts';
import { type LoweringContext, typeOf } from './lowering-context.ts';
import { FLOAT_SERVICES, FLOAT_WIDE_OPERAND, FLOAT_WIDE_RESULT, SERVICE_OPERANDS, SERVICE_RESULT } from './services.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

const MIN_NORMAL = { f32: 2 ** -126, f64: 2 ** -1022 } as const;
/** RC, PM, PE of MXCSR. */
const ROUNDING = 0x6000;
const INEXACT_SEEN = 0x1020;

/** Leaves the bits of the result. */
export function lowerFloat(l: LoweringContext, t: Term): void {
  l.f.get(computed(l, t).result);
}

/** Leaves the exceptions raised by the floating-point term under `t`. */
export function lowerFloatStatus(l: LoweringContext, t: Term): void {
  l.f.get(computed(l, l.canonical(l.arg(t, 0))).status);
}

function computed(l: LoweringContext, t: Term): { result: number; status: number } {
  const known = l.floats.get(t);
  if (known !== undefined) return known;
  const { f } = l;
  const operands = t.args.slice(0, -1);
  const bits = operands.map((operand) => l.toLocal(operand));
  const mxcsr = l.toLocal(t.args.at(-1) ?? bug('a floating-point term without MXCSR'));
  const both = { result: l.locals.take(typeOf(t.width)), status: l.locals.take('i32') };
  const done = f.block();
  const slow = f.block();
  fastPath(
    { l, f, slow, mxcsr, bits, width: operands[0]?.width === 64 ? 64 : 32, result: both.result, to: t.width === 64 ? 64 : 32 },
    t.op as FloatOp,
  );
  f.i32(0);
  f.set(both.status);
  l.floats.set(t, both);
  if (done === null) return both;
  f.br(done);
  f.end();
  for (const [i, local] of bits.entries()) {
    f.get(l.services.base);
    f.get(local);
    f.store(operands[i]?.width === 64 ? 'i64' : 'i32', SERVICE_OPERANDS + 8 * i);
  }
  f.i32(
    FLOAT_SERVICES.indexOf(t.op as FloatOp) |
      (operands[0]?.width === 64 ? FLOAT_WIDE_OPERAND : 0) |
      (t.width === 64 ? FLOAT_WIDE_RESULT : 0),
  );
  f.get(mxcsr);
  f.call(l.services.float);
  f.set(both.status);
  f.get(l.services.base);
  f.load(t.width === 64 ? 'i64' : 'i32', SERVICE_RESULT);
  f.set(both.result);
  f.end();
  return both;
}

interface Fast {
  readonly l: LoweringContext;
  readonly f: FunctionBuilder;
  readonly slow: Label;
  readonly mxcsr: number;
  /** Locals with the operands' bits. */
  readonly bits: readonly number[];
  /** Width of the operands, and of the result. */
  readonly width: 32 | 64;
  readonly to: 32 | 64;
  /** Local for the result's bits. */
  readonly result: number;
}

const floatType = (width: 32 | 64) => (width === 64 ? 'f64' : 'f32');

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

/** To the slow path unless the condition on the stack holds. */
function need(x: Fast): void {
  x.f.op(OP.i32.eqz);
  x.f.brIf(x.slow, false);
}

function needNearest(x: Fast): void {
  x.f.get(x.mxcsr);
  x.f.i32(ROUNDING);
  x.f.op(OP.i32.and);
  x.f.brIf(x.slow, false);
}

/** Leaves 1 if PE is set and masked. */
function inexactSeen(x: Fast): void {
  x.f.get(x.mxcsr);
  x.f.i32(INEXACT_SEEN);
  x.f.op(OP.i32.and);
  x.f.i32(INEXACT_SEEN);
  x.f.op(OP.i32.eq);
}

/** The operand as a float in a new local. */
function operand(x: Fast, n: number): number {
  const local = x.l.locals.take(floatType(x.width));
  x.f.get(x.bits[n] ?? bug(`floating-point operand ${n} is missing`));
  x.f.op(x.width === 64 ? OP.f64.reinterpret_i64 : OP.f32.reinterpret_i32);
  x.f.set(local);
  return local;
}

const pushConstant = (f: FunctionBuilder, width: 32 | 64, value: number) => (width === 64 ? f.f64(value) : f.f32(value));

/** Leaves 1 if the float is zero, or at least `least` in magnitude (not a NaN). */
function zeroOrAtLeast({ f }: Fast, width: 32 | 64, local: number, least: number): void {
  const ops = OP[floatType(width)];
  f.get(local);
  f.op(ops.abs);
  pushConstant(f, width, least);
  // ge, spelled by its opcode for both types: lt, gt, le, ge follow each other.
  f.op(ops.lt + 3);
  isZero(f, width, local);
  f.op(OP.i32.or);
}

function isZero(f: FunctionBuilder, width: 32 | 64, local: number): void {
  f.get(local);
  pushConstant(f, width, 0);
  f.op(OP[floatType(width)].eq);
}

function needOrdinary(x: Fast, local: number): void {
  zeroOrAtLeast(x, x.width, local, MIN_NORMAL[floatType(x.width)]);
  need(x);
}

/** The magnitude must be below `limit`. */
function needBelow(x: Fast, width: 32 | 64, local: number, limit: number): void {
  const ops = OP[floatType(width)];
  x.f.get(local);
  x.f.op(ops.abs);
  pushConstant(x.f, width, limit);
  x.f.op(ops.lt);
  need(x);
}

function setResult(x: Fast, local: number): void {
  x.f.get(local);
  x.f.op(x.to === 64 ? OP.i64.reinterpret_f64 : OP.i32.reinterpret_f32);
  x.f.set(x.result);
}

function arithmetic(x: Fast, op: 'fadd' | 'fsub' | 'fmul' | 'fdiv' | 'fsqrt'): void {
  const { f, width } = x;
  const ops = OP[floatType(width)];
  needNearest(x);
  const a = operand(x, 0);
  const b = op === 'fsqrt' ? a : operand(x, 1);
  needOrdinary(x, a);
  if (b !== a) needOrdinary(x, b);
  const r = x.l.locals.take(floatType(width));
  f.get(a);
  if (op !== 'fsqrt') f.get(b);
  f.op({ fadd: ops.add, fsub: ops.sub, fmul: ops.mul, fdiv: ops.div, fsqrt: ops.sqrt }[op]);
  f.set(r);
  needBelow(x, width, r, Number.POSITIVE_INFINITY);
  // A zero result is exact unless it came by underflow: of a product or quotient without a zero operand.
  zeroOrAtLeast(x, width, r, 2 * MIN_NORMAL[floatType(width)]);
  if (op === 'fmul' || op === 'fdiv') {
    isZero(f, width, r);
    f.op(OP.i32.eqz);
    isZero(f, width, a);
    f.op(OP.i32.or);
    if (op === 'fmul') {
      isZero(f, width, b);
      f.op(OP.i32.or);
    }
    f.op(OP.i32.and);
  }
  need(x);
  inexactSeen(x);
  f.if(undefined, true);
  f.else();
  needExact(x, op, a, b, r);
  f.end();
  setResult(x, r);
}

/** The result must be the exact one (it is finite, and the operands ordinary). */
function needExact(x: Fast, op: 'fadd' | 'fsub' | 'fmul' | 'fdiv' | 'fsqrt', a: number, b: number, r: number): void {
  const { f, width } = x;
  const ops = OP[floatType(width)];
  if (op === 'fadd' || op === 'fsub') {
    // Knuth's TwoSum: the error of s = a + b is (a − (s − v)) + (b − v) with v = s − a. For a difference b is negated.
    const v = x.l.locals.take(floatType(width));
    const operandB = () => {
      f.get(b);
      if (op === 'fsub') f.op(ops.neg);
    };
    f.get(r);
    f.get(a);
    f.op(ops.sub);
    f.set(v);
    f.get(a);
    f.get(r);
    f.get(v);
    f.op(ops.sub, ops.sub);
    operandB();
    f.get(v);
    f.op(ops.sub, ops.add);
    pushConstant(f, width, 0);
    f.op(ops.eq);
    return need(x);
  }
  if (op !== 'fmul') return f.br(x.slow);
  if (width === 32) {
    // A product of two 24-bit significands is exact in f64.
    f.get(a);
    f.op(OP.f64.promote_f32);
    f.get(b);
    f.op(OP.f64.promote_f32, OP.f64.mul);
    f.get(r);
    f.op(OP.f64.promote_f32, OP.f64.eq);
    return need(x);
  }
  // At most 26 and 27 significant bits.
  for (const [i, mask] of [0x7ff_ffffn, 0x3ff_ffffn].entries()) {
    f.get(x.bits[i] ?? bug('operand'));
    f.i64(mask);
    f.op(OP.i64.and, OP.i64.eqz);
    need(x);
  }
}

/** MIN and MAX: the first operand if it compares so, else the second. */
function choose(x: Fast, comparison: number): void {
  const [a, b] = [operand(x, 0), operand(x, 1)];
  needOrdinary(x, a);
  needOrdinary(x, b);
  x.f.get(x.bits[0] ?? bug('operand'));
  x.f.get(x.bits[1] ?? bug('operand'));
  x.f.get(a);
  x.f.get(b);
  x.f.op(comparison, OP.select);
  x.f.set(x.result);
}

/** 1 less, 2 equal, 0 greater; unordered takes the slow path. */
function compare(x: Fast): void {
  const { f } = x;
  const ops = OP[floatType(x.width)];
  const [a, b] = [operand(x, 0), operand(x, 1)];
  needOrdinary(x, a);
  needOrdinary(x, b);
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
  const { f } = x;
  needNearest(x);
  const a = operand(x, 0);
  const r = x.l.locals.take('f32');
  needOrdinary(x, a);
  f.get(a);
  f.op(OP.f32.demote_f64);
  f.set(r);
  needBelow(x, 32, r, Number.POSITIVE_INFINITY);
  f.get(r);
  f.op(OP.f32.abs);
  f.f32(2 * MIN_NORMAL.f32);
  f.op(OP.f32.lt + 3);
  isZero(f, 64, a);
  f.op(OP.i32.or);
  need(x);
  inexactSeen(x);
  f.get(r);
  f.op(OP.f64.promote_f32);
  f.get(a);
  f.op(OP.f64.eq, OP.i32.or);
  need(x);
  setResult(x, r);
}

function widen(x: Fast): void {
  const a = operand(x, 0);
  needOrdinary(x, a);
  x.f.get(a);
  x.f.op(OP.f64.promote_f32, OP.i64.reinterpret_f64);
  x.f.set(x.result);
}

function fromInteger(x: Fast): void {
  const { f } = x;
  const ops = OP[floatType(x.to)];
  const bits = x.bits[0] ?? bug('operand');
  const r = x.l.locals.take(floatType(x.to));
  f.get(bits);
  f.op(x.width === 64 ? ops.convert_i64_s : ops.convert_i32_s);
  f.set(r);
  if (x.width === 64 || x.to === 32) {
    needNearest(x);
    inexactSeen(x);
    // Exact for sure: magnitudes up to 2^24 (2^53).
    f.get(bits);
    if (x.width === 32) f.op(OP.i64.extend_i32_s);
    const limit = x.to === 64 ? 1n << 53n : 1n << 24n;
    f.i64(limit);
    f.op(OP.i64.add);
    f.i64(2n * limit);
    f.op(OP.i64.le_u, OP.i32.or);
    need(x);
  }
  setResult(x, r);
}

function toInteger(x: Fast, rounds: boolean): void {
  const { f } = x;
  const source = operand(x, 0);
  needOrdinary(x, source);
  const a = x.width === 64 ? source : x.l.locals.take('f64');
  if (x.width === 32) {
    f.get(source);
    f.op(OP.f64.promote_f32);
    f.set(a);
  }
  const limit = x.to === 64 ? 2 ** 63 - 1024 : 2 ** 31 - 1;
  needBelow(x, 64, a, limit);
  if (rounds) needNearest(x);
  f.get(a);
  if (rounds) f.op(OP.f64.nearest);
  f.truncSaturatedF64(x.to === 64 ? 'i64' : 'i32');
  f.set(x.result);
  inexactSeen(x);
  f.get(x.result);
  f.op(x.to === 64 ? OP.f64.convert_i64_s : OP.f64.convert_i32_s);
  f.get(a);
  f.op(OP.f64.eq, OP.i32.or);
  need(x);
}
