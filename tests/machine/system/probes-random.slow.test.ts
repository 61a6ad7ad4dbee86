/** More programs and more probes than probes-random.test.ts. */
import { expect, test } from 'vitest';
import { judgeProbes, probedPrograms } from './probe-judge.ts';

test.each(Array.from({ length: 4 }, (_, n) => 100 + n))('seed %s', async (seed) => {
  for (const [name, program] of probedPrograms(seed)) expect(await judgeProbes(name, program, seed, 8_000, 1)).toBeGreaterThanOrEqual(0);
});
