/** Values and statements of code.ts, run, against what JavaScript makes of the same numbers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Code, CodeModule, I32, I64, type Var32 } from '../../../src/machine/translator/code.ts';

type Binary = (a: number, b: number) => number;

/** The exported function `f` of a module that `define` writes. */
function compile<F>(define: (module: CodeModule) => void, env: Record<string, unknown> = {}): F {
  const module = new CodeModule();
  define(module);
  return new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env }).exports['f'] as F;
}

const binary = (value: (a: I32, b: I32) => I32): Binary =>
  compile((module) => module.define('f', ['i32', 'i32'], 'i32', (code, [a, b]) => code.return(value(a, b))));

const number = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom(-(2 ** 31), 2 ** 31 - 1),
);
const truth = (is: boolean): number => (is ? 1 : 0);
const joined = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);

const OPERATIONS: readonly (readonly [name: string, value: (a: I32, b: I32) => I32, model: Binary])[] = [
  ['add', (a, b) => a.add(b), (a, b) => (a + b) | 0],
  ['sub', (a, b) => a.sub(b), (a, b) => (a - b) | 0],
  ['mul', (a, b) => a.mul(b), Math.imul],
  ['and', (a, b) => a.and(b), (a, b) => a & b],
  ['or', (a, b) => a.or(b), (a, b) => a | b],
  ['xor', (a, b) => a.xor(b), (a, b) => a ^ b],
  ['shl', (a, b) => a.shl(b), (a, b) => a << b],
  ['shrU', (a, b) => a.shrU(b), (a, b) => (a >>> b) | 0],
  ['shrS', (a, b) => a.shrS(b), (a, b) => a >> b],
  ['eq', (a, b) => a.eq(b), (a, b) => truth(a === b)],
  ['ne', (a, b) => a.ne(b), (a, b) => truth(a !== b)],
  ['ltU', (a, b) => a.ltU(b), (a, b) => truth(a >>> 0 < b >>> 0)],
  ['leU', (a, b) => a.leU(b), (a, b) => truth(a >>> 0 <= b >>> 0)],
  ['gtU', (a, b) => a.gtU(b), (a, b) => truth(a >>> 0 > b >>> 0)],
  ['geU', (a, b) => a.geU(b), (a, b) => truth(a >>> 0 >= b >>> 0)],
  ['ltS', (a, b) => a.ltS(b), (a, b) => truth(a < b)],
  ['geS', (a, b) => a.geS(b), (a, b) => truth(a >= b)],
  ['has', (a, b) => a.has(b), (a, b) => truth((a & b) !== 0)],
  ['lacks', (a, b) => a.lacks(b), (a, b) => truth((a & b) === 0)],
  ['isZero', (a, b) => a.and(b).isZero, (a, b) => truth((a & b) === 0)],
  ['where', (a, b) => a.where(b.has(1), 7), (a, b) => ((b & 1) !== 0 ? a : 7)],
  ['64 bits: low', (a, b) => I64.join(a, b).add(1n).low, (a) => (a + 1) | 0],
  ['64 bits: high', (a, b) => I64.join(a, b).add(1n).high, (a, b) => (a === -1 ? b + 1 : b) | 0],
  ['64 bits: shrS', (a, b) => I64.join(a, b).shrS(47n).low, (a, b) => Number(BigInt.asIntN(32, joined(a, b) >> 47n))],
  ['64 bits: ltU', (a, b) => I64.join(a, b).ltU(I64.join(b, a)), (a, b) => truth(BigInt.asUintN(64, joined(a, b)) < BigInt.asUintN(64, joined(b, a)))],
  ['64 bits: has', (a, b) => I64.join(a, b).has(1n << 40n), (_a, b) => truth((b & 0x100) !== 0)],
]; // biome-ignore format: one operation a line

test.each(OPERATIONS)('%s', (_name, value, model) => {
  const f = binary(value);
  fc.assert(
    fc.property(number, number, (a, b) => {
      expect(f(a, b)).toBe(model(a, b));
    }),
    { numRuns: 200, seed: 1 },
  );
});

test('a value is computed each time that it is used, a variable once', () => {
  let calls = 0;
  const twice = (body: (code: Code, call: I32) => void) =>
    compile<() => number>(
      (module) => {
        const next = module.import('next', [], 'i32');
        module.define('f', [], 'i32', (code) => body(code, next()));
      },
      { next: () => ++calls },
    );
  expect(twice((code, call) => code.return(call.add(call)))()).toBe(1 + 2);
  const once = twice((code, call) => {
    const value: Var32 = code.var32(call);
    code.return(value.add(value));
  });
  expect(once()).toBe(3 + 3);
});

test('loops run until they are left, blocks are left forwards, and functions call each other', () => {
  const f = compile<(n: number) => number>((module) => {
    const square = module.define(null, ['i32'], 'i32', (code, [n]) => code.return(n.mul(n)));
    module.define('f', ['i32'], 'i32', (code, [n]) => {
      const [sum, i] = [code.var32(0), code.var32(0)];
      code.loop((leave) => {
        code.if(i.geU(n), leave);
        i.set(i.add(1));
        // Odd numbers only.
        code.block((skip) => {
          code.rarely(i.lacks(1), skip);
          sum.set(sum.add(square(i)));
        });
      });
      code.return(sum);
    });
  });
  expect([0, 1, 2, 5].map(f)).toEqual([0, 1, 1, 1 + 9 + 25]);
});

test('loads and stores name their memory', () => {
  const [first, second] = [new WebAssembly.Memory({ initial: 1 }), new WebAssembly.Memory({ initial: 1 })];
  const f = compile<(at: number, value: number) => void>(
    (module) => {
      module.memory('first');
      module.memory('second');
      module.define('f', ['i32', 'i32'], null, (code, [at, value]) => {
        code.store32(at, 4, value);
        code.store8(at, 16, value.add(1), 1);
        code.store64(at, 24, at.load64(0).shl(8n), 1);
        code.store16(at, 32, at.load8(4), 1);
        code.fill(at, 0xaa, I32.of(2));
      });
    },
    { first, second },
  );
  f(64, 0x0102_03ff);
  const bytes = (memory: WebAssembly.Memory, at: number, count: number) => [...new Uint8Array(memory.buffer, at, count)];
  expect(bytes(first, 64, 8)).toEqual([0xaa, 0xaa, 0, 0, 0xff, 3, 2, 1]);
  expect(bytes(second, 80, 1)).toEqual([0]);
  expect(bytes(second, 88, 8)).toEqual([0, 0, 0, 0, 0, 0xff, 3, 2]);
  expect(bytes(second, 96, 2)).toEqual([0xff, 0]);
});

test('a call with another number of values is a bug of ours', () => {
  expect(() =>
    compile((module) => {
      const one = module.import('one', ['i32'], null);
      module.define('f', [], null, (code) => code.do(one()));
    }),
  ).toThrow('takes 1 values, not 0');
});
