import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { IrFunction } from '../../../src/compiler/ir/function.ts';
import { Interpreter } from '../../../src/compiler/ir/interpret.ts';
import type { Module } from '../../../src/compiler/ir/module.ts';
import { parseModule } from '../../../src/compiler/ir/parse.ts';
import { type Constant, normal } from '../../../src/compiler/ir/types.ts';
import { assertValid } from '../../../src/compiler/ir/verify.ts';
import { TargetError } from '../../../src/compiler/target/options.ts';
import { generate } from '../../../src/compiler/target/x64/generate.ts';
import { runTool, toolOrSkip } from '../../tools.ts';
import { differential } from './differential.ts';
import { buildNative, type Case, runNative } from './native.ts';

function load(text: string): Module {
  const module = parseModule(text);
  assertValid(module, 'parsing');
  return module;
}

function named(module: Module, symbol: string): IrFunction {
  const fn = module.functions.find((f) => f.symbol === symbol);
  if (fn === undefined) throw new Error(`no @${symbol}`);
  return fn;
}

/** Natively and by the interpreter, which must agree; gives what came out. */
function run(module: Module, calls: readonly (readonly [symbol: string, ...args: Constant[]])[]): string[] {
  const cases = calls.map(([symbol, ...args]): Case => ({ fn: named(module, symbol), args }));
  const interpreter = new Interpreter(module);
  const expected = cases.map(({ fn, args }) => interpreter.run(fn.symbol, args));
  return runNative(module, cases).map((found, k) => {
    const text = found.kind === 'returned' ? found.results.join(' ') : found.kind === 'trapped' ? found.trap : found.why;
    const outcome = expected[k];
    const judge = outcome?.kind === 'returned' ? outcome.results.join(' ') : outcome?.kind === 'trapped' ? outcome.trap : 'not judged';
    if (judge !== 'not judged') expect(text).toBe(judge);
    return text;
  });
}

const LOOPS = `
function @fibonacci(i32) -> (i64) {
b0(%0: i32):
  %1 = const.i64 0
  %2 = const.i64 1
  jump b1(%0, %1, %2)
b1(%3: i32, %4: i64, %5: i64):
  %6 = const.i32 0
  %7 = icmp.i32 eq %3, %6
  branch %7, b2(), b3()
b2():
  return %4
b3():
  %8 = uadd.i64 %4, %5
  %9 = const.i32 1
  %10 = sub.i32 %3, %9
  jump b1(%10, %5, %8)
}
function @rotate(i32, i64, i64, i64) -> (i64, i64) {
b0(%0: i32, %1: i64, %2: i64, %3: i64):
  jump b1(%0, %1, %2, %3)
b1(%4: i32, %5: i64, %6: i64, %7: i64):
  %8 = const.i32 0
  %9 = const.i32 1
  %10 = sub.i32 %4, %9
  %11 = icmp.i32 ne %4, %8
  branch %11, b1(%10, %6, %7, %5), b2()
b2():
  return %5, %7
}`;

describe('generated code', () => {
  test('does what the interpreter says, for random modules', () => {
    differential(25, 1);
  });

  test('does so when everything is spilled', () => {
    differential(10, 2, { registers: 0 });
  });

  test('swaps and rotates block arguments', () => {
    const calls = [
      ['fibonacci', 90],
      ['fibonacci', 94],
      ['rotate', 4, 1n, 2n, 3n],
    ] as const;
    expect(run(load(LOOPS), calls)).toEqual(['2880067194370816120', 'overflow', '2 1']);
  });

  test('divides by constants at the edges of every width', () => {
    const divisors = [
      1,
      2,
      3,
      5,
      6,
      7,
      10,
      12,
      25,
      64,
      100,
      125,
      127,
      255,
      641,
      1000,
      32767,
      65535,
      10 ** 9,
      2 ** 31 - 1,
      -1,
      -2,
      -3,
      -7,
      -10,
      -128,
    ];
    const dividends = [0, 1, 2, 6, 7, 9, 99, 100, 127, 128, 255, 32767, 65535, 2 ** 31 - 1, -1, -2, -7, -100, -128, -32768, -(2 ** 31)];
    const module = load('');
    const calls: [string, ...Constant[]][] = [];
    for (const type of ['i8', 'i16', 'i32', 'i64'] as const) {
      for (const op of ['udiv', 'sdiv', 'urem', 'srem'] as const) {
        for (const d of divisors) {
          const divisor = normal(type, type === 'i64' ? BigInt(d) : d);
          if (Number(divisor) === 0) continue;
          const symbol = `${op}_${type}_by${d < 0 ? '_minus' : ''}_${Math.abs(d)}`;
          const text = `function @${symbol}(${type}) -> (${type}) {\nb0(%0: ${type}):\n %1 = const.${type} ${divisor}\n %2 = ${op}.${type} %0, %1\n return %2\n}`;
          module.functions.push(...load(text).functions);
          for (const x of dividends) calls.push([symbol, normal(type, x)]);
          if (type === 'i64') calls.push([symbol, 2n ** 63n - 1n], [symbol, -(2n ** 63n)]);
        }
      }
    }
    run(module, calls);
    expect(calls.length).toBeGreaterThan(8000);
  });

  test('passes and takes arguments beyond the registers', () => {
    const module = load(`
function @inner(i64, f64, i64, i64, i64, i64, i64, i32, i8, f64) -> (i64, f64) {
b0(%0: i64, %1: f64, %2: i64, %3: i64, %4: i64, %5: i64, %6: i64, %7: i32, %8: i8, %9: f64):
  %10 = sext.i64 %7
  %11 = sext.i64 %8
  %12 = sub.i64 %0, %6
  %13 = mul.i64 %10, %11
  %14 = add.i64 %12, %13
  %15 = fdiv.f64 %1, %9
  return %14, %15
}
function @outer(i64, f64) -> (i64, f64) {
b0(%0: i64, %1: f64):
  %2 = const.i32 -3
  %3 = const.i8 -7
  %4 = const.f64 4
  %5 = symbol.i64 @inner
  %6, %7 = callind.i64 %5(%0, %1, %0, %0, %0, %0, %0, %2, %3, %4) -> (i64, f64)
  %8, %9 = call.i64 @inner(%6, %7, %0, %0, %0, %0, %0, %2, %3, %4) -> (i64, f64)
  return %8, %9
}`);
    expect(run(module, [['outer', 100n, 32]])).toEqual(['-58 2']);
  });

  test('switches by tables and by comparisons', () => {
    const cases = (values: readonly (number | bigint)[]): string => values.map((v, k) => `${v}: b${k + 2}()`).join(', ');
    const fn = (symbol: string, type: string, values: readonly (number | bigint)[]): string =>
      `function @${symbol}(${type}) -> (i64) {\nb0(%0: ${type}):\n switch %0 [${cases(values)}, default: b1()]\nb1():\n %1 = const.i64 -1\n return %1\n${values
        .map((_, k) => `b${k + 2}():\n %${k + 2} = const.i64 ${k}\n return %${k + 2}`)
        .join('\n')}\n}`;
    const dense = [-3, -2, -1, 0, 1, 3, 5, 6];
    const sparse = [-(2n ** 63n), -5n, 0n, 7n, 1000n, 2n ** 32n, 2n ** 40n, 2n ** 63n - 1n];
    const module = load([fn('dense8', 'i8', dense), fn('dense32', 'i32', dense), fn('sparse', 'i64', sparse)].join('\n'));
    const calls: [string, Constant][] = [];
    for (const x of [-128, -4, ...dense, 2, 4, 7, 127]) calls.push(['dense8', x], ['dense32', x]);
    for (const x of [...sparse, 1n, -6n, 2n ** 41n]) calls.push(['sparse', x]);
    const found = run(module, calls);
    expect(found.slice(-11)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '-1', '-1', '-1']);
  });

  test('runs inline assembly on the registers that it names', () => {
    const module = load(`
function @f(i64, i8) -> (i64) {
b0(%0: i64, %1: i8):
  %2 = asm.i64 "mov rax, rdi\\nagain:\\nadd rax, rsi\\ndec rsi\\njnz again\\nmov rbx, rax" (rdi %0, rsi %1) -> rbx
  %3 = add.i64 %2, %0
  return %3
}`);
    expect(run(module, [['f', 1000n, 4]])).toEqual(['2010']);
  });

  test('traps with the code and the place that the source has', () => {
    const module = load(`
function @f(i32, i32) -> (i32) {
b0(%0: i32, %1: i32):
  %2 = icmp.i32 uge %0, %1
  trapif.i8 %2 bounds !"a.ts":7:3
  %3 = sadd.i32 %0, %1 !"a.ts":8:3
  return %3
}`);
    const fn = named(module, 'f');
    const big = 2 ** 31 - 1;
    expect(
      runNative(module, [
        { fn, args: [5, 5] },
        { fn, args: [1, big] },
        { fn, args: [1, 2] },
      ]),
    ).toEqual([
      { kind: 'trapped', trap: 'bounds', line: 7 },
      { kind: 'trapped', trap: 'overflow', line: 8 },
      { kind: 'returned', results: [3] },
    ]);
  });

  test('refuses f64 and large frames in the kernel, and wrong assembly', () => {
    const module = load(`
function @half(f64) -> () {
b0(%0: f64):
  return
}
function @big() -> () {
  slot $0 size 5000 align 16
b0():
  %0 = slot.i64 $0
  call.i64 @half2(%0) -> ()
  %1 = asm.i64 "frobnicate rax" () -> rax !"k.ts":3:1
  return
}`);
    expect(() => generate(module, { name: 'k', target: 'keel-kernel' })).toThrow(TargetError);
    expect(() => generate(module, { name: 'k', target: 'keel-kernel' })).toThrow(
      /half has a parameter of type f64.*k\.ts:3:1: .*frobnicate.*the frame of big takes 5008 bytes, at most 4096/s,
    );
  });

  test('makes images that objdump and readelf accept without a word on standard error', (context) => {
    const objdump = toolOrSkip(context, 'objdump');
    const readelf = toolOrSkip(context, 'readelf');
    const module = load(LOOPS);
    const folder = mkdtempSync(join(tmpdir(), 'palindrome-image-'));
    try {
      const path = join(folder, 'image');
      writeFileSync(path, buildNative(module, [{ fn: named(module, 'fibonacci'), args: [1] }]));
      const listing = runTool(objdump, ['-d', '-M', 'intel', path]);
      expect(listing).toContain('<fibonacci>:');
      expect(listing).not.toContain('(bad)');
      expect(runTool('/bin/sh', ['-c', `${readelf} -aW ${path} 2>&1 >/dev/null`])).toBe('');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
