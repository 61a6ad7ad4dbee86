import fc from 'fast-check';
import { test } from 'vitest';
import { expectSame, HIDDEN, MADE_GLOBAL, steps } from './tlb-caches.ts';

for (const hasPcids of [true, false])
  test.each([true, false])(
    `what is kept cannot be noticed (${hasPcids ? 'with' : 'without'} PCIDs; refilled as regions do: %s)`,
    (refills) => {
      const property = fc.property(steps, (list) => expectSame(list, hasPcids, refills));
      fc.assert(property, { numRuns: 20, seed: 1, examples: [[[...HIDDEN]], [[...MADE_GLOBAL]]] });
    },
  );
