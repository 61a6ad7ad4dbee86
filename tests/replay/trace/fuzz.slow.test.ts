import { expect, test } from 'vitest';
import { TraceFuzzer } from './fuzz/case.ts';

test('eight thousand mutated traces are read, or refused by a UserError, in time and memory', async () => {
  const fuzzer = await TraceFuzzer.create();
  let played = 0;
  for (let index = 0; index < 8_000; index++) if ((await fuzzer.run('slow', index)).isPlayed) played++;
  expect(played).toBe(32);
}, 300_000);
