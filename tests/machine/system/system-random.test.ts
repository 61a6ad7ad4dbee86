import { expect, test } from 'vitest';
import { judgeSystem } from './system-random.ts';

const SEED = Number(process.env['SEED'] ?? 1);

test.each([
  [1, false, 'not'],
  [1, true, 'told'],
  [1, false, 'told'],
  [1, true, 'logged'],
] as const)(
  `tier %s does what tier 0 does with the system's instructions; path recorded: %s, observed: %s (seed ${SEED})`,
  async (tier, path, observed) => {
    let instructions = 0;
    for (let n = 0; n < 3; n++) {
      const verdict = await judgeSystem(SEED * 1000 + n, tier, path, observed);
      expect(verdict.difference, `program ${n}:\n${verdict.text}`).toBeNull();
      instructions += verdict.instructions;
    }
    // Programs that end at once would find nothing.
    expect(instructions).toBeGreaterThan(60_000);
  },
);
