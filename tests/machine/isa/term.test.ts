import { describe, expect, test } from 'vitest';
import { Bug } from '../../../src/machine/isa/bug.ts';
import { compute } from '../../../src/machine/isa/compute.ts';
import { concat, constant, float, fstatus, input, join, one, type Term, wide } from '../../../src/machine/isa/term.ts';

const a = input({ kind: 'gpr', index: 0 }, 32);
const b = input({ kind: 'gpr', index: 1 }, 32);
const carry = input({ kind: 'flag', flag: 'cf' }, 1);
const narrow = input({ kind: 'gpr', index: 2 }, 8);

describe('widths', () => {
  const wrong: [string, () => Term][] = [
    ['add of 32 and 8', () => a.add(narrow)],
    ['and of 32 and 8', () => a.and(narrow)],
    ['a shift count of another width', () => a.shl(narrow)],
    ['eq of 32 and 8', () => a.eq(narrow)],
    ['ite with a wide condition', () => a.ite(b, b)],
    ['ite with unlike branches', () => one.ite(a, narrow)],
    ['zext to less', () => a.zext(16)],
    ['trunc to more', () => narrow.trunc(32)],
    ['extract beyond the end', () => a.extract(30, 8)],
    ['concat to 40 bits', () => concat(a, narrow)],
    ['add of single bits', () => carry.add(carry)],
    ['add of 128 bits', () => concat(a, a, a, a).add(concat(a, a, a, a))],
    ['a constant that does not fit', () => constant(256, 8)],
    ['fstatus of an integer', () => fstatus(a)],
    ['a float of 8 bits', () => float('fadd', 32, [narrow, narrow], a)],
    ['a wide division of unlike widths', () => wide('udivw', a, b, narrow)],
  ];
  for (const [what, build] of wrong) test(`${what} is our bug`, () => expect(build).toThrow(Bug));
});

describe('folding', () => {
  test('constants', () => {
    expect(constant(7, 8).sub(constant(9, 8)).value).toBe(0xfen);
    expect(constant(0x80, 8).sext(32).value).toBe(0xffffff80n);
    expect(constant(-1, 16).value).toBe(0xffffn);
    expect(constant(0x0b, 8).parity.value).toBe(0n);
    expect(join([constant(1, 8), constant(2, 8)]).value).toBe(0x0201n);
  });
  test('neutral operands', () => {
    expect(a.add(constant(0, 32))).toBe(a);
    expect(a.and(constant(-1, 32))).toBe(a);
    expect(a.or(constant(0, 32))).toBe(a);
    expect(one.ite(a, b)).toBe(a);
    expect(concat(a, b).extract(32, 32)).toBe(a);
    expect(narrow.zext(64).trunc(8)).toBe(narrow);
    expect(narrow.zext(32).extract(8, 8).value).toBe(0n);
  });
});

describe('totality', () => {
  const two = (op: Parameters<typeof compute>[0], width: number, x: bigint, y: bigint) => compute(op, width, [x, y], [width, width], 0);
  test('shifts by the width or more give zero or the sign', () => {
    expect(two('shl', 8, 0xffn, 8n)).toBe(0n);
    expect(two('lshr', 64, 1n << 63n, 64n)).toBe(0n);
    expect(two('ashr', 16, 0x8000n, 99n)).toBe(0xffffn);
  });
  test('division by zero and overflow do not throw', () => {
    expect(two('udiv', 64, 5n, 0n)).toBe(0n);
    expect(two('srem', 64, 5n, 0n)).toBe(0n);
    expect(two('sdiv', 64, 1n << 63n, (1n << 64n) - 1n)).toBe(1n << 63n);
    expect(compute('udivw', 64, [5n, 0n, 2n], [64, 64, 64], 0)).toBe(1n << 63n);
  });
  test('counts of zero', () => {
    expect(compute('clz', 16, [0n], [16], 0)).toBe(16n);
    expect(compute('ctz', 32, [0n], [32], 0)).toBe(32n);
  });
});
