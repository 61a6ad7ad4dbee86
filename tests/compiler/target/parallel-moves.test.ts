import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sequentialise } from '../../../src/compiler/target/x64/parallel-moves.ts';

test('moves at once are the same as moves in sequence', () => {
  const moves = fc
    .uniqueArray(fc.nat({ max: 12 }), { maxLength: 13 })
    .chain((to) => fc.record({ to: fc.constant(to), from: fc.array(fc.nat({ max: 12 }), { minLength: to.length, maxLength: to.length }) }));
  fc.assert(
    fc.property(moves, ({ to, from }) => {
      const registers = Array.from({ length: 100 }, (_, k) => k);
      const expected = registers.slice();
      for (const [k, target] of to.entries()) expected[target] = from[k] ?? -1;
      let temporary = 50;
      for (const [target, source] of sequentialise(to, from, () => temporary++)) registers[target] = registers[source] ?? -1;
      expect(registers.slice(0, 50)).toEqual(expected.slice(0, 50));
    }),
    { numRuns: 300, seed: 3 },
  );
});
