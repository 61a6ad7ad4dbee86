import fc from 'fast-check';
import { test } from 'vitest';
import { expectSame, steps } from './tlb-caches.ts';

test('what is kept cannot be noticed, at length', () => {
  const property = fc.property(steps, fc.boolean(), fc.boolean(), expectSame);
  fc.assert(property, { numRuns: 300, seed: 2 });
}, 300_000);
