import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFunction, parseModule } from '../../../src/compiler/ir/parse.ts';
import { printModule } from '../../../src/compiler/ir/print.ts';
import { randomModules } from './random-ir.ts';

const EVERYTHING = `data @table ".rodata" rodata align 8 size 16 x00000000000000000102030405060708 exported
  abs64 at 0 @"Table.lookup<u64>"+8

data @counter ".bss" bss align 8 size 8 zero

assembly "entry" "start:\\n  jmp start" !"boot.ts":3:1

function @"Table.lookup<u64>"(i32, i64, f64) -> (i64, f64) exported inline never !"table.ts":1:8 {
  slot $0 size 24 align 16
b0(%0: i32, %1: i64, %2: f64):
  %3 = const.i8 -1
  %4 = const.i64 -9223372036854775808 !"table.ts":2:3
  %5 = const.f64 -0
  %6 = const.f64 NaN
  %7 = symbol.i64 @counter-8
  %8 = slot.i64 $0+16
  %9 = load.i32 %8+4 volatile
  store.f64 %2, %7
  %10 = icmp.i64 ult %1, %4
  trapif.i8 %10 bounds
  %11, %12 = call.i64 @"Table.lookup<u64>"(%9, %1, %5) -> (i64, f64)
  callind.i64 %11(%6) -> ()
  %13 = asm.i64 "mov rax, cr3\\n# \\"x\\"" (rdi %1, rsi %0) -> rax
  switch %9 [0: b1(%13), -5: b2(), default: b3()]
b1(%14: i64):
  branch %10, b1(%1), b3()
b2() cold:
  trap unreachable
b3():
  return %1, %12
}
`;

describe('IR text', () => {
  test('what is printed is read back as it was', () => {
    expect(printModule(parseModule(EVERYTHING))).toBe(EVERYTHING);
  });

  test('so is every random module', () => {
    fc.assert(
      fc.property(randomModules, (module) => {
        const text = printModule(module);
        expect(printModule(parseModule(text))).toBe(text);
      }),
      { numRuns: 30, seed: 1 },
    );
  });

  test('locations can be left out', () => {
    expect(printModule(parseModule(EVERYTHING), { locations: false })).not.toContain('table.ts');
  });

  test.each([
    ['function @f() -> () {\nb0():\n  frob.i32 %1\n}', 'line 3: frob.i32 is not an operation and a type'],
    ['function @f() -> () {\nb0():\n  return %1\n}', '@f'],
    ['function @f() -> () {\nb0():\n  jump b7()\n}', 'b7 is not there'],
    ['function @f() -> () {\nb0():\n  %1 = const.i8 x\n}', 'line 3: x is not a constant of i8'],
    ['function @f() -> () {\nb0():\n  trap maybe\n}', 'line 3: maybe is not a trap code'],
    ['function @f() -> () {\nb0():\n  return\nb0():\n  return\n}', 'b0 is there twice'],
    ['program', 'line 1: expected data, assembly, layouts or function'],
  ])('%j is refused', (text, message) => {
    expect(() => parseModule(text)).toThrow(message.replace('@f', '%1 is not defined'));
  });

  test('one function is expected where one is asked for', () => {
    expect(() => parseFunction('')).toThrow('exactly one function');
  });
});
