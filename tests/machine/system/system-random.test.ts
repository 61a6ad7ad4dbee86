import { expect, test } from 'vitest';
import { judgeSystem } from './system-random.ts';

const SEED = Number(process.env['SEED'] ?? 1);

test.each([
  [1, false, false],
  [1, true, true],
  [1, false, true],
  [1, true, false],
] as const)(
  `tier %s does what tier 0 does with the system's instructions; path recorded: %s, observed: %s (seed ${SEED})`,
  async (tier, path, isObserved) => {
    let instructions = 0;
    for (let n = 0; n < 3; n++) {
      const verdict = await judgeSystem(SEED * 1000 + n, tier, path, isObserved);
      expect(verdict.difference, `program ${n}:\n${verdict.text}`).toBeNull();
      instructions += verdict.instructions;
    }
    // Programs that end at once would find nothing.
    expect(instructions).toBeGreaterThan(60_000);
  },
);
