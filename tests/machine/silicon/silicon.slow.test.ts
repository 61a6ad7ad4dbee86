import { expect, test } from 'vitest';
import { ReferenceEvaluator } from '../../../src/machine/cpu/reference.ts';
import { FlatCpu, runReference } from './flat-cpu.ts';
import { Generator, tried } from './generate.ts';
import { Judge } from './judge.ts';
import { hasSilicon } from './silicon.ts';

const SEED = process.env['SEED'] ?? 'slow';

test.skipIf(!hasSilicon())(`300,000 instructions against this host's processor (seed ${SEED})`, { timeout: 300_000 }, () => {
  const judge = new Judge();
  for (const [kind, mode, count] of [
    ['single', 64, 100_000],
    ['single', 32, 50_000],
    ['single', 16, 30_000],
    ['sequence', 64, 100_000],
    ['sequence', 32, 20_000],
  ] as const) {
    expect(judge.run(`${SEED} ${kind} ${mode}`, kind, mode, count).differences.map((d) => d.text)).toEqual([]);
  }
});

/** In ring 3 these end in a fault, as they must. */
const ALWAYS_FAULTS =
  /^(UD[012]|HLT|CLI|STI|CLAC|STAC|LGDT|LIDT|LLDT|LTR|LMSW|CLTS|SWAPGS|RDMSR|WRMSR|INVLPG|INVPCID|INVD|WBINVD|SYSRETQ?)$/;

test('every encoding that is tried also retires', { timeout: 120_000 }, () => {
  const g = new Generator(SEED);
  const evaluator = new ReferenceEvaluator();
  const cpu = new FlatCpu();
  const never = tried.filter((e) => {
    if (ALWAYS_FAULTS.test(e.row.name) || e.operands.some((o) => o.what === 'C' || o.what === 'D')) return false;
    for (let i = 0; i < 100; i++) {
      const c = g.single(e, e.not64 ? 32 : 64);
      if (c !== null && runReference(evaluator, cpu, c, { flags: 0, defined: 0, value: false }).fault === null) return false;
    }
    return true;
  });
  expect(never.map((e) => `${e.row.name} ${e.text}`)).toEqual([]);
});
