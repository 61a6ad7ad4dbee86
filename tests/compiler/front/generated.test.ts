import fc from 'fast-check';
import { expect, test } from 'vitest';
import { generateProgram } from './generated.ts';
import { judge } from './generated-judge.ts';

test('generated programs print natively what they print under Node', () => {
  const tapes = fc.array(fc.nat(0xffffff), { minLength: 200, maxLength: 900 });
  fc.assert(
    fc.property(tapes, (tape) => {
      expect(judge(generateProgram(tape))).toBeNull();
    }),
    { seed: 2, numRuns: 8 },
  );
});
