import { expect, test } from 'vitest';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Judge, Random } from './interpreter-judge.ts';

test.each([
  [64, false],
  [64, true],
  [32, false],
  [16, false],
] as const)('tier 0 is the reference evaluator on 60,000 cases (%d-bit code, recorded: %s)', { timeout: 120_000 }, (mode, isRecorded) => {
  const library = new FormLibrary({ hasPath: isRecorded, hasAddresses: isRecorded });
  const r = new Random(1000 + mode);
  const judge = new Judge(library, mode);
  judge.scramble(r);
  while (judge.cases < 50_000) {
    expect(judge.try(r)).toBeNull();
    if (judge.cases % 5000 === 0) judge.drainPath();
  }
  while (judge.cases < 60_000) {
    expect(judge.trySequence(r, 30)).toBeNull();
    judge.drainPath();
  }
});
