import { expect, test } from 'vitest';
import { judgePrograms, judgeTables } from './programs.ts';

// Programs that end at once would find nothing; how long they are depends on the seed.

test('tier 1 does what tier 0 does among steps, breakpoints, faults, fresh code and interrupts', async () => {
  expect(await judgePrograms(0, 4, { rounds: 20, sweepsTimer: false })).toBeGreaterThan(10_000);
});

test('so it does with a timer interrupt behind each instruction in turn', async () => {
  expect(await judgePrograms(5, 7, { rounds: 100, sweepsTimer: true })).toBeGreaterThan(10_000);
});

test('and while page tables change', async () => {
  expect(await judgeTables(0, 2)).toBeGreaterThan(100_000);
});
