import { expect, test } from 'vitest';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Judge } from '../silicon/judge.ts';
import { hasSilicon } from '../silicon/silicon.ts';
import { candidate } from './interpreter-silicon.ts';

const SEED = process.env['SEED'] ?? 'tier 0';

test.skipIf(!hasSilicon())(`tier 0 on 60,000 instructions against this host's processor (seed ${SEED})`, { timeout: 300_000 }, () => {
  const judge = new Judge([candidate(new FormLibrary({ hasPath: false }))]);
  for (const [kind, mode, count] of [
    ['single', 64, 20_000],
    ['single', 32, 10_000],
    ['single', 16, 5_000],
    ['sequence', 64, 20_000],
    ['sequence', 32, 5_000],
  ] as const) {
    expect(judge.run(`${SEED} ${kind} ${mode}`, kind, mode, count).differences.map((d) => d.text)).toEqual([]);
  }
});

test.skipIf(!hasSilicon())(`tier 1 on 40,000 instructions of 64-bit code (seed ${SEED})`, { timeout: 600_000 }, () => {
  const judge = new Judge([candidate(new FormLibrary({ hasPath: false }), 1)]);
  for (const [kind, count] of [
    ['single', 10_000],
    ['sequence', 30_000],
  ] as const) {
    expect(judge.run(`${SEED} ${kind}`, kind, 64, count).differences.map((d) => d.text)).toEqual([]);
  }
});
