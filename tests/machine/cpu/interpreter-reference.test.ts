import { describe, expect, test } from 'vitest';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Judge, Random } from './interpreter-judge.ts';

const library = new FormLibrary({ hasPath: false });

describe.each([64, 32, 16] as const)('tier 0 against the reference evaluator, %d-bit code', (mode) => {
  test('single instructions on random states', () => {
    const r = new Random(mode);
    const judge = new Judge(library, mode);
    judge.scramble(r);
    for (let n = 0; n < 2000; n++) expect(judge.try(r)).toBeNull();
    // Empty runs would find nothing.
    expect(judge.cases).toBeGreaterThan(500);
    expect(judge.rows.size).toBeGreaterThan(120);
  });

  test('single instructions by the slow paths alone', () => {
    const r = new Random(mode + 1);
    const judge = new Judge(library, mode, false);
    judge.scramble(r);
    for (let n = 0; n < 500; n++) expect(judge.try(r)).toBeNull();
  });

  test('runs of instructions, with stores into themselves', () => {
    const r = new Random(mode + 2);
    const judge = new Judge(library, mode);
    judge.scramble(r);
    for (let n = 0; n < 80; n++) expect(judge.trySequence(r, 20)).toBeNull();
    expect(judge.cases).toBeGreaterThan(100);
  });
});
