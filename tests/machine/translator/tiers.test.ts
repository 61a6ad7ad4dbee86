import { describe, expect, test } from 'vitest';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Random } from '../cpu/interpreter-judge.ts';
import { lockstep } from './lockstep.ts';

const SEED = Number(process.env['SEED'] ?? 1);

describe.each([false, true])('random programs, path recorded: %s', (hasPath) => {
  test('tier 1 does what tier 0 does, however runs are cut', { timeout: 120_000 }, () => {
    const library = new FormLibrary({ hasPath });
    let instructions = 0;
    for (let n = 0; n < 8; n++) {
      const verdict = lockstep(new Random(SEED * 1000 + n), { tiers: [0, 1], library });
      expect(verdict.difference, `seed ${SEED}, program ${n}:\n${verdict.text}`).toBeNull();
      instructions += verdict.instructions;
    }
    // Programs that end at once would find nothing.
    expect(instructions).toBeGreaterThan(20_000);
  });
});
