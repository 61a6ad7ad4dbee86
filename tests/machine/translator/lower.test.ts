import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { integerService } from '../../../src/machine/cpu/services.ts';
import { CpuState, layoutMemory } from '../../../src/machine/cpu/state.ts';
import { compute } from '../../../src/machine/isa/compute.ts';
import type { IntegerOp, Width } from '../../../src/machine/isa/ops.ts';
import { constant, input, Term } from '../../../src/machine/isa/term.ts';
import { Lowering } from '../../../src/machine/translator/lower.ts';
import { type Environment, LocalPool } from '../../../src/machine/translator/lowering-context.ts';
import { ModuleBuilder, OP } from '../../../src/machine/translator/wasm.ts';

const INPUTS = 0x40;
const RESULT = 0x100;
const WIDTHS: readonly Width[] = [8, 16, 32, 64];
const ALL_WIDTHS: readonly Width[] = [1, 8, 16, 32, 64, 128];

/** Compiles terms over the inputs {operand, index} into functions; inputs lie in memory, 16 bytes each. */
function compile(terms: readonly Term[]): (operands: readonly bigint[]) => bigint[] {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', 1);
  const float = m.importFunction('env', 'float', m.type(['i32', 'i32'], ['i32']));
  const integer = m.importFunction('env', 'integer', m.type(['i32', 'i32'], []));
  const type = m.type(['i32'], []);
  const functions = terms.map((term) => {
    const f = m.func(type);
    const environment: Environment = {
      floats: null,
      input: (source, width) => {
        f.get(0);
        if (source.kind !== 'operand') throw new Error('only operands');
        const kind = width === 64 ? 'i64' : width === 32 ? 'i32' : width === 16 ? 'i32_16u' : 'i32_8u';
        f.load(kind, INPUTS + 16 * source.index);
        if (width > 1) return;
        f.i32(1);
        f.op(OP.i32.and);
      },
      inputHalf: (source, half) => {
        f.get(0);
        if (source.kind !== 'operand') throw new Error('only operands');
        f.load('i64', INPUTS + 16 * source.index + 8 * half);
      },
    };
    const l = new Lowering(f, environment, new LocalPool(f), { base: 0, float, integer, giveUp: null });
    l.prepare(term);
    if (term.width === 128) {
      for (const half of [0, 1] as const) {
        f.get(0);
        l.half(term, half);
        f.store('i64', RESULT + 8 * half);
      }
    } else {
      f.get(0);
      l.push64(term);
      f.store('i64', RESULT);
    }
    f.op(OP.return);
    m.exportFunction(`f${functions_.length}`, f);
    functions_.push(f);
    return f;
  });
  expect(functions.length).toBe(terms.length);
  const layout = layoutMemory(65536, 65536);
  const memory = new WebAssembly.Memory({ initial: layout.totalBytes >> 16 });
  const state = new CpuState(memory, layout.cpuBase);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
    env: { memory, float: () => 0, integer: (op: number, width: number) => integerService(state, op, width) },
  });
  const run = terms.map((_, i) => instance.exports[`f${i}`] as (base: number) => void);
  functions_.length = 0;
  return (operands) => {
    for (const [i, value] of operands.entries()) {
      state.set64(INPUTS + 16 * i, BigInt.asUintN(64, value));
      state.set64(INPUTS + 16 * i + 8, value >> 64n);
    }
    return terms.map((term, i) => {
      state.set64(RESULT, 0xdead_beef_dead_beefn);
      state.set64(RESULT + 8, 0n);
      run[i]?.(layout.cpuBase);
      const low = state.get64(RESULT);
      return term.width === 128 ? low | (state.get64(RESULT + 8) << 64n) : low;
    });
  };
}
const functions_: unknown[] = [];

function evaluate(t: Term, operands: readonly bigint[]): bigint {
  if (t.op === 'const') return t.value;
  if (t.op === 'input') return BigInt.asUintN(t.width, operands[t.source?.kind === 'operand' ? t.source.index : 0] ?? 0n);
  return compute(
    t.op as IntegerOp,
    t.width,
    t.args.map((a) => evaluate(a, operands)),
    t.args.map((a) => a.width),
    t.lo,
  );
}

const operand = (index: number, width: Width) => input({ kind: 'operand', index }, width);
const make = (op: IntegerOp, width: Width, args: readonly Term[], lo = 0) => new Term(op, width, args, 0n, lo, null);

/** Every operation at every width that term.ts allows. */
function everyOperation(): Term[] {
  const terms: Term[] = [];
  for (const w of WIDTHS) {
    const [a, b, c] = [operand(0, w), operand(1, w), operand(2, w)];
    for (const op of [
      'add',
      'sub',
      'mul',
      'shl',
      'lshr',
      'ashr',
      'udiv',
      'urem',
      'sdiv',
      'srem',
      'pdep',
      'pext',
      'umulh',
      'smulh',
    ] as const) {
      terms.push(make(op, w, [a, b]));
    }
    for (const op of ['udivw', 'uremw'] as const) terms.push(make(op, w, [a, b, c]));
    for (const op of ['neg', 'popcnt', 'clz', 'ctz', 'bswap'] as const) terms.push(make(op, w, [a]));
    for (const op of ['eq', 'ult', 'slt'] as const) terms.push(make(op, 1, [a, b]));
    terms.push(a.eq(constant(0n, w)), a.parity);
    for (const n of [1, 3, 7]) {
      for (const op of ['shl', 'lshr', 'ashr'] as const)
        terms.push(make(op, w, [a, constant(n, w)]), make(op, w, [a, b.and(constant(w - 1, w))]));
    }
    for (const to of ALL_WIDTHS) {
      if (to > w) terms.push(make('zext', to, [a]));
      if (to > w && to < 128) terms.push(make('sext', to, [a]));
      if (to < w && to > 1) terms.push(make('trunc', to, [a]));
      if (to < w) for (const lo of [0, 1, 5, w - to]) if (lo + to <= w) terms.push(make('extract', to, [a], lo));
    }
  }
  for (const w of ALL_WIDTHS) {
    const [a, b] = [operand(0, w), operand(1, w)];
    for (const op of ['and', 'or', 'xor'] as const) terms.push(make(op, w, [a, b]));
    terms.push(make('not', w, [a]), make('ite', w, [operand(2, 8).bit(0), a, b]));
  }
  const x = operand(0, 128);
  for (const w of [1, 8, 16, 32, 64] as const)
    for (const lo of [0, 7, 32, 63, 64, 100, 128 - w]) if (lo + w <= 128) terms.push(make('extract', w, [x], lo));
  for (const w of [8, 16, 32, 64] as const) {
    for (const total of [16, 32, 64, 128] as const) {
      if (total <= w) continue;
      const lanes = Array.from({ length: total / w }, (_, i) => (i % 2 === 0 ? operand(i % 3, w) : operand(i % 3, w).not));
      terms.push(make('concat', total, lanes));
    }
  }
  const sign = make('sext', 8, [operand(0, 8).bit(3)]);
  terms.push(sign, make('zext', 64, [operand(0, 8).bit(3)]));
  return terms;
}

const interesting = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }),
  fc.constantFrom(
    0n,
    1n,
    2n,
    0x7fn,
    0x80n,
    0xffn,
    0x7fffn,
    0x8000n,
    0xffffn,
    0x7fff_ffffn,
    0x8000_0000n,
    0xffff_ffffn,
    1n << 63n,
    (1n << 63n) - 1n,
    (1n << 64n) - 1n,
    (1n << 128n) - 1n,
  ),
  fc.nat({ max: 70 }).map(BigInt),
);
const operands = fc.tuple(interesting, interesting, interesting);

describe('lowering of terms', () => {
  const terms = everyOperation();
  const run = compile(terms);

  test('computes what compute.ts says, for every operation and width', () => {
    fc.assert(
      fc.property(operands, (values) => {
        for (const [i, result] of run(values).entries()) {
          const term = terms[i] as Term;
          const expected = evaluate(term, values);
          if (result !== expected)
            throw new Error(
              `${term.op}:${term.width} lo ${term.lo} of ${term.args.map((a) => `${a.op}:${a.width}=${evaluate(a, values).toString(16)}`)}: ${result.toString(16)}, not ${expected.toString(16)}`,
            );
        }
      }),
      { numRuns: 400 },
    );
  });

  test('computes random trees with shared subterms', () => {
    const tree = (width: Width, depth: number, choose: (n: number) => number, made: Term[]): Term => {
      const reusable = made.filter((t) => t.width === width);
      if (reusable.length > 0 && choose(3) === 0) return reusable[choose(reusable.length)] as Term;
      const t = grow(width, depth, choose, made);
      made.push(t);
      return t;
    };
    const grow = (width: Width, depth: number, choose: (n: number) => number, made: Term[]): Term => {
      const sub = (w: Width) => tree(w, depth - 1, choose, made);
      if (depth === 0)
        return choose(4) === 0 ? constant(BigInt(choose(256)) & ((1n << BigInt(width)) - 1n), width) : operand(choose(3), width);
      if (width === 1) {
        const w = WIDTHS[choose(4)] as Width;
        return [
          () => sub(w).eq(sub(w)),
          () => sub(w).ult(sub(w)),
          () => sub(w).slt(sub(w)),
          () => sub(w).sign,
          () => sub(w).bit(3),
          () => sub(1).not,
        ][choose(6)]?.() as Term;
      }
      const w = width;
      const binary = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'lshr', 'ashr', 'udiv', 'srem', 'umulh'] as const;
      const choice = choose(w === 128 ? 3 : 8);
      if (w === 128)
        return choice === 0 ? sub(64).zext(128) : choice === 1 ? make('concat', 128, [sub(64), sub(64)]) : sub(128).xor(sub(128));
      if (choice < 4) return make(binary[choose(binary.length)] as IntegerOp, w, [sub(w), sub(w)]);
      if (choice === 4) return sub(1).ite(sub(w), sub(w));
      if (choice === 5) return w > 8 ? sub(WIDTHS[choose(WIDTHS.indexOf(w))] as Width).sext(w) : sub(64).trunc(8);
      if (choice === 6) return w > 8 ? sub(WIDTHS[choose(WIDTHS.indexOf(w))] as Width).zext(w) : sub(16).extract(5, 8);
      return sub(w).not;
    };
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat({ max: 1 << 20 })), fc.array(operands, { minLength: 3, maxLength: 3 }), (stream, values) => {
        const choose = (n: number) => (stream.next().value as number) % n;
        const roots = Array.from({ length: 8 }, (_, i) => tree(([64, 32, 16, 8, 1, 128, 64, 8] as const)[i] as Width, 5, choose, []));
        const f = compile(roots);
        for (const v of values) expect(f(v)).toEqual(roots.map((t) => evaluate(t, v)));
      }),
      { numRuns: 60 },
    );
  });
});
