import seedrandom from 'seedrandom';
import { describe, expect, test } from 'vitest';
import { computeFloat, EXCEPTION } from '../../../src/machine/isa/float.ts';
import type { FloatOp } from '../../../src/machine/isa/ops.ts';

const DEFAULT = 0x1f80;
const view = new DataView(new ArrayBuffer(8));
const bits64 = (x: number) => {
  view.setFloat64(0, x);
  return view.getBigUint64(0);
};
const bits32 = (x: number) => {
  view.setFloat32(0, x);
  return BigInt(view.getUint32(0));
};
const double = (b: bigint) => {
  view.setBigUint64(0, b);
  return view.getFloat64(0);
};
const single = (b: bigint) => {
  view.setUint32(0, Number(b));
  return view.getFloat32(0);
};

/** JavaScript's arithmetic is IEEE's, rounded to nearest: an outside judge for that rounding. */
describe('against the arithmetic of JavaScript', () => {
  const random = seedrandom('float');
  const word = () => BigInt(Math.floor(random() * 2 ** 32));
  const exact: Record<string, (a: number, b: number) => number> = {
    fadd: (a, b) => a + b,
    fsub: (a, b) => a - b,
    fmul: (a, b) => a * b,
    fdiv: (a, b) => a / b,
    fsqrt: (a) => Math.sqrt(a),
  };
  for (const [op, js] of Object.entries(exact)) {
    test(`${op} of doubles and floats`, () => {
      for (let i = 0; i < 400; i++) {
        const near = i % 2 === 0 ? 0x3fen + (word() & 7n) : word() & 0x7ffn;
        const a = ((word() & 1n) << 63n) | (near << 52n) | (((word() << 20n) ^ word()) % (1n << 52n));
        const b = (0x3fen << 52n) | (((word() << 20n) ^ word()) % (1n << 52n));
        const want = js(double(a), double(b));
        const got = computeFloat(op as FloatOp, 64, [a, b], [64, 64], DEFAULT);
        if (Number.isNaN(want)) expect(Number.isNaN(double(got.value))).toBe(true);
        else expect(got.value, `${op} ${a.toString(16)} ${b.toString(16)}`).toBe(bits64(want));
        const x = word();
        const y = word();
        const want32 = Math.fround(js(single(x), single(y)));
        const got32 = computeFloat(op as FloatOp, 32, [x, y], [32, 32], DEFAULT);
        if (Number.isNaN(want32)) expect(Number.isNaN(single(got32.value))).toBe(true);
        else expect(got32.value, `${op} ${x.toString(16)} ${y.toString(16)}`).toBe(bits32(want32));
      }
    });
  }
  test('conversions', () => {
    for (let i = 0; i < 400; i++) {
      const a = (word() << 32n) | word();
      const narrow = computeFloat('fnarrow', 32, [a], [64], DEFAULT);
      if (!Number.isNaN(double(a))) expect(narrow.value).toBe(bits32(Math.fround(double(a))));
      expect(computeFloat('fromint', 64, [a], [64], DEFAULT).value).toBe(bits64(Number(BigInt.asIntN(64, a))));
    }
  });
});

describe('rules of SSE', () => {
  const f64 = (op: FloatOp, a: bigint, b: bigint, mxcsr = DEFAULT) => computeFloat(op, 64, [a, b], [64, 64], mxcsr);
  const QUIET_A = 0x7ff8000000000aaan;
  const SIGNALLING_B = 0xfff0000000000bbbn;
  test('the first NaN wins, quieted; a signalling one is invalid', () => {
    expect(f64('fadd', QUIET_A, SIGNALLING_B)).toEqual({ value: QUIET_A, status: EXCEPTION.ie });
    expect(f64('fadd', bits64(1), SIGNALLING_B)).toEqual({ value: 0xfff8000000000bbbn, status: EXCEPTION.ie });
    expect(f64('fmul', QUIET_A, bits64(0))).toEqual({ value: QUIET_A, status: 0 });
  });
  test('∞ − ∞ is the default NaN', () =>
    expect(f64('fsub', bits64(Infinity), bits64(Infinity))).toEqual({ value: 0xfff8000000000000n, status: EXCEPTION.ie }));
  test('min and max give the second operand for NaNs and zeros', () => {
    expect(f64('fmin', QUIET_A, bits64(1))).toEqual({ value: bits64(1), status: EXCEPTION.ie });
    expect(f64('fmax', bits64(0), bits64(-0)).value).toBe(bits64(-0));
  });
  test('rounding follows RC', () => {
    const third = (rc: number) => f64('fdiv', bits64(1), bits64(3), DEFAULT | (rc << 13)).value & 0xfn;
    expect([0, 1, 2, 3].map(third)).toEqual([5n, 5n, 6n, 5n]);
    expect(computeFloat('toint', 32, [bits64(2.5)], [64], DEFAULT)).toEqual({ value: 2n, status: EXCEPTION.pe });
    expect(computeFloat('toint', 32, [bits64(2.5)], [64], DEFAULT | (2 << 13)).value).toBe(3n);
  });
  test('DAZ and FTZ', () => {
    expect(f64('fadd', 1n, bits64(0), DEFAULT)).toEqual({ value: 1n, status: EXCEPTION.de });
    expect(f64('fadd', 1n, bits64(0), DEFAULT | 0x40)).toEqual({ value: 0n, status: 0 });
    expect(f64('fmul', bits64(2 ** -1000), bits64(2 ** -60), DEFAULT | 0x8000)).toEqual({ value: 0n, status: EXCEPTION.ue | EXCEPTION.pe });
  });
  test('an integer that does not fit is the indefinite one', () => {
    expect(computeFloat('trunctoint', 32, [bits64(2 ** 31)], [64], DEFAULT)).toEqual({ value: 0x80000000n, status: EXCEPTION.ie });
    expect(computeFloat('trunctoint', 64, [bits64(-(2 ** 63))], [64], DEFAULT)).toEqual({ value: 1n << 63n, status: 0 });
  });
});
