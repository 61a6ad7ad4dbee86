import fc from 'fast-check';
import { expect, test } from 'vitest';
import { USUAL } from '../../src/fuzz/campaign/circumstances.ts';
import type { BatchResult } from '../../src/fuzz/campaign/messages.ts';
import { Tally } from '../../src/fuzz/campaign/tally.ts';

const BATCH = 3;
const failure = (at: number) => ({ invariant: 'INV-01', at: BigInt(at), rip: 0n, cpl: 3, message: `frame 0x${at.toString(16)} is mapped` });

/** Batch `n`: three programs of two runs each; every third program fails in both, every run instruction by instruction its own. */
const batch = (n: number): BatchResult => ({
  from: BATCH * n,
  to: BATCH * (n + 1),
  runs: Array.from({ length: 2 * BATCH }, (_, k) => ({
    index: BATCH * n + (k >> 1),
    variant: k & 1,
    circumstances: USUAL,
    reason: 'exit' as const,
    status: n,
    instructions: BigInt(n + k),
    hash: `${n}/${k}`,
    failures: k >> 1 === 0 ? [failure(100 * n + k)] : [],
  })),
  judged: new Map([['INV-01', n]]),
  coverage: new Set([n]),
});

const tallyOf = (order: readonly number[]) => {
  const tally = new Tally();
  for (const n of order) tally.add(batch(n));
  const { runs, instructions, checks, coverage } = tally;
  return { runs, instructions, checks, coverage, groups: [...tally.groups], digest: tally.digest([]) };
};

test('a tally does not depend on the order in which batches come', () => {
  const inOrder = Array.from({ length: 8 }, (_, n) => n);
  const expected = tallyOf(inOrder);
  expect(expected.groups).toMatchObject([{ index: 0, circumstances: USUAL, failure: failure(0), programs: 8 }]);
  expect(expected).toMatchObject({ runs: 48, checks: { 'INV-01': 28 }, coverage: 8 });
  fc.assert(
    fc.property(fc.shuffledSubarray(inOrder, { minLength: 8 }), (order) => {
      expect(tallyOf(order)).toEqual(expected);
    }),
  );
});
