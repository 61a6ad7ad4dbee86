/** Random programs with random probes: see probe-judge.ts. */
import { expect, test } from 'vitest';
import { judgeOperands, judgeProbes, probedPrograms } from './probe-judge.ts';

const SEED = Number(process.env['SEED'] ?? 1);

test.each(probedPrograms(SEED))(
  `%s: each tier tells what single steps find, and the run is the same (seed ${SEED})`,
  async (name, program) => {
    expect(await judgeProbes(name, program, SEED, 5_000, 1)).toBeGreaterThan(0);
  },
);

test.each(probedPrograms(SEED))('%s: the operands of each instruction are told', async (name, program) => {
  expect(await judgeOperands(name, program, 4_000)).toBeGreaterThan(500);
});
