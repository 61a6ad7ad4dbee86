/** Some cases of tools/fuzz-traces.ts; `npm run fuzz:traces` runs any number of them. */
import { beforeAll, expect, test } from 'vitest';
import { TraceFuzzer } from './fuzz/case.ts';

let fuzzer: TraceFuzzer;

beforeAll(async () => {
  fuzzer = await TraceFuzzer.create();
}, 30_000);

test('mutated traces are read, or refused by a UserError, in time and memory', async () => {
  const endings = { read: 0, refused: 0, played: 0 };
  for (let index = 0; index < 700; index++) {
    const { ending, isPlayed } = await fuzzer.run('fast', index);
    endings[ending]++;
    if (isPlayed) endings.played++;
  }
  expect(endings.played).toBe(3);
  // A mutation that is refused at once tries little: some go all the way.
  expect(endings.read).toBeGreaterThan(10);
}, 60_000);

test('a case is a function of seed and number', async () => {
  const other = await TraceFuzzer.create();
  for (const index of [0, 1, 77]) expect(other.mutant('a', index)).toEqual(fuzzer.mutant('a', index));
  expect(fuzzer.mutant('a', 1)).not.toEqual(fuzzer.mutant('b', 1));
});
