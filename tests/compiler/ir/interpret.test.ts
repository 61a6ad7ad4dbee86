import { describe, expect, test } from 'vitest';
import { interpret, type Outcome } from '../../../src/compiler/ir/interpret.ts';
import { parseModule } from '../../../src/compiler/ir/parse.ts';
import type { Constant } from '../../../src/compiler/ir/types.ts';

/** A binary operation on two constants, in the manner of the manual: `value` or the trap's code. */
function binary(op: string, type: string, a: Constant, b: Constant): Constant | string {
  const module = parseModule(
    `function @f(${type}, ${type}) -> (${type}) {\nb0(%0: ${type}, %1: ${type}):\n %2 = ${op}.${type} %0, %1\n return %2\n}`,
  );
  return first(interpret(module, 'f', [a, b]));
}

function first(outcome: Outcome): Constant | string {
  if (outcome.kind === 'trapped') return outcome.trap;
  return outcome.kind === 'returned' ? (outcome.results[0] ?? 'nothing') : outcome.kind;
}

describe('the interpreter', () => {
  test.each([
    ['add', 'i8', 127, 1, -128],
    ['sub', 'i16', -32768, 1, 32767],
    ['mul', 'i32', 65536, 65536, 0],
    ['shl', 'i32', 1, 33, 2],
    ['lshr', 'i8', -1, 4, 15],
    ['ashr', 'i64', -8n, 65n, -4n],
    ['sadd', 'i8', 127, 1, 'overflow'],
    ['uadd', 'i8', 127, 1, -128],
    ['uadd', 'i8', -1, 1, 'overflow'],
    ['ssub', 'i64', -(2n ** 63n), 1n, 'overflow'],
    ['usub', 'i32', 0, 1, 'overflow'],
    ['umul', 'i64', 2n ** 32n, 2n ** 31n, -(2n ** 63n)],
    ['umul', 'i64', 2n ** 32n, 2n ** 32n, 'overflow'],
    ['smul', 'i64', 2n ** 32n, 2n ** 31n, 'overflow'],
    ['sdiv', 'i32', -7, 2, -3],
    ['srem', 'i32', -7, 2, -1],
    ['sdiv', 'i8', -128, -1, 'overflow'],
    ['srem', 'i8', -128, -1, 0],
    ['udiv', 'i8', -1, 2, 127],
    ['urem', 'i64', -1n, 10n, 5n],
    ['udiv', 'i16', 1, 0, 'divide'],
  ])('%s.%s of %s and %s is %s', (op, type, a, b, expected) => {
    expect(binary(op, type, a, b)).toBe(expected);
  });

  test('stops endless loops and endless recursion', () => {
    const loop = parseModule('function @f() -> () {\nb0():\n jump b1()\nb1():\n jump b1()\n}');
    expect(interpret(loop, 'f', [], { limit: 1000 }).kind).toBe('limit');
    const recursion = parseModule('function @f() -> () {\nb0():\n call.i64 @f() -> ()\n return\n}');
    expect(interpret(recursion, 'f', []).kind).toBe('limit');
  });

  test('says what it cannot run', () => {
    const outside = parseModule('function @f() -> (i8) {\nb0():\n %0 = const.i64 5\n %1 = load.i8 %0\n return %1\n}');
    expect(interpret(outside, 'f', [])).toEqual({ kind: 'unsupported', why: 'memory at 5' });
    const external = parseModule('function @f() -> (i64) {\nb0():\n %0 = call.i64 @g() -> (i64)\n return %0\n}');
    expect(interpret(external, 'f', [])).toEqual({ kind: 'unsupported', why: 'a call of @g, which is not of this module' });
    expect(interpret(external, 'f', [], { external: () => [7n] })).toEqual({ kind: 'returned', results: [7n] });
  });

  test('fills data with addresses', () => {
    const module = parseModule(`data @to ".rodata" rodata align 4 size 4 x2a000000
data @pointer ".data" data align 8 size 8 zero
  abs64 at 0 @to
function @f() -> (i32) {
b0():
  %0 = symbol.i64 @pointer
  %1 = load.i64 %0
  %2 = load.i32 %1
  return %2
}`);
    expect(interpret(module, 'f', [])).toEqual({ kind: 'returned', results: [42] });
  });
});
