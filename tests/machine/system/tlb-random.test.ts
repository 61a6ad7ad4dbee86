import { expect, test } from 'vitest';
import { judgeTlb } from './tlb-random.ts';

test('the software TLB, snapshots and recording are invisible', async () => {
  const { stale, faults } = await judgeTlb(0, 3, 5n);
  expect(stale).toBeGreaterThan(5);
  expect(faults).toBeGreaterThan(5);
});
