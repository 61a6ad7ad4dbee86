import { describe, expect, test } from 'vitest';
import { decode } from '../../../src/machine/isa/decode.ts';
import { formKey, quickKey, rowNames } from '../../../src/machine/translator/form-key.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import { Judge, Random, randomInstruction } from './interpreter-judge.ts';

const library = new FormLibrary({ hasPath: false });

test('the quick key of a form tells apart whatever its full key does', () => {
  const names = rowNames();
  const r = new Random(5);
  const keys = new Map<number, string>();
  let compared = 0;
  for (let n = 0; n < 30_000; n++) {
    const mode = ([64, 32, 16] as const)[n % 3] ?? 64;
    const decoded = decode(randomInstruction(r, mode), 0, mode, 15);
    if (typeof decoded === 'string') continue;
    const segmentation = mode === 64 ? 'long' : n % 2 === 0 ? 'flat' : 'segmented';
    const quick = quickKey(decoded, segmentation);
    if (quick < 0) continue;
    const key = formKey(decoded, segmentation, names, -1);
    if (keys.has(quick)) compared++;
    expect(keys.get(quick) ?? key).toBe(key);
    keys.set(quick, key);
  }
  expect(compared).toBeGreaterThan(1000);
});

test.each([64, 32, 16] as const)('the addresses that tier 0 records are those of the reference evaluator, %d-bit code', (mode) => {
  const r = new Random(mode + 3);
  const judge = new Judge(new FormLibrary({ hasPath: false, hasAddresses: true }), mode);
  judge.scramble(r);
  for (let n = 0; n < 1500; n++) expect(judge.try(r)).toBeNull();
  expect(judge.accesses).toBeGreaterThan(100);
});

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
