import fc from 'fast-check';
import { expect, test } from 'vitest';
import { circumstancesFrom, circumstancesOf, wordsOf } from '../../src/fuzz/campaign/circumstances.ts';

test('the first variant of every program runs under the usual circumstances, the others under drawn ones, the same each time', () => {
  const drawn = new Set<string>();
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.integer({ min: 1, max: 50 }), (seed, index, variant) => {
      expect(wordsOf(circumstancesOf(seed, index, 0))).toBe('');
      const words = wordsOf(circumstancesOf(seed, index, variant));
      expect(words).toMatch(/^quantum=\d+( fail-frame=\d+)?$/);
      expect(wordsOf(circumstancesOf(seed, index, variant))).toBe(words);
      drawn.add(words);
    }),
  );
  expect(drawn.size).toBeGreaterThan(90);
});

test('words say what they were made from', () => {
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.nat(50), (seed, index, variant) => {
      const circumstances = circumstancesOf(seed, index, variant);
      expect(circumstancesFrom(wordsOf(circumstances))).toEqual(circumstances);
    }),
  );
});

test.each(['quantum', 'quantum=0', 'fail-frame=-1', 'fuel=5', 'quantum=1e9', 'quantum=1234567890123'])('%s is refused', (word) => {
  expect(() => circumstancesFrom(word)).toThrow(`circumstances ${word}: give quantum=N, fail-frame=N or both`);
});
