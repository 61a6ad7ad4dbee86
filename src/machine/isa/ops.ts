/** The vocabulary of terms: the names of the operations. `term.ts` builds them, `compute.ts` and `float.ts` say what they compute. */

export type Width = 1 | 8 | 16 | 32 | 64 | 128;

/** Integer operations. `w`: width of the result. */
// biome-ignore format: grouped by shape
export const INTEGER_OPS = [
  // two operands of width w (8–64)
  'add', 'sub', 'mul', 'shl', 'lshr', 'ashr', 'udiv', 'urem', 'sdiv', 'srem', 'pdep', 'pext',
  // two operands of width w (1–128)
  'and', 'or', 'xor',
  // upper half of the double-width product (8–64)
  'umulh', 'smulh',
  // (high, low, divisor): the double-width number high:low by divisor, unsigned (8–64); quotient or remainder modulo 2^w, 0 if divisor = 0
  'udivw', 'uremw',
  // one operand of width w: not (1–128), the others 8–64; clz and ctz of 0 give w; parity: 1 if the low byte has an even number of ones (w = 1)
  'not', 'neg', 'popcnt', 'clz', 'ctz', 'bswap', 'parity',
  // two operands of equal width up to 64, w = 1
  'eq', 'ult', 'slt',
  // (condition of width 1, then, else)
  'ite',
  // one operand of another width; extract takes `w` bits from bit `lo`; concat joins parts, most significant first
  'zext', 'sext', 'trunc', 'extract', 'concat',
] as const;

/**
 * Floating-point operations on the bit patterns of f32 and f64. The last operand is MXCSR (width 32): rounding, DAZ, FTZ and masks are
 * taken from it. NaNs follow the x86 rule (first operand quieted if it is a NaN, else the second, else the default NaN).
 * `fcmp` (signals for every NaN) and `fucmp` (for signalling ones) give 8 bits: 1 less · 2 equal · 4 unordered · 0 greater.
 * `fstatus` of a floating-point term gives 8 bits: the exceptions it raises, as MXCSR bits 5:0 (IE DE ZE OE UE PE).
 * `fmin`, `fmax`: the second operand if either is a NaN or both are zeros.
 * `toint`, `trunctoint` give 32 or 64 bits, 0x80…0 if the value does not fit.
 */
// biome-ignore format: one line
export const FLOAT_OPS = [
  'fadd', 'fsub', 'fmul', 'fdiv', 'fmin', 'fmax', 'fcmp', 'fucmp', 'fsqrt', 'fnarrow', 'fwiden', 'fromint', 'toint', 'trunctoint',
] as const;

export type IntegerOp = (typeof INTEGER_OPS)[number];
export type FloatOp = (typeof FLOAT_OPS)[number];
export type Op = 'const' | 'input' | IntegerOp | FloatOp | 'fstatus';

const floatOps: ReadonlySet<string> = new Set(FLOAT_OPS);
export const isFloatOp = (op: Op): op is FloatOp => floatOps.has(op);
