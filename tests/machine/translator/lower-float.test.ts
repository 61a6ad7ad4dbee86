import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floatService } from '../../../src/machine/cpu/services.ts';
import { CpuState, layoutMemory } from '../../../src/machine/cpu/state.ts';
import { computeFloat } from '../../../src/machine/isa/float.ts';
import type { FloatOp, Width } from '../../../src/machine/isa/ops.ts';
import { float, fstatus, input, type Term } from '../../../src/machine/isa/term.ts';
import { Lowering } from '../../../src/machine/translator/lower.ts';
import { type Environment, LocalPool } from '../../../src/machine/translator/lowering-context.ts';
import { ModuleBuilder } from '../../../src/machine/translator/wasm.ts';

const INPUTS = 0x40;
const RESULT = 0x100;

interface Case {
  readonly op: FloatOp;
  readonly from: 32 | 64;
  readonly to: Width;
  readonly term: Term;
}

function allCases(): Case[] {
  const cases: Case[] = [];
  const add = (op: FloatOp, from: 32 | 64, to: Width, operands: number) => {
    const args = Array.from({ length: operands }, (_, index) => input({ kind: 'operand', index }, from));
    cases.push({ op, from, to, term: float(op, to, args, input({ kind: 'operand', index: 2 }, 32)) });
  };
  for (const w of [32, 64] as const) {
    for (const op of ['fadd', 'fsub', 'fmul', 'fdiv', 'fmin', 'fmax'] as const) add(op, w, w, 2);
    for (const op of ['fcmp', 'fucmp'] as const) add(op, w, 8, 2);
    add('fsqrt', w, w, 1);
    for (const to of [32, 64] as const) for (const op of ['fromint', 'toint', 'trunctoint'] as const) add(op, w, to, 1);
  }
  add('fnarrow', 64, 32, 1);
  add('fwiden', 32, 64, 1);
  return cases;
}

/** One function a case: value and status from operands 0 and 1 and MXCSR (2). Counts calls of the slow path. */
function compile(cases: readonly Case[]) {
  const m = new ModuleBuilder();
  m.importMemory('env', 'memory', 1);
  const floatImport = m.importFunction('env', 'float', m.type(['i32', 'i32'], ['i32']));
  const type = m.type(['i32'], []);
  for (const [i, { term }] of cases.entries()) {
    const f = m.func(type);
    const environment: Environment = {
      floats: null,
      input: (source, width) => {
        f.get(0);
        f.load(width === 64 ? 'i64' : 'i32', INPUTS + 8 * (source.kind === 'operand' ? source.index : 0));
      },
      inputHalf: () => {
        throw new Error('no 128-bit inputs');
      },
    };
    const l = new Lowering(f, environment, new LocalPool(f), { base: 0, float: floatImport, integer: 0, giveUp: null });
    const status = fstatus(term);
    l.prepare(term, status);
    f.get(0);
    l.push64(term);
    f.store('i64', RESULT);
    f.get(0);
    l.push64(status);
    f.store('i64', RESULT + 8);
    m.exportFunction(`f${i}`, f);
  }
  const layout = layoutMemory(65536, 65536);
  const memory = new WebAssembly.Memory({ initial: layout.totalBytes >> 16 });
  const state = new CpuState(memory, layout.cpuBase);
  const slow = { calls: 0 };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.build()), {
    env: {
      memory,
      float: (op: number, mxcsr: number) => {
        slow.calls++;
        return floatService(state, op, mxcsr);
      },
    },
  });
  const run = (i: number, a: bigint, b: bigint, mxcsr: number): { value: bigint; status: number } => {
    state.set64(INPUTS, a);
    state.set64(INPUTS + 8, b);
    state.set64(INPUTS + 16, BigInt(mxcsr));
    (exports[`f${i}`] as (base: number) => void)(layout.cpuBase);
    return { value: state.get64(RESULT), status: Number(state.get64(RESULT + 8)) };
  };
  return { run, slow };
}

const bits64 = (x: number) => new BigUint64Array(new Float64Array([x]).buffer)[0] ?? 0n;
const bits32 = (x: number) => BigInt(new Uint32Array(new Float32Array([x]).buffer)[0] ?? 0);
const ordinary = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.integer({ min: -2000, max: 2000 }),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    0.5,
    1.5,
    2.5,
    -2.5,
    2 ** 31,
    2 ** 31 - 1,
    -(2 ** 31),
    2 ** 63,
    2 ** 53 + 2,
    1e300,
    1e-300,
    1e38,
    1e-38,
    Number.MAX_VALUE,
  ),
);
const special64 = fc.constantFrom(
  0x7ff0n << 48n,
  0xfff0n << 48n,
  0x7ff8n << 48n,
  0x7ff0_0000_0000_0001n,
  0xfff8_0000_0000_1234n,
  1n,
  0x000f_ffff_ffff_ffffn,
  0x0010_0000_0000_0000n,
  0x0010_0000_0000_0001n,
  0x7fef_ffff_ffff_ffffn,
);
const special32 = fc.constantFrom(
  0x7f80_0000n,
  0xff80_0000n,
  0x7fc0_0000n,
  0x7f80_0001n,
  0xffc0_1234n,
  1n,
  0x007f_ffffn,
  0x0080_0000n,
  0x0080_0001n,
  0x7f7f_ffffn,
);
const any64 = fc.oneof(ordinary.map(bits64), special64, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const any32 = fc.oneof(ordinary.map(bits32), special32, fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }));
/** Mostly the usual value, with and without PE; sometimes any rounding, DAZ, FTZ, masks. */
const mxcsrs = fc.oneof(fc.constantFrom(0x1f80, 0x1fa0, 0x1fbf), fc.integer({ min: 0, max: 0xffff }));

describe('lowering of floating-point terms', () => {
  const cases = allCases();
  const { run, slow } = compile(cases);

  test('gives the bits and the sticky flags of isa/float.ts, for every operation, format and control word', () => {
    fc.assert(
      fc.property(any64, any64, any32, any32, mxcsrs, (a64, b64, a32, b32, mxcsr) => {
        for (const [i, { op, from, to }] of cases.entries()) {
          const [a, b] = from === 64 ? [a64, b64] : [a32, b32];
          const expected = computeFloat(op, to, [a, b], [from, from], mxcsr);
          const got = run(i, a, b, mxcsr);
          if (got.value !== expected.value || (got.status | mxcsr) !== (expected.status | mxcsr)) {
            throw new Error(
              `${op} ${from}→${to} of ${a.toString(16)}, ${b.toString(16)} with MXCSR ${mxcsr.toString(16)}: ${got.value.toString(16)} ${got.status}, not ${expected.value.toString(16)} ${expected.status}`,
            );
          }
        }
      }),
      { numRuns: 3000 },
    );
  });

  test('takes the fast path for ordinary numbers once PE is set, and for exact results before', () => {
    const index = (op: FloatOp) => cases.findIndex((c) => c.op === op && c.from === 64 && c.to !== 32);
    slow.calls = 0;
    for (const op of ['fadd', 'fsub', 'fmul', 'fdiv', 'fsqrt', 'fmin', 'fcmp', 'fucmp'] as const)
      run(index(op), bits64(1.1), bits64(3.7), 0x1fa0);
    for (const op of ['fadd', 'fsub', 'fmul', 'trunctoint', 'toint'] as const) run(index(op), bits64(12), bits64(30), 0x1f80);
    run(index('fdiv'), bits64(30), bits64(12), 0x1f80);
    run(index('fsqrt'), bits64(144), 0n, 0x1f80);
    expect(slow.calls).toBe(0);
    run(index('fadd'), bits64(1.1), bits64(1e-9), 0x1f80);
    expect(slow.calls).toBe(1);
  });
});
