import { expect, test } from 'vitest';
import { judgePrograms, judgeTables } from './programs.ts';

test('tier 1 does what tier 0 does in many programs', { timeout: 300_000 }, async () => {
  expect(await judgePrograms(100, 140, { rounds: 60, sweepsTimer: false })).toBeGreaterThan(5_000_000);
  expect(await judgePrograms(140, 160, { rounds: 300, sweepsTimer: true })).toBeGreaterThan(10_000_000);
});

test('and while page tables change, in many', { timeout: 300_000 }, async () => {
  expect(await judgeTables(100, 140)).toBeGreaterThan(5_000_000);
});
