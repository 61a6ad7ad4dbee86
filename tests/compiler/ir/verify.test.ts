import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseModule } from '../../../src/compiler/ir/parse.ts';
import { assertValid, verifyModule } from '../../../src/compiler/ir/verify.ts';
import { randomModules } from './random-ir.ts';

/** The problems of a function with these lines; `b0` has the parameters `%0: i32, %1: i64`. */
function problems(body: string, results = 'i32'): string[] {
  return verifyModule(parseModule(`function @f(i32, i64) -> (${results}) {\nb0(%0: i32, %1: i64):\n${body}\n}`));
}

describe('the verifier', () => {
  test('accepts what is well-formed', () => {
    expect(problems('%2 = add.i32 %0, %0\n return %2')).toEqual([]);
    fc.assert(
      fc.property(randomModules, (module) => {
        expect(verifyModule(module)).toEqual([]);
      }),
      { numRuns: 30, seed: 2 },
    );
  });

  test.each([
    ['%2 = add.i32 %0, %1\n return %2', '%1 is i64, expected i32'],
    ['%2 = add.f64 %0, %0\n return %0', 'add is not for f64'],
    ['%2 = zext.i32 %1\n return %2', 'i64 is not narrower than i32'],
    ['%2 = trunc.i32 %0\n return %2', 'i32 is not wider than i32'],
    ['%2 = icmp.i32 lt %0, %0\n return %0', 'lt is not a predicate of icmp'],
    ['return %1', 'results: %1 is i64, expected i32'],
    ['return', '0 results, expected 1'],
    ['branch %0, b1(), b1()\nb1():\n return %0', 'conditions: %0 is i32, expected i8'],
    ['jump b1(%1)\nb1(%2: i32):\n return %2', 'arguments for b1: %1 is i64, expected i32'],
    ['jump b1()\nb1(%2: i32):\n return %2', '0 arguments for b1, expected 1'],
    ['jump b0(%0, %1)', 'it goes to the entry block'],
    ['switch %0 [1: b1(), 1: b1(), default: b1()]\nb1():\n return %0', 'a case is there twice'],
    ['%3 = add.i32 %2, %0\n %2 = add.i32 %0, %0\n return %3', '%2 is used where its definition in b0 need not have run'],
    [
      '%9 = const.i8 1\n branch %9, b1(), b2()\nb1():\n %2 = add.i32 %0, %0\n jump b2()\nb2():\n return %2',
      '%2 is used where its definition in b1 need not have run',
    ],
    ['%2 = asm.i64 "nop" (rsp %1) -> rax\n return %0', 'rsp is not a register for operands'],
    ['%2 = asm.i64 "nop" (rdi %1, rdi %1) -> rax\n return %0', 'a register has two inputs'],
    ['%2 = load.i32 %1+4294967296\n return %2', 'the offset 4294967296 is not a signed 32-bit number'],
  ])('refuses %j', (body, message) => {
    expect(problems(body).join('\n')).toContain(message);
  });

  test('names the function, the block and the instruction', () => {
    expect(problems('%2 = add.i32 %0, %1\n return %2')).toEqual(["@f b0 '%2 = add.i32 %0, %1': %1 is i64, expected i32"]);
  });

  test('asserts by ending the run', () => {
    const module = parseModule('function @f() -> () {\nb0():\n return\n}\nfunction @f() -> () {\nb0():\n return\n}');
    expect(() => assertValid(module, 'inlining')).toThrow('not well-formed after inlining:\n@f is defined twice');
  });
});
