import { expect, test } from 'vitest';
import { judgePrograms, judgeTables } from './programs.ts';

test('tier 1 does what tier 0 does among steps, breakpoints, faults, fresh code and interrupts', async () => {
  expect(await judgePrograms(0, 4, { rounds: 60, sweepsTimer: false })).toBeGreaterThan(100_000);
});

test('so it does with a timer interrupt behind each instruction in turn', async () => {
  expect(await judgePrograms(5, 7, { rounds: 100, sweepsTimer: true })).toBeGreaterThan(100_000);
});

test('and while page tables change', async () => {
  expect(await judgeTables(0, 2)).toBeGreaterThan(200_000);
});
