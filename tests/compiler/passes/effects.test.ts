/** What passes are for: a function before, and what must be left of it. */
import { expect, test } from 'vitest';
import type { IrFunction } from '../../../src/compiler/ir/function.ts';
import { parseFunction, parseModule } from '../../../src/compiler/ir/parse.ts';
import { verifyFunction } from '../../../src/compiler/ir/verify.ts';
import { mergeCommonSubexpressions } from '../../../src/compiler/passes/common-subexpressions.ts';
import { removeDeadCode } from '../../../src/compiler/passes/dead-code.ts';
import { eliminateChecks } from '../../../src/compiler/passes/eliminate-checks.ts';
import { foldConstants } from '../../../src/compiler/passes/fold-constants.ts';
import { inlineFunctions } from '../../../src/compiler/passes/inline-functions.ts';
import { threadJumps } from '../../../src/compiler/passes/thread-jumps.ts';
import { removeUnreachableFunctions } from '../../../src/compiler/passes/unreachable-functions.ts';

type Pass = (fn: IrFunction) => void;

function opsOf(fn: IrFunction): string {
  return fn.blocks
    .map((b) => [...b.instructions.filter((i) => i.op !== 'const').map((i) => i.op), b.terminator?.op ?? ''].join(' '))
    .join(' | ');
}

/** The operations that are left, constants aside; blocks are parted by `|`. */
function left(text: string, ...passes: Pass[]): string {
  const fn = parseFunction(text);
  expect(verifyFunction(fn)).toEqual([]);
  for (const pass of passes) {
    pass(fn);
    expect(verifyFunction(fn)).toEqual([]);
  }
  return opsOf(fn);
}

const f = (body: string, params = '%0: i32, %1: i64', types = 'i32, i64', results = 'i64') =>
  `function @f(${types}) -> (${results}) {\nb0(${params}):\n${body}\n}`;
const clean: Pass[] = [foldConstants, removeDeadCode];

test.each([
  ['x + 0', '%2 = const.i64 0\n%3 = add.i64 %1, %2', ''],
  ['(x + 4) + 8', '%2 = const.i64 4\n%5 = const.i64 8\n%4 = add.i64 %1, %2\n%3 = add.i64 %4, %5', 'add'],
  ['x * 8', '%2 = const.i64 8\n%3 = mul.i64 %2, %1', 'shl'],
  ['x / 16 unsigned', '%2 = const.i64 16\n%3 = udiv.i64 %1, %2', 'lshr'],
  ['x % 16 unsigned', '%2 = const.i64 16\n%3 = urem.i64 %1, %2', 'and'],
  ['x ^ x', '%3 = xor.i64 %1, %1', ''],
  ['3 * 4 checked', '%2 = const.i64 3\n%4 = const.i64 4\n%3 = umul.i64 %2, %4', ''],
  ['an overflow stays a trap', '%2 = const.i64 -1\n%4 = const.i64 1\n%3 = uadd.i64 %2, %4', 'uadd'],
  ['sext of zext', '%2 = trunc.i8 %0\n%4 = zext.i32 %2\n%3 = sext.i64 %4', 'trunc zext'],
  ['load from an address and an offset', '%2 = const.i64 24\n%4 = add.i64 %1, %2\n%3 = load.i64 %4+8', 'load'],
  ['a trap that never comes', '%2 = const.i8 0\ntrapif.i8 %2 bounds\n%3 = add.i64 %1, %1', 'add'],
])('folding: %s', (_name, body, ops) => {
  expect(left(f(`${body}\nreturn %3`), ...clean)).toBe(`${ops} return`.trimStart());
});

test('folding: what follows a certain trap is cut off', () => {
  const text = f('%2 = const.i8 1\ntrapif.i8 %2 bounds\nstore.i64 %1, %1\njump b1()\nb1():\nreturn %1');
  expect(left(text, foldConstants)).toBe('trap');
});

test('a condition is negated, not compared with 0', () => {
  const text = f(
    '%2 = icmp.i64 ult %1, %1\n%3 = const.i32 5\n%4 = icmp.i32 ult %0, %3\n%5 = const.i8 0\n%6 = icmp.i8 eq %4, %5\nbranch %6, b1(), b2()\nb1():\nreturn %1\nb2():\ntrap bounds',
  );
  expect(left(text, ...clean)).toBe('icmp branch | return | trap');
});

test('dead code: a cycle of parameters that nobody needs', () => {
  const text = f(
    '%2 = const.i32 0\njump b1(%2)\nb1(%3: i32):\n%4 = const.i32 1\n%5 = add.i32 %3, %4\n%6 = icmp.i64 eq %1, %1\nbranch %6, b1(%5), b2()\nb2():\nreturn %1',
  );
  expect(left(text, removeDeadCode)).toBe('jump | icmp branch | return');
});

test('dead code keeps what may trap', () => {
  expect(left(f('%2 = sadd.i32 %0, %0\n%3 = load.i64 %1\nreturn %1'), removeDeadCode)).toBe('sadd return');
});

test('common subexpressions: across dominated blocks, commuted, checked ones too', () => {
  const text = f(
    '%2 = sadd.i32 %0, %0\n%3 = zext.i64 %2\n%4 = add.i64 %3, %1\njump b1()\nb1():\n%5 = sadd.i32 %0, %0\n%6 = zext.i64 %5\n%7 = add.i64 %1, %6\n%8 = add.i64 %4, %7\nreturn %8',
  );
  expect(left(text, mergeCommonSubexpressions)).toBe('sadd zext add jump | add return');
});

test('common subexpressions: not from one branch into the other', () => {
  const text = f('%2 = trunc.i8 %0\nbranch %2, b1(), b2()\nb1():\n%3 = add.i64 %1, %1\nreturn %3\nb2():\n%4 = add.i64 %1, %1\nreturn %4');
  expect(left(text, mergeCommonSubexpressions)).toBe('trunc branch | add return | add return');
});

test.each([
  ['what was stored is not loaded', 'store.i64 %1, %1\n%3 = load.i64 %1', 'store'],
  ['a store beside it does not matter', '%2 = load.i64 %1\nstore.i64 %1, %1+8\n%3 = load.i64 %1', 'load store'],
  ['a store across it does', '%2 = load.i64 %1\nstore.i64 %1, %1+4\n%3 = load.i64 %1', 'load store load'],
  ['a call does', '%2 = load.i64 %1\ncall.i64 @g() -> ()\n%3 = load.i64 %1', 'load call load'],
  ['volatile loads stay', '%2 = load.i64 %1 volatile\n%3 = load.i64 %1 volatile', 'load load'],
])('common subexpressions in memory: %s', (_name, body, ops) => {
  expect(left(f(`${body}\nreturn %3`), mergeCommonSubexpressions)).toBe(`${ops} return`);
});

test('jump threading: `a && b` as a condition has no joined boolean', () => {
  const text = f(`%2 = trunc.i8 %0\n%9 = const.i8 0\nbranch %2, b1(), b2(%9)
b1():\n%3 = trunc.i8 %1\njump b2(%3)
b2(%4: i8):\nbranch %4, b3(), b4()
b3():\nreturn %1
b4():\ntrap bounds`);
  expect(left(text, threadJumps, removeDeadCode)).toBe('trunc branch | trunc branch | return | trap');
});

const loop = (bound: string, check: string, step: string) =>
  f(`%2 = const.i32 0\njump b1(%2)
b1(%3: i32):\n${bound}\nbranch %4, b2(), b3()
b2():\n${check}\ntrapif.i8 %5 bounds\n${step}\njump b1(%6)
b3():\nreturn %1`);
const one = '%7 = const.i32 1\n%6 = sadd.i32 %3, %7';

test('checks: a counter below a slice’s length needs neither its bounds check nor its overflow check', () => {
  // As the front end writes `for (let i = 0; i < s.length; i++) s[i]`: the length is the low half of 64 bits.
  const text = loop('%8 = trunc.i32 %1\n%4 = icmp.i32 slt %3, %8', '%9 = sext.i64 %3\n%5 = icmp.i64 uge %9, %1', one);
  expect(left(text, eliminateChecks, ...clean)).toBe('jump | trunc icmp branch | add jump | return');
});

test('checks: a constant bound', () => {
  const text = loop('%8 = const.i32 10\n%4 = icmp.i32 slt %3, %8', '%9 = zext.i64 %3\n%10 = const.i64 10\n%5 = icmp.i64 uge %9, %10', one);
  expect(left(text, eliminateChecks, ...clean)).toBe('jump | icmp branch | add jump | return');
});

test.each([
  [
    'a longer bound',
    loop('%8 = const.i32 11\n%4 = icmp.i32 slt %3, %8', '%9 = zext.i64 %3\n%10 = const.i64 10\n%5 = icmp.i64 uge %9, %10', one),
  ],
  [
    '"not above" instead of "below"',
    loop('%8 = trunc.i32 %1\n%4 = icmp.i32 sle %3, %8', '%9 = sext.i64 %3\n%5 = icmp.i64 uge %9, %1', one),
  ],
  [
    'a step that wraps',
    loop(
      '%8 = trunc.i32 %1\n%4 = icmp.i32 slt %3, %8',
      '%9 = sext.i64 %3\n%5 = icmp.i64 uge %9, %1',
      '%7 = const.i32 1\n%6 = add.i32 %3, %7\nstore.i32 %6, %1',
    ),
  ],
])('checks stay: %s', (_name, text) => {
  expect(left(text, eliminateChecks, ...clean)).toContain('trapif');
});

test('checks: what was checked before is known', () => {
  const text = f(
    '%2 = icmp.i64 ugt %1, %1\n%3 = zext.i64 %0\n%4 = icmp.i64 uge %3, %1\ntrapif.i8 %4 bounds\n%5 = icmp.i64 ult %3, %1\n%6 = zext.i64 %5\n%7 = usub.i64 %1, %3\n%8 = add.i64 %6, %7\nreturn %8',
  );
  expect(left(text, eliminateChecks, ...clean)).toBe('zext icmp trapif sub add return');
});

test('inlining: a small function goes into its callers, and away', () => {
  const module = parseModule(`function @twice(i64) -> (i64) {\nb0(%0: i64):\n%1 = add.i64 %0, %0\nreturn %1\n}
function @f(i64) -> (i64) exported {\nb0(%0: i64):\n%1 = call.i64 @twice(%0) -> (i64)\n%2 = call.i64 @twice(%1) -> (i64)\nreturn %2\n}
function @loop(i64) -> (i64) exported {\nb0(%0: i64):\n%1 = call.i64 @loop(%0) -> (i64)\nreturn %1\n}`);
  inlineFunctions(module);
  removeUnreachableFunctions(module);
  expect(module.functions.map((fn) => fn.symbol)).toEqual(['f', 'loop']);
  for (const fn of module.functions) {
    expect(verifyFunction(fn)).toEqual([]);
    threadJumps(fn);
  }
  expect(module.functions.map(opsOf)).toEqual(['add add return', 'call return']);
});

test('unreachable functions: assembly and data keep what they name', () => {
  const empty = (name: string, rest = '') => `function @${name}() -> ()${rest} {\nb0():\nreturn\n}\n`;
  const module = parseModule(
    `${empty('a')}${empty('b')}${empty('c')}${empty('d', ' exported')}${empty('e')}assembly "x" "call b"\ndata @t ".data" data align 8 size 8 zero abs64 at 0 @c\ndata @u ".rodata" rodata align 8 size 8 zero abs64 at 0 @e`,
  );
  removeUnreachableFunctions(module, ['a']);
  expect(module.functions.map((fn) => fn.symbol)).toEqual(['a', 'b', 'c', 'd']);
  expect(module.data.map((d) => d.symbol)).toEqual(['t']);
});

test('unreachable functions: inline assembly of what is reached keeps what it names, however far', () => {
  const naming = (name: string, text: string, rest = ''): string =>
    `function @${name}() -> ()${rest} {\nb0():\nasm.i64 "${text}" ()\nreturn\n}\n`;
  const module = parseModule(
    `${naming('a', 'call b', ' exported')}${naming('b', 'lea rax, [rip + t]')}${naming('c', 'nop')}${naming('d', 'call e')}${naming('e', 'nop')}data @t ".rodata" rodata align 8 size 8 zero abs64 at 0 @c`,
  );
  removeUnreachableFunctions(module);
  expect(module.functions.map((fn) => fn.symbol)).toEqual(['a', 'b', 'c']);
  expect(module.data.map((d) => d.symbol)).toEqual(['t']);
});
