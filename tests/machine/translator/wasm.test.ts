import { describe, expect, test } from 'vitest';
import { ModuleBuilder, OP } from '../../../src/machine/translator/wasm.ts';

/** Builds one exported function and returns it. */
function compile<F>(build: (m: ModuleBuilder) => void, imports: Record<string, Record<string, unknown>> = {}): F {
  const m = new ModuleBuilder();
  build(m);
  return new WebAssembly.Instance(new WebAssembly.Module(m.build()), imports).exports['f'] as F;
}

describe('module builder', () => {
  test.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 0x7fff_ffff, -0x8000_0000])('i32 constant %d', (value) => {
    const f = compile<() => number>((m) => {
      const g = m.func(m.type([], ['i32']));
      g.i32(value);
      m.exportFunction('f', g);
    });
    expect(f()).toBe(value);
  });

  test.each([0n, -1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 62n, (1n << 64n) - 1n, 1n << 63n])('i64 constant %d', (value) => {
    const f = compile<() => bigint>((m) => {
      const g = m.func(m.type([], ['i64']));
      g.i64(value);
      m.exportFunction('f', g);
    });
    expect(f()).toBe(BigInt.asIntN(64, value));
  });

  test('br_table, loops, hinted branches and locals', () => {
    // Sums 10, 20 or 30 (by n modulo 4; 3 gives nothing) for n down to 1.
    const f = compile<(n: number) => number>((m) => {
      const g = m.func(m.type(['i32'], ['i32']));
      const sum = g.local('i32');
      const add = (n: number) => {
        g.get(sum);
        g.i32(n);
        g.op(OP.i32.add);
        g.set(sum);
      };
      const done = g.block();
      const again = g.loop();
      g.get(0);
      g.op(OP.i32.eqz);
      g.brIf(done, false);
      const out = g.block();
      const [c, b, a] = [g.block(), g.block(), g.block()];
      g.get(0);
      g.i32(3);
      g.op(OP.i32.and);
      g.brTable([a, b, c], out);
      for (const n of [10, 20, 30]) {
        g.end();
        add(n);
        g.br(out);
      }
      g.end();
      g.get(0);
      g.i32(1);
      g.op(OP.i32.sub);
      g.set(0);
      g.br(again);
      g.end();
      g.end();
      g.get(sum);
      m.exportFunction('f', g);
    });
    expect([f(0), f(1), f(2), f(3), f(4)]).toEqual([0, 20, 50, 50, 60]);
  });

  test('imports, memory, and functions called through an imported table', () => {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 8 });
    const f = compile<(n: number) => number>(
      (m) => {
        const unary = m.type(['i32'], ['i32']);
        expect(m.type(['i32'], ['i32'])).toBe(unary);
        m.importMemory('env', 'memory', 1);
        m.importTable('env', 'table', 4);
        const imported = m.importFunction('env', 'double', unary);
        const inner = m.func(unary);
        inner.i32(16);
        inner.get(0);
        inner.call(imported);
        inner.store('i32_16', 4);
        inner.i32(20);
        inner.load('i32_16u', 0);
        m.elements(0, 5, [inner]);
        const outer = m.func(unary);
        outer.get(0);
        outer.i32(5);
        outer.callIndirect(unary, 0);
        m.exportFunction('f', outer);
      },
      { env: { memory, table, double: (n: number) => 2 * n } },
    );
    expect(f(21)).toBe(42);
    expect(new Uint8Array(memory.buffer)[20]).toBe(42);
  });

  test('refuses what would be a wrong module', () => {
    const m = new ModuleBuilder();
    const type = m.type([], []);
    const g = m.func(type);
    expect(() => m.importFunction('env', 'late', type)).toThrow('after the first function');
    const inner = g.block();
    g.end();
    expect(() => g.br(inner)).toThrow('closed');
    g.block();
    expect(() => m.build()).toThrow('still open');
  });
});
