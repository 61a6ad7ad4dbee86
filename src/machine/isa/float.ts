/**
 * What each floating-point operation of `term.ts` computes: exact IEEE 754 on BigInt bit patterns, with the rules of SSE (SDM Vol. 1 chapters 4.8, 10, 11):
 * NaN operands, DAZ, FTZ, rounding control, and the six exception flags. Slow and exact: the evaluator uses it always, generated code
 * where its fast path does not hold.
 *
 * MXCSR:  15 FTZ · 14:13 RC · 12:7 masks PM UM OM ZM DM IM · 6 DAZ · 5:0 PE UE OE ZE DE IE
 */
import { bug } from './bug.ts';
import { bitLength } from './compute.ts';
import type { FloatOp } from './ops.ts';

/** Exception flags as MXCSR bits 5:0. */
export const EXCEPTION = { ie: 1, de: 2, ze: 4, oe: 8, ue: 16, pe: 32 } as const;
const { ie: IE, de: DE, ze: ZE, oe: OE, ue: UE, pe: PE } = EXCEPTION;

const DAZ = 1 << 6;
const FTZ = 1 << 15;
const MASK_SHIFT = 7;

export interface FloatResult {
  /** Bit pattern, below 2^width of the result. */
  readonly value: bigint;
  /** Exceptions raised: MXCSR bits 5:0. */
  readonly status: number;
}

interface Format {
  readonly width: 32 | 64;
  readonly fraction: number;
  readonly bias: number;
}
const F32: Format = { width: 32, fraction: 23, bias: 127 };
const F64: Format = { width: 64, fraction: 52, bias: 1023 };
const formatOf = (width: number): Format => (width === 32 ? F32 : width === 64 ? F64 : bug(`no float format of ${width} bits`));

const pow2 = (n: number): bigint => 1n << BigInt(n);
const maxExponent = (f: Format): bigint => pow2(f.width - 1 - f.fraction) - 1n;
const infinity = (f: Format, sign: bigint): bigint => (sign << BigInt(f.width - 1)) | (maxExponent(f) << BigInt(f.fraction));
const zeroOf = (f: Format, sign: bigint): bigint => sign << BigInt(f.width - 1);
const quietBit = (f: Format): bigint => pow2(f.fraction - 1);
/** The default NaN: negative, quiet, no payload. */
const defaultNan = (f: Format): bigint => infinity(f, 1n) | quietBit(f);

interface Unpacked {
  readonly kind: 'zero' | 'finite' | 'infinity' | 'nan';
  readonly sign: bigint;
  /** |value| = mantissa · 2^exponent */
  readonly mantissa: bigint;
  readonly exponent: number;
  readonly denormal: boolean;
  readonly signalling: boolean;
  readonly bits: bigint;
}

/** `daz`: denormals are zeros of their sign, and not denormal. */
function unpack(bits: bigint, f: Format, daz: boolean): Unpacked {
  const sign = bits >> BigInt(f.width - 1);
  const fraction = bits & (pow2(f.fraction) - 1n);
  const field = Number((bits >> BigInt(f.fraction)) & maxExponent(f));
  const base = { sign, bits, denormal: false, signalling: false };
  if (field === Number(maxExponent(f))) {
    if (fraction === 0n) return { ...base, kind: 'infinity', mantissa: 0n, exponent: 0 };
    return { ...base, kind: 'nan', mantissa: fraction, exponent: 0, signalling: (fraction & quietBit(f)) === 0n };
  }
  if (field === 0) {
    if (fraction === 0n || daz) return { ...base, kind: 'zero', mantissa: 0n, exponent: 0, bits: zeroOf(f, sign) };
    return { ...base, kind: 'finite', mantissa: fraction, exponent: 1 - f.bias - f.fraction, denormal: true };
  }
  return { ...base, kind: 'finite', mantissa: fraction | pow2(f.fraction), exponent: field - f.bias - f.fraction };
}

type Rounding = 0 | 1 | 2 | 3;
const roundingOf = (mxcsr: number): Rounding => ((mxcsr >> 13) & 3) as Rounding;

/** Does the magnitude go up? 0 nearest even · 1 down · 2 up · 3 to zero. `half`: −1 below, 0 exactly, 1 above one half of the last place. */
function roundsUp(mode: Rounding, sign: bigint, odd: boolean, inexact: boolean, half: -1 | 0 | 1): boolean {
  if (!inexact) return false;
  if (mode === 0) return half > 0 || (half === 0 && odd);
  return mode === 1 ? sign === 1n : mode === 2 ? sign === 0n : false;
}

/** mantissa · 2^-shift rounded to an integer; `sticky`: the true value is a bit more. */
function shiftRound(mantissa: bigint, shift: number, sticky: boolean, mode: Rounding, sign: bigint): { value: bigint; inexact: boolean } {
  if (shift <= 0) return sticky ? bug('too few bits to round') : { value: mantissa << BigInt(-shift), inexact: false };
  const kept = mantissa >> BigInt(shift);
  const rest = mantissa - (kept << BigInt(shift));
  const middle = pow2(shift - 1);
  const inexact = rest !== 0n || sticky;
  const half = rest < middle ? -1 : rest > middle || sticky ? 1 : 0;
  return { value: roundsUp(mode, sign, (kept & 1n) === 1n, inexact, half) ? kept + 1n : kept, inexact };
}

/** Rounds ±mantissa · 2^exponent (plus a bit if `sticky`) into the format, with overflow and underflow as MXCSR says. mantissa > 0. */
function round(f: Format, sign: bigint, mantissa: bigint, exponent: number, sticky: boolean, mxcsr: number): FloatResult {
  const mode = roundingOf(mxcsr);
  const precision = f.fraction + 1;
  const length = bitLength(mantissa);
  const free = shiftRound(mantissa, length - precision, sticky, mode, sign);
  let top = exponent + length - 1;
  if (bitLength(free.value) > precision) top++;
  const least = 1 - f.bias;
  const masks = (mxcsr >> MASK_SHIFT) & 0x3f;
  if (top > f.bias) return overflow(f, sign, mode, masks, free.inexact);
  if (top >= least) {
    const normal = bitLength(free.value) > precision ? free.value >> 1n : free.value;
    const field = BigInt(top + f.bias);
    const bits = (sign << BigInt(f.width - 1)) | (field << BigInt(f.fraction)) | (normal & (pow2(f.fraction) - 1n));
    return { value: bits, status: free.inexact ? PE : 0 };
  }
  // Tiny (after rounding, as SSE detects it).
  if ((masks & UE) !== 0 && (mxcsr & FTZ) !== 0) return { value: zeroOf(f, sign), status: UE | PE };
  const denormal = shiftRound(mantissa, least - f.fraction - exponent, sticky, mode, sign);
  // Unmasked, it is told by tininess alone, and precision as if the exponent had no bounds.
  const status = (masks & UE) === 0 ? UE | (free.inexact ? PE : 0) : denormal.inexact ? UE | PE : 0;
  return { value: (sign << BigInt(f.width - 1)) | denormal.value, status };
}

function overflow(f: Format, sign: bigint, mode: Rounding, masks: number, inexact: boolean): FloatResult {
  const toInfinity = mode === 0 || (mode === 1 && sign === 1n) || (mode === 2 && sign === 0n);
  const status = (masks & OE) === 0 && !inexact ? OE : OE | PE;
  return { value: toInfinity ? infinity(f, sign) : infinity(f, sign) - 1n, status };
}

const invalid = (f: Format): FloatResult => ({ value: defaultNan(f), status: IE });

/** The result if an operand is a NaN: the first that is one, quieted. null: none is. */
function nanResult(f: Format, operands: readonly Unpacked[]): FloatResult | null {
  const first = operands.find((o) => o.kind === 'nan');
  if (first === undefined) return null;
  return { value: first.bits | quietBit(f), status: operands.some((o) => o.signalling) ? IE : 0 };
}

function add(f: Format, a: Unpacked, b: Unpacked, mxcsr: number): FloatResult {
  if (a.kind === 'infinity') return b.kind === 'infinity' && a.sign !== b.sign ? invalid(f) : { value: a.bits, status: 0 };
  if (b.kind === 'infinity') return { value: b.bits, status: 0 };
  const exponent = Math.min(a.kind === 'zero' ? b.exponent : a.exponent, b.kind === 'zero' ? a.exponent : b.exponent);
  const scaled = (o: Unpacked) => (o.kind === 'zero' ? 0n : (o.sign === 1n ? -o.mantissa : o.mantissa) << BigInt(o.exponent - exponent));
  const sum = scaled(a) + scaled(b);
  if (sum === 0n) {
    const negative = a.sign === b.sign ? a.sign : roundingOf(mxcsr) === 1 ? 1n : 0n;
    return { value: zeroOf(f, negative), status: 0 };
  }
  return round(f, sum < 0n ? 1n : 0n, sum < 0n ? -sum : sum, exponent, false, mxcsr);
}

function multiply(f: Format, a: Unpacked, b: Unpacked, mxcsr: number): FloatResult {
  const sign = a.sign ^ b.sign;
  if (a.kind === 'infinity' || b.kind === 'infinity')
    return a.kind === 'zero' || b.kind === 'zero' ? invalid(f) : { value: infinity(f, sign), status: 0 };
  if (a.kind === 'zero' || b.kind === 'zero') return { value: zeroOf(f, sign), status: 0 };
  return round(f, sign, a.mantissa * b.mantissa, a.exponent + b.exponent, false, mxcsr);
}

function divide(f: Format, a: Unpacked, b: Unpacked, mxcsr: number): FloatResult {
  const sign = a.sign ^ b.sign;
  if (a.kind === 'infinity') return b.kind === 'infinity' ? invalid(f) : { value: infinity(f, sign), status: 0 };
  if (b.kind === 'infinity') return { value: zeroOf(f, sign), status: 0 };
  if (b.kind === 'zero') return a.kind === 'zero' ? invalid(f) : { value: infinity(f, sign), status: ZE };
  if (a.kind === 'zero') return { value: zeroOf(f, sign), status: 0 };
  // Enough quotient bits that at least two lie below the last place.
  const extra = Math.max(0, f.fraction + 4 + bitLength(b.mantissa) - bitLength(a.mantissa));
  const dividend = a.mantissa << BigInt(extra);
  const quotient = dividend / b.mantissa;
  return round(f, sign, quotient, a.exponent - b.exponent - extra, quotient * b.mantissa !== dividend, mxcsr);
}

function integerRoot(n: bigint): bigint {
  let x = pow2(Math.ceil(bitLength(n) / 2));
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}
function squareRoot(f: Format, a: Unpacked, mxcsr: number): FloatResult {
  if (a.kind === 'zero') return { value: a.bits, status: 0 };
  if (a.sign === 1n) return invalid(f);
  if (a.kind === 'infinity') return { value: a.bits, status: 0 };
  let extra = Math.max(0, 2 * (f.fraction + 4) - bitLength(a.mantissa));
  if ((a.exponent - extra) % 2 !== 0) extra++;
  const scaled = a.mantissa << BigInt(extra);
  const root = integerRoot(scaled);
  return round(f, 0n, root, (a.exponent - extra) / 2, root * root !== scaled, mxcsr);
}

/** −1 less · 0 equal · 1 greater; no NaNs. */
function order(a: Unpacked, b: Unpacked): -1 | 0 | 1 {
  const signed = (o: Unpacked, exponent: number): bigint => {
    if (o.kind === 'zero') return 0n;
    const magnitude = o.kind === 'infinity' ? pow2(2200) : o.mantissa << BigInt(o.exponent - exponent);
    return o.sign === 1n ? -magnitude : magnitude;
  };
  const exponent = Math.min(a.kind === 'finite' ? a.exponent : 0, b.kind === 'finite' ? b.exponent : 0);
  const x = signed(a, exponent);
  const y = signed(b, exponent);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Denormal operands, which DAZ has turned into zeros already. */
const denormals = (...operands: Unpacked[]): number => (operands.some((o) => o.denormal) ? DE : 0);

/** Adds DE unless the operation was invalid or a division by zero: denormals are looked for last. */
const withDenormals = (r: FloatResult, de: number): FloatResult =>
  (r.status & (IE | ZE)) !== 0 ? r : { value: r.value, status: r.status | de };

function minMax(a: Unpacked, b: Unpacked, greater: boolean): FloatResult {
  if (a.kind === 'nan' || b.kind === 'nan') return { value: b.bits, status: IE };
  const o = order(a, b);
  return { value: (greater ? o > 0 : o < 0) ? a.bits : b.bits, status: denormals(a, b) };
}

function compare(a: Unpacked, b: Unpacked, signals: boolean): FloatResult {
  if (a.kind === 'nan' || b.kind === 'nan') return { value: 4n, status: signals || a.signalling || b.signalling ? IE : 0 };
  const o = order(a, b);
  return { value: o < 0 ? 1n : o === 0 ? 2n : 0n, status: denormals(a, b) };
}

/** float → float of the other width. */
function convert(from: Format, to: Format, bits: bigint, mxcsr: number): FloatResult {
  const a = unpack(bits, from, (mxcsr & DAZ) !== 0);
  const shift = to.fraction - from.fraction;
  if (a.kind === 'nan') {
    const payload = shift > 0 ? a.mantissa << BigInt(shift) : a.mantissa >> BigInt(-shift);
    return { value: infinity(to, a.sign) | quietBit(to) | payload, status: a.signalling ? IE : 0 };
  }
  if (a.kind === 'infinity') return { value: infinity(to, a.sign), status: 0 };
  if (a.kind === 'zero') return { value: zeroOf(to, a.sign), status: 0 };
  return withDenormals(round(to, a.sign, a.mantissa, a.exponent, false, mxcsr), denormals(a));
}

function fromInteger(to: Format, bits: bigint, width: number, mxcsr: number): FloatResult {
  const value = BigInt.asIntN(width, bits);
  if (value === 0n) return { value: 0n, status: 0 };
  return round(to, value < 0n ? 1n : 0n, value < 0n ? -value : value, 0, false, mxcsr);
}

function toInteger(from: Format, bits: bigint, width: number, mxcsr: number, mode: Rounding): FloatResult {
  const indefinite: FloatResult = { value: pow2(width - 1), status: IE };
  const a = unpack(bits, from, (mxcsr & DAZ) !== 0);
  if (a.kind === 'nan' || a.kind === 'infinity' || (a.kind === 'finite' && a.exponent > 64)) return indefinite;
  if (a.kind === 'zero') return { value: 0n, status: 0 };
  const { value, inexact } = shiftRound(a.mantissa, -a.exponent, false, mode, a.sign);
  const signed = a.sign === 1n ? -value : value;
  if (BigInt.asIntN(width, signed) !== signed) return indefinite;
  return { value: BigInt.asUintN(width, signed), status: inexact ? PE : 0 };
}

/**
 * One operation. `width`: of the result; `widths`: of the operands without MXCSR; `mxcsr`: the control bits (its flags are not looked at).
 */
export function computeFloat(op: FloatOp, width: number, args: readonly bigint[], widths: readonly number[], mxcsr: number): FloatResult {
  const x = args[0] ?? bug(`${op} without operands`);
  const from = widths[0] ?? bug(`${op} without operands`);
  if (op === 'fromint') return fromInteger(formatOf(width), x, from, mxcsr);
  const f = formatOf(from);
  if (op === 'toint') return toInteger(f, x, width, mxcsr, roundingOf(mxcsr));
  if (op === 'trunctoint') return toInteger(f, x, width, mxcsr, 3);
  if (op === 'fwiden' || op === 'fnarrow') return convert(f, formatOf(width), x, mxcsr);
  const daz = (mxcsr & DAZ) !== 0;
  const a = unpack(x, f, daz);
  if (op === 'fsqrt') return nanResult(f, [a]) ?? withDenormals(squareRoot(f, a, mxcsr), denormals(a));
  const b = unpack(args[1] ?? bug(`${op} needs two operands`), f, daz);
  const de = denormals(a, b);
  switch (op) {
    case 'fadd':
      return nanResult(f, [a, b]) ?? withDenormals(add(f, a, b, mxcsr), de);
    case 'fsub':
      return nanResult(f, [a, b]) ?? withDenormals(add(f, a, { ...b, sign: b.sign ^ 1n, bits: b.bits ^ pow2(f.width - 1) }, mxcsr), de);
    case 'fmul':
      return nanResult(f, [a, b]) ?? withDenormals(multiply(f, a, b, mxcsr), de);
    case 'fdiv':
      return nanResult(f, [a, b]) ?? withDenormals(divide(f, a, b, mxcsr), de);
    case 'fmin':
      return minMax(a, b, false);
    case 'fmax':
      return minMax(a, b, true);
    case 'fcmp':
      return compare(a, b, true);
    case 'fucmp':
      return compare(a, b, false);
  }
}
