/**
 * Terms → WebAssembly expressions. A reader of rows that knows operations, never instructions: tier 0 and tier 1 share it.
 *
 * Representation on the Wasm stack: widths 1–32 are i32, 64 is i64, 128 is two i64 *halves* that are asked for one by one. A value of
 * width 1, 8 or 16 is *clean* when the bits above its width are zero; operations that do not care (add, and, shl, …) take and give
 * unclean ones, everything that leaves this module is clean.
 *
 * How to use it: `prepare` all terms that will be asked for (equal subterms become one, each computed once into a local), then `push`,
 * `half` or `condition` in any order, on one straight line of code: a subterm is computed where it is first needed.
 *
 * Where the values of inputs come from is the environment's business (`Environment`): decoded entries in tier 0.
 */
import { bug } from '../isa/bug.ts';
import { isFloatOp, type Width } from '../isa/ops.ts';
import type { Source, Term } from '../isa/term.ts';
import { CanonicalTerms } from './canonical-terms.ts';
import { givesFloat, lowered, lowerFloat, lowerFloatStatus } from './lower-float.ts';
import { callInteger, lowerBswap, lowerMulHigh, lowerWideDivision } from './lower-integer.ts';
import { type Environment, type FloatValue, type LocalPool, type LoweringContext, type Services, typeOf } from './lowering-context.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

export class Lowering implements LoweringContext {
  readonly f: FunctionBuilder;
  readonly locals: LocalPool;
  readonly services: Services;
  readonly floats = new Map<Term, FloatValue>();
  /** Floating-point operands that have been found to be zero or ordinary numbers. */
  readonly #ordinary = new Set<Term>();
  readonly #environment: Environment;
  readonly #terms = new CanonicalTerms();
  readonly #uses = new Map<Term, number>();
  readonly #memo = new Map<Term, number>();
  readonly #halves = new Map<Term, [number | undefined, number | undefined]>();

  constructor(f: FunctionBuilder, environment: Environment, locals: LocalPool, services: Services) {
    this.f = f;
    this.#environment = environment;
    this.locals = locals;
    this.services = services;
  }

  /** Announces terms: each counts as one use. */
  prepare(...roots: readonly Term[]): void {
    for (const root of roots) this.#count(this.canonical(root));
  }

  /** Leaves the clean value on the stack; widths up to 64. */
  push(term: Term): void {
    const t = this.canonical(term);
    this.#pushAny(t);
    if (!this.#isClean(t)) this.#clean(t.width);
  }

  /** Like `push`, but the bits above a width of 8 or 16 may be anything. */
  pushLoose(term: Term): void {
    this.#pushAny(this.canonical(term));
  }

  /** Leaves an i32 that is zero exactly if the term (width 1) is. */
  condition(term: Term): void {
    const t = this.canonical(term);
    const inner = t.args[0];
    if (t.op === 'extract' && inner !== undefined && t.lo === inner.width - 1 && (inner.width === 32 || inner.width === 64)) {
      this.push(inner);
      if (inner.width === 64) this.f.i64(0n);
      else this.f.i32(0);
      this.f.op(inner.width === 64 ? OP.i64.lt_s : OP.i32.lt_s);
      return;
    }
    this.push(t);
  }

  /** Leaves the i64 half (0 low, 1 high) of a 128-bit term on the stack. */
  half(term: Term, half: 0 | 1): void {
    const t = this.canonical(term);
    if (t.width !== 128) bug(`half of a term of width ${t.width}`);
    if (t.op === 'const') return this.f.i64((t.value >> (half === 0 ? 0n : 64n)) & 0xffff_ffff_ffff_ffffn);
    const memo = this.#halves.get(t);
    const known = memo?.[half];
    if (known !== undefined) return this.f.get(known);
    this.#computeHalf(t, half);
    if ((this.#uses.get(t) ?? 0) < 2) return;
    const local = this.locals.take('i64');
    this.f.tee(local);
    const pair = memo ?? [undefined, undefined];
    pair[half] = local;
    this.#halves.set(t, pair);
  }

  /** Leaves the value, widened without sign to 64 bits. */
  push64(term: Term): void {
    this.push(term);
    if (term.width < 64) this.f.op(OP.i64.extend_i32_u);
  }

  /** Computes a floating-point term, for what it may raise. */
  compute(term: Term): void {
    lowered(this, this.canonical(term));
  }

  pushFloat(term: Term): void {
    const t = this.canonical(term);
    if (givesFloat(t.op)) return this.f.get(lowered(this, t).result);
    const [source, half] = floatSource(t);
    const local = source === null ? null : (this.#environment.floats?.local(source, half) ?? null);
    if (local !== null) return this.f.get(local);
    this.push(t);
    this.f.op(t.width === 64 ? OP.f64.reinterpret_i64 : OP.f32.reinterpret_i32);
  }

  isOrdinary(term: Term): boolean {
    // Without a way to give up the service may have given the result, or dealt with the operand.
    if (this.services.giveUp === null) return false;
    const t = this.canonical(term);
    if (givesFloat(t.op) || (t.op === 'const' && t.value === 0n) || this.#ordinary.has(t)) return true;
    const [source, half] = floatSource(t);
    return source !== null && this.#environment.floats?.isOrdinary(source, half) === true;
  }

  noteOrdinary(term: Term): void {
    if (this.services.giveUp === null) return;
    const t = this.canonical(term);
    this.#ordinary.add(t);
    const [source, half] = floatSource(t);
    if (source !== null) this.#environment.floats?.noteOrdinary(source, half);
  }

  /** The value in a fresh local. */
  toLocal(term: Term): number {
    const local = this.locals.take(typeOf(term.width));
    this.push(term);
    this.f.set(local);
    return local;
  }

  /** Sign-extended to the whole i32 or i64. */
  pushSigned(term: Term): void {
    this.pushLoose(term);
    this.signExtend(term.width);
  }

  /** Extends the sign of the narrow i32 on the stack. */
  signExtend(width: Width): void {
    if (width === 8) this.f.op(OP.i32.extend8_s);
    else if (width === 16) this.f.op(OP.i32.extend16_s);
    else if (width === 1) {
      this.f.i32(31);
      this.f.op(OP.i32.shl);
      this.f.i32(31);
      this.f.op(OP.i32.shr_s);
    }
  }

  /** The same number for equal terms. */
  id(term: Term): number {
    return this.#terms.id(term);
  }

  /** The one term that stands for all terms of this structure. */
  canonical(term: Term): Term {
    return this.#terms.of(term);
  }

  arg(t: Term, n: number): Term {
    return t.args[n] ?? bug(`${t.op} has no operand ${n}`);
  }

  #count(t: Term): void {
    const before = this.#uses.get(t) ?? 0;
    this.#uses.set(t, before + 1);
    if (before === 0) for (const a of t.args) this.#count(this.canonical(a));
  }

  #clean(width: Width): void {
    this.f.i32(width === 8 ? 0xff : width === 16 ? 0xffff : bug(`width ${width} is always clean`));
    this.f.op(OP.i32.and);
  }

  /** Whether `#pushAny` leaves a clean value. */
  #isClean(t: Term): boolean {
    if ((t.width !== 8 && t.width !== 16) || this.#memo.has(t)) return true;
    const clean = (n: number) => this.#isClean(this.canonical(this.arg(t, n)));
    switch (t.op) {
      case 'add':
      case 'sub':
      case 'mul':
      case 'shl':
      case 'not':
      case 'neg':
      case 'sext':
      case 'trunc':
        return false;
      case 'ashr':
        return false;
      case 'and':
        return clean(0) || clean(1);
      case 'or':
      case 'xor':
        return clean(0) && clean(1);
      default:
        return true;
    }
  }

  /** Pushes from the memo, or computes (and remembers, cleaned, if there are more uses). */
  #pushAny(t: Term): void {
    if (t.op === 'const') {
      if (t.width === 64) this.f.i64(t.value);
      else this.f.i32(Number(t.value));
      return;
    }
    const local = this.#memo.get(t);
    if (local !== undefined) return this.f.get(local);
    this.#compute(t);
    if ((this.#uses.get(t) ?? 0) < 2) return;
    if (!this.#isClean(t)) this.#clean(t.width);
    const fresh = this.locals.take(typeOf(t.width));
    this.f.tee(fresh);
    this.#memo.set(t, fresh);
  }

  #compute(t: Term): void {
    const { f } = this;
    const wide = t.width === 64;
    const ops = wide ? OP.i64 : OP.i32;
    const a = () => this.arg(t, 0);
    const b = () => this.arg(t, 1);
    const loose2 = (op: number) => {
      this.pushLoose(a());
      this.pushLoose(b());
      f.op(op);
    };
    if (isFloatOp(t.op)) return lowerFloat(this, t);
    switch (t.op) {
      case 'const':
        return bug('constants are pushed elsewhere');
      case 'input':
        return this.#environment.input(t.source ?? bug('input without a source'), t.width);
      case 'fstatus':
        return lowerFloatStatus(this, t);
      case 'add':
        return loose2(ops.add);
      case 'sub':
        return loose2(ops.sub);
      case 'mul':
        return loose2(ops.mul);
      case 'and':
        return loose2(ops.and);
      case 'or':
        return loose2(ops.or);
      case 'xor':
        return loose2(ops.xor);
      case 'not':
        this.pushLoose(a());
        if (t.width === 1) return f.op(OP.i32.eqz);
        if (wide) f.i64(-1n);
        else f.i32(-1);
        return f.op(ops.xor);
      case 'neg':
        if (wide) f.i64(0n);
        else f.i32(0);
        this.pushLoose(a());
        return f.op(ops.sub);
      case 'shl':
      case 'lshr':
      case 'ashr':
        return this.#shift(t, t.op);
      case 'umulh':
      case 'smulh':
        return lowerMulHigh(this, t, t.op === 'smulh');
      case 'udiv':
      case 'urem':
      case 'sdiv':
      case 'srem':
        return this.#divide(t, t.op);
      case 'udivw':
      case 'uremw':
        return lowerWideDivision(this, t, t.op);
      case 'pdep':
      case 'pext':
        return callInteger(this, t.op, t.width, [a(), b()]);
      case 'eq':
        return this.#equal(a(), b());
      case 'ult':
        this.push(a());
        this.push(b());
        return f.op(a().width === 64 ? OP.i64.lt_u : OP.i32.lt_u);
      case 'slt':
        this.pushSigned(a());
        this.pushSigned(b());
        return f.op(a().width === 64 ? OP.i64.lt_s : OP.i32.lt_s);
      case 'ite':
        this.push(b());
        this.push(this.arg(t, 2));
        this.condition(a());
        return f.op(OP.select);
      case 'zext':
        this.push(a());
        if (wide && a().width < 64) f.op(OP.i64.extend_i32_u);
        return;
      case 'sext':
        this.pushSigned(a());
        if (wide && a().width < 64) f.op(OP.i64.extend_i32_s);
        return;
      case 'trunc':
        if (a().width === 128) return this.#extract(a(), 0, t.width);
        this.pushLoose(a());
        if (a().width === 64) f.op(OP.i32.wrap_i64);
        if (t.width === 1) {
          f.i32(1);
          f.op(OP.i32.and);
        }
        return;
      case 'extract':
        return this.#extract(a(), t.lo, t.width);
      case 'concat':
        return this.#concat(t.args, t.width);
      case 'popcnt':
        this.push(a());
        return f.op(ops.popcnt);
      case 'clz':
        this.push(a());
        f.op(ops.clz);
        if (t.width < 32) {
          f.i32(32 - t.width);
          f.op(OP.i32.sub);
        }
        return;
      case 'ctz':
        this.push(a());
        if (t.width < 32) {
          f.i32(1 << t.width);
          f.op(OP.i32.or);
        }
        return f.op(ops.ctz);
      case 'bswap':
        return lowerBswap(this, t);
      case 'parity':
        this.push(a());
        if (a().width === 64) f.op(OP.i32.wrap_i64);
        f.i32(0xff);
        f.op(OP.i32.and, OP.i32.popcnt);
        f.i32(1);
        f.op(OP.i32.and, OP.i32.eqz);
        return;
      default:
        return bug(`no lowering for ${t.op satisfies never}`);
    }
  }

  #equal(a: Term, b: Term): void {
    const { f } = this;
    this.push(a);
    if (b.op === 'const' && b.value === 0n) return f.op(a.width === 64 ? OP.i64.eqz : OP.i32.eqz);
    this.push(b);
    f.op(a.width === 64 ? OP.i64.eq : OP.i32.eq);
  }

  /** Counts of `width` or more give zero, or the sign; Wasm takes counts modulo 32 or 64. */
  #shift(t: Term, op: 'shl' | 'lshr' | 'ashr'): void {
    const { f } = this;
    const wide = t.width === 64;
    const ops = wide ? OP.i64 : OP.i32;
    const limit = wide ? 64n : 32n;
    const value = this.arg(t, 0);
    const count = this.arg(t, 1);
    const bounded = maximum(count) < limit;
    if (op === 'shl') this.pushLoose(value);
    else if (op === 'lshr') this.push(value);
    else this.pushSigned(value);
    if (bounded) {
      this.push(count);
      return f.op(op === 'shl' ? ops.shl : op === 'lshr' ? ops.shr_u : ops.shr_s);
    }
    const c = this.toLocal(count);
    const isLarge = () => {
      f.get(c);
      if (wide) f.i64(limit);
      else f.i32(Number(limit));
      f.op(ops.ge_u);
    };
    if (op === 'ashr') {
      if (wide) f.i64(63n);
      else f.i32(31);
      f.get(c);
      isLarge();
      return f.op(OP.select, ops.shr_s);
    }
    const v = this.locals.take(typeOf(t.width));
    f.get(c);
    f.op(op === 'shl' ? ops.shl : ops.shr_u);
    f.set(v);
    if (wide) f.i64(0n);
    else f.i32(0);
    f.get(v);
    isLarge();
    f.op(OP.select);
  }

  /** Division by zero gives 0, and the most negative number by −1 gives itself (remainder 0). */
  #divide(t: Term, op: 'udiv' | 'urem' | 'sdiv' | 'srem'): void {
    const { f } = this;
    const wide = t.width === 64;
    const ops = wide ? OP.i64 : OP.i32;
    const type = typeOf(t.width);
    const signed = op === 'sdiv' || op === 'srem';
    const take = (term: Term) => {
      const local = this.locals.take(type);
      if (signed) this.pushSigned(term);
      else this.push(term);
      f.set(local);
      return local;
    };
    const n = take(this.arg(t, 0));
    const d = take(this.arg(t, 1));
    const zero = () => (wide ? f.i64(0n) : f.i32(0));
    f.get(d);
    f.op(ops.eqz);
    f.if(type);
    zero();
    f.else();
    if (op === 'sdiv') {
      f.get(d);
      if (wide) f.i64(-1n);
      else f.i32(-1);
      f.op(ops.eq);
      f.if(type);
      zero();
      f.get(n);
      f.op(ops.sub);
      f.else();
    }
    f.get(n);
    f.get(d);
    f.op({ udiv: ops.div_u, urem: ops.rem_u, sdiv: ops.div_s, srem: ops.rem_s }[op]);
    if (op === 'sdiv') f.end();
    f.end();
    if (t.width < 32) this.#clean(t.width);
  }

  #extract(from: Term, lo: number, width: Width): void {
    const { f } = this;
    if (from.width === 128) {
      const n = lo < 64 ? 0 : 1;
      const shift = lo - 64 * n;
      this.half(from, n);
      this.#shiftRight64(shift);
      if (shift + width > 64) {
        this.half(from, 1);
        f.i64(BigInt(64 - shift));
        f.op(OP.i64.shl, OP.i64.or);
      }
      if (width === 64) return;
      f.op(OP.i32.wrap_i64);
      return this.#mask(width, shift + width === 64);
    }
    if (from.width === 64) {
      this.push(from);
      this.#shiftRight64(lo);
      f.op(OP.i32.wrap_i64);
      return this.#mask(width, lo + width === 64);
    }
    this.push(from);
    if (lo > 0) {
      f.i32(lo);
      f.op(OP.i32.shr_u);
    }
    this.#mask(width, lo + width === from.width);
  }

  #shiftRight64(count: number): void {
    if (count === 0) return;
    this.f.i64(BigInt(count));
    this.f.op(OP.i64.shr_u);
  }

  #mask(width: Width, isTop: boolean): void {
    if (isTop || width >= 32) return;
    this.f.i32(2 ** width - 1);
    this.f.op(OP.i32.and);
  }

  /** Parts (most significant first) that fit 64 bits together. */
  #concat(parts: readonly Term[], width: Width): void {
    const { f } = this;
    const wide = width === 64;
    let at = width as number;
    let isFirst = true;
    for (const part of parts) {
      at -= part.width;
      if (part.op === 'const' && part.value === 0n) continue;
      if (wide) this.push64(part);
      else this.push(part);
      if (at > 0) {
        if (wide) f.i64(BigInt(at));
        else f.i32(at);
        f.op(wide ? OP.i64.shl : OP.i32.shl);
      }
      if (!isFirst) f.op(wide ? OP.i64.or : OP.i32.or);
      isFirst = false;
    }
    if (!isFirst) return;
    if (wide) f.i64(0n);
    else f.i32(0);
  }

  #computeHalf(t: Term, half: 0 | 1): void {
    const { f } = this;
    const a = () => this.arg(t, 0);
    const both = (op: number) => {
      this.half(a(), half);
      this.half(this.arg(t, 1), half);
      f.op(op);
    };
    switch (t.op) {
      case 'input':
        return this.#environment.inputHalf(t.source ?? bug('input without a source'), half);
      case 'and':
        return both(OP.i64.and);
      case 'or':
        return both(OP.i64.or);
      case 'xor':
        return both(OP.i64.xor);
      case 'not':
        this.half(a(), half);
        f.i64(-1n);
        return f.op(OP.i64.xor);
      case 'ite':
        this.half(this.arg(t, 1), half);
        this.half(this.arg(t, 2), half);
        this.condition(a());
        return f.op(OP.select);
      case 'zext':
        if (half === 1) return f.i64(0n);
        return this.push64(a());
      case 'concat':
        return this.#concatHalf(t.args, half);
      default:
        return bug(`no 128-bit lowering for ${t.op}`);
    }
  }

  #concatHalf(parts: readonly Term[], half: 0 | 1): void {
    const inside: Term[] = [];
    let at = 128;
    for (const part of parts) {
      at -= part.width;
      const isHigh = at >= 64;
      if (!isHigh && at + part.width > 64) bug('a part of a concat crosses bit 64');
      if (isHigh === (half === 1)) inside.push(part);
    }
    const [only] = inside;
    if (inside.length === 1 && only !== undefined && only.width === 64) return this.push(only);
    this.#concat(inside, 64);
  }
}

/** The input that a term of 64 bits is, or is a half of; null: it is none. */
function floatSource(t: Term): [source: Source | null, half: 0 | 1] {
  if (t.width !== 64) return [null, 0];
  if (t.op === 'input') return [t.source, 0];
  const whole = t.args[0];
  if (t.op !== 'extract' || whole?.op !== 'input' || whole.width !== 128 || t.lo % 64 !== 0) return [null, 0];
  return [whole.source, t.lo === 0 ? 0 : 1];
}

/** An upper bound of the term's value, from its structure: for shift counts. */
export function maximum(t: Term): bigint {
  const [a, b, c] = t.args;
  const all = (1n << BigInt(t.width)) - 1n;
  if (t.op === 'const') return t.value;
  if (t.op === 'and' && a !== undefined && b !== undefined) {
    const [x, y] = [maximum(a), maximum(b)];
    if (x < y) return x;
    return y;
  }
  if (t.op === 'zext' && a !== undefined) return maximum(a);
  if (t.op === 'trunc' && a !== undefined && maximum(a) <= all) return maximum(a);
  if (t.op === 'urem' && b?.op === 'const' && b.value > 0n) return b.value - 1n;
  if (t.op === 'ite' && b !== undefined && c !== undefined) {
    const [x, y] = [maximum(b), maximum(c)];
    if (x > y) return x;
    return y;
  }
  return all;
}
