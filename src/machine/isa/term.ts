/**
 * Terms: the language in which rows say what an instruction does. A term is immutable, has a width, and is checked when it is built;
 * sharing is by reference, so a reader that wants each subterm once keeps a `Map<Term, …>`.
 *
 *     const sum = dst.add(src);
 *     const carry = sum.ult(dst);
 *
 * All integer operations are modulo 2^width. Nothing is partial: shifts by width or more give 0 (ashr: the sign), division by zero
 * or with a quotient that does not fit gives 0 (a fault step stands before it in the row). What each operation computes is written in
 * `compute.ts` (integers) and `float.ts` (floating point), nowhere else in this folder.
 */
import { bug } from './bug.ts';
import { compute } from './compute.ts';
import type { Flag } from './flags.ts';
import { type FloatOp, type IntegerOp, isFloatOp, type Op, type Width } from './ops.ts';
import type { SegmentIndex } from './registers.ts';

/** Registers of the system that rows read or write as values. `stackMask`: 0xffff, 0xffffffff or all ones, the width of SP by SS.B and mode (read only). Selectors are 16 bits wide, `mxcsr` 32, `fcw fsw` 16, `ftw` 8 (the abridged tags of FXSAVE), the rest 64. */
export type Special =
  | 'rflags' | 'cr0' | 'cr4' | 'cpl' | 'mxcsr' | 'fcw' | 'fsw' | 'ftw' | 'fsBase' | 'gsBase'
  | 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'ldtr' | 'tr' | 'stackMask'
  // Of no row: RFLAGS without its status flags, what SYSCALL loads, and control registers that helpers read.
  | 'rflagsRest' | 'lstar' | 'fmask' | 'cr2' | 'cr3'; // biome-ignore format: grouped

/** What an input term stands for. */
export type Source =
  /** The value of the register or immediate operand `index`, at the operand's width. */
  | { readonly kind: 'operand'; readonly index: number }
  /** The offset (effective address, before the segment's base) of the memory operand `index`, zero-extended to 64 bits. */
  | { readonly kind: 'offset'; readonly index: number }
  /** The low `width` bits of a general register that the row names itself. */
  | { readonly kind: 'gpr'; readonly index: number }
  | { readonly kind: 'xmm'; readonly index: number }
  | { readonly kind: 'flag'; readonly flag: Flag }
  /** What the load step with this number (its index in `Effect.steps`) read. */
  | { readonly kind: 'loaded'; readonly step: number }
  /** Address of this instruction, and of the next one: offsets in CS, width 64. */
  | { readonly kind: 'rip' }
  | { readonly kind: 'nextRip' }
  | { readonly kind: 'segmentBase'; readonly segment: SegmentIndex }
  | { readonly kind: 'special'; readonly name: Special };

const nothing: readonly Term[] = [];
const mask = (width: number) => (1n << BigInt(width)) - 1n;

function fail(op: string, args: readonly Term[], why: string): never {
  return bug(`term ${op}(${args.map((a) => `${a.op}:${a.width}`).join(', ')}): ${why}`);
}

export class Term {
  readonly op: Op;
  readonly width: Width;
  readonly args: readonly Term[];
  /** Of `const`: the value, unsigned. Else 0. */
  readonly value: bigint;
  /** Of `extract`: the lowest bit taken. Else 0. */
  readonly lo: number;
  /** Of `input`: what it stands for. Else null. */
  readonly source: Source | null;

  /** Use the functions and methods below: they check widths and fold constants. */
  constructor(op: Op, width: Width, args: readonly Term[], value: bigint, lo: number, source: Source | null) {
    this.op = op;
    this.width = width;
    this.args = args;
    this.value = value;
    this.lo = lo;
    this.source = source;
  }

  // Arithmetic and logic, both operands of one width.
  add(b: Term): Term {
    if (isConst(b, 0n) && b.width === this.width) return this;
    if (isConst(this, 0n) && b.width === this.width) return b;
    return same('add', this, b);
  }
  sub(b: Term): Term {
    return isConst(b, 0n) && b.width === this.width ? this : same('sub', this, b);
  }
  mul(b: Term): Term {
    return same('mul', this, b);
  }
  and(b: Term): Term {
    if (this.width === b.width) {
      if (isConst(this, 0n) || isConst(b, mask(b.width))) return this;
      if (isConst(b, 0n) || isConst(this, mask(this.width))) return b;
    }
    return logic('and', this, b);
  }
  or(b: Term): Term {
    if (this.width === b.width) {
      if (isConst(this, 0n) || isConst(b, mask(b.width))) return b;
      if (isConst(b, 0n) || isConst(this, mask(this.width))) return this;
    }
    return logic('or', this, b);
  }
  xor(b: Term): Term {
    if (this.width === b.width) {
      if (isConst(this, 0n)) return b;
      if (isConst(b, 0n)) return this;
    }
    return logic('xor', this, b);
  }
  get not(): Term {
    return make('not', this.width, [this]);
  }
  get neg(): Term {
    return unary('neg', this);
  }
  /** Counts have the same width as the value; width or more gives 0, or the sign. */
  shl(count: Term): Term {
    return same('shl', this, count);
  }
  lshr(count: Term): Term {
    return same('lshr', this, count);
  }
  ashr(count: Term): Term {
    return same('ashr', this, count);
  }
  umulh(b: Term): Term {
    return same('umulh', this, b);
  }
  smulh(b: Term): Term {
    return same('smulh', this, b);
  }
  udiv(b: Term): Term {
    return same('udiv', this, b);
  }
  urem(b: Term): Term {
    return same('urem', this, b);
  }
  sdiv(b: Term): Term {
    return same('sdiv', this, b);
  }
  srem(b: Term): Term {
    return same('srem', this, b);
  }
  pdep(m: Term): Term {
    return same('pdep', this, m);
  }
  pext(m: Term): Term {
    return same('pext', this, m);
  }
  get popcnt(): Term {
    return unary('popcnt', this);
  }
  get clz(): Term {
    return unary('clz', this);
  }
  get ctz(): Term {
    return unary('ctz', this);
  }
  get bswap(): Term {
    return unary('bswap', this);
  }

  // Comparisons: width 1.
  eq(b: Term): Term {
    return compare('eq', this, b);
  }
  ne(b: Term): Term {
    return compare('eq', this, b).not;
  }
  ult(b: Term): Term {
    return compare('ult', this, b);
  }
  slt(b: Term): Term {
    return compare('slt', this, b);
  }
  get isZero(): Term {
    return compare('eq', this, constant(0n, this.width));
  }
  get isNotZero(): Term {
    return this.isZero.not;
  }
  /** PF's rule: 1 if the low byte has an even number of ones. */
  get parity(): Term {
    return make('parity', 1, [this.width === 8 ? this : this.extract(0, 8)]);
  }

  // Bits and widths.
  /** The most significant bit. */
  get sign(): Term {
    return this.extract(this.width - 1, 1);
  }
  bit(n: number): Term {
    return this.extract(n, 1);
  }
  /** `width` bits from bit `lo` on. */
  extract(lo: number, width: Width): Term {
    if (lo === 0 && width === this.width) return this;
    if (lo < 0 || lo + width > this.width) return fail('extract', [this], `bits ${lo + width - 1}:${lo}`);
    if (this.op === 'concat') {
      let at = this.width as number;
      for (const part of this.args) {
        at -= part.width;
        if (lo >= at && lo + width <= at + part.width) return part.extract(lo - at, width);
      }
    }
    if (this.op === 'extract') return (this.args[0] as Term).extract(this.lo + lo, width);
    const inner = this.args[0];
    if (this.op === 'zext' && inner !== undefined) {
      if (lo + width <= inner.width) return inner.extract(lo, width);
      if (lo >= inner.width) return constant(0n, width);
    }
    return make('extract', width, [this], lo);
  }
  /** The low bits. */
  trunc(width: Width): Term {
    if (width === this.width) return this;
    if (width > this.width) return fail('trunc', [this], `to ${width}`);
    const inner = this.args[0];
    if ((this.op === 'zext' || this.op === 'sext') && inner !== undefined) {
      if (width === inner.width) return inner;
      if (width < inner.width) return inner.trunc(width);
    }
    if (width === 1 || this.width === 128) return this.extract(0, width);
    return make('trunc', width, [this]);
  }
  zext(width: Width): Term {
    if (width === this.width) return this;
    return width < this.width ? fail('zext', [this], `to ${width}`) : make('zext', width, [this]);
  }
  sext(width: Width): Term {
    if (width === this.width) return this;
    if (width < this.width || width === 128) return fail('sext', [this], `to ${width}`);
    return make('sext', width, [this]);
  }
  /** Zero-extends or truncates. */
  resize(width: Width): Term {
    return width < this.width ? this.trunc(width) : this.zext(width);
  }
  /** This term is the condition. */
  ite(then: Term, otherwise: Term): Term {
    if (this.width !== 1 || then.width !== otherwise.width) return fail('ite', [this, then, otherwise], 'widths');
    if (this.op === 'const') return this.value === 1n ? then : otherwise;
    return then === otherwise ? then : make('ite', then.width, [this, then, otherwise]);
  }
  /** Lanes of `width` bits, lowest first. */
  lanes(width: Width): Term[] {
    return Array.from({ length: this.width / width }, (_, i) => this.extract(i * width, width));
  }
}

/** Is it this constant? */
export const isConst = (t: Term, value: bigint) => t.op === 'const' && t.value === value;

function make(op: IntegerOp, width: Width, args: readonly Term[], lo = 0): Term {
  for (const a of args) if (a.op !== 'const') return new Term(op, width, args, 0n, lo, null);
  return constant(
    compute(
      op,
      width,
      args.map((a) => a.value),
      args.map((a) => a.width),
      lo,
    ),
    width,
  );
}
function same(op: IntegerOp, a: Term, b: Term): Term {
  if (a.width !== b.width || a.width === 1 || a.width === 128) return fail(op, [a, b], 'two operands of one width of 8 to 64');
  return make(op, a.width, [a, b]);
}
function logic(op: IntegerOp, a: Term, b: Term): Term {
  return a.width === b.width ? make(op, a.width, [a, b]) : fail(op, [a, b], 'widths');
}
function unary(op: IntegerOp, a: Term): Term {
  return a.width === 1 || a.width === 128 ? fail(op, [a], 'width of 8 to 64') : make(op, a.width, [a]);
}
function compare(op: IntegerOp, a: Term, b: Term): Term {
  return a.width === b.width && a.width !== 128 ? make(op, 1, [a, b]) : fail(op, [a, b], 'two operands of one width up to 64');
}

/** A constant; `value` may be negative (two's complement) but must fit the width. */
export function constant(value: bigint | number, width: Width): Term {
  const v = BigInt(value);
  const unsigned = v & mask(width);
  if (v !== unsigned && v - unsigned !== -(1n << BigInt(width))) bug(`constant ${v} does not fit ${width} bits`);
  return new Term('const', width, nothing, unsigned, 0, null);
}
export const zero: Term = constant(0n, 1);
export const one: Term = constant(1n, 1);

export function input(source: Source, width: Width): Term {
  return new Term('input', width, nothing, 0n, 0, source);
}

/** Joins parts, the most significant first. The widths must add up to a width. */
export function concat(...parts: Term[]): Term {
  const total = parts.reduce((sum, p) => sum + p.width, 0);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  if (total !== 8 && total !== 16 && total !== 32 && total !== 64 && total !== 128) return fail('concat', parts, `${total} bits`);
  return make('concat', total, parts);
}
/** Joins lanes, the lowest first: the inverse of `lanes`. */
export const join = (lanes: readonly Term[]): Term => concat(...[...lanes].reverse());

/** (high:low) ÷ divisor: quotient and remainder, modulo 2^width; zero where the divisor is zero. */
export function wide(op: 'udivw' | 'uremw', high: Term, low: Term, divisor: Term): Term {
  if (high.width !== low.width || low.width !== divisor.width || low.width === 1 || low.width === 128)
    return fail(op, [high, low, divisor], 'widths');
  return make(op, low.width, [high, low, divisor]);
}

/** A floating-point operation. `width`: of the result. The last operand is MXCSR. */
export function float(op: FloatOp, width: Width, operands: readonly Term[], mxcsr: Term): Term {
  const args = [...operands, mxcsr];
  if (mxcsr.width !== 32 || operands.some((a) => a.width !== 32 && a.width !== 64)) return fail(op, args, 'widths');
  return new Term(op, width, args, 0n, 0, null);
}

/** The exceptions that a floating-point term raises, as the low six bits of MXCSR, width 8. */
export function fstatus(of: Term): Term {
  return isFloatOp(of.op) ? new Term('fstatus', 8, [of], 0n, 0, null) : fail('fstatus', [of], 'not a floating-point term');
}

export const and = (...terms: Term[]): Term => terms.reduce((a, b) => a.and(b));
export const or = (...terms: Term[]): Term => terms.reduce((a, b) => a.or(b));
