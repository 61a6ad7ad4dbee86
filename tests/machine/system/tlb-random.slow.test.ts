import { expect, test } from 'vitest';
import { judgeTlb } from './tlb-random.ts';

test('the software TLB, snapshots and recording are invisible in many programs', async () => {
  const { stale, faults } = await judgeTlb(3, 15, 1n);
  expect(stale).toBeGreaterThan(25);
  expect(faults).toBeGreaterThan(25);
});

test('so they are where code of large pages is stale, and where a use was told under another root', async () => {
  await judgeTlb(100, 130, 2n);
  await judgeTlb(341, 342, 3n);
});
