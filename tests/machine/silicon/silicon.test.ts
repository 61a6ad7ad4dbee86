import { describe, expect, test } from 'vitest';
import { encodings } from '../../../src/machine/isa/table.ts';
import type { Case, Judged, Outcome } from './cases.ts';
import { Reference } from './flat-cpu.ts';
import { tried } from './generate.ts';
import { Judge } from './judge.ts';
import { hasSilicon } from './silicon.ts';

const SEED = process.env['SEED'] ?? 'fast';

/** The reference with one wrong bit: AF of every instruction. */
class Saboteur implements Judged {
  readonly name = 'saboteur';
  private readonly reference = new Reference();
  run(cases: readonly Case[]): readonly Outcome[] {
    return this.reference.run(cases).map((o) => ({ ...o, rflags: o.rflags ^ 0x10n }));
  }
}

describe.skipIf(!hasSilicon())(`the table against this host's processor (seed ${SEED})`, () => {
  const judge = new Judge();
  test.each([
    ['single', 64, 3000],
    ['single', 32, 1500],
    ['single', 16, 1500],
    ['sequence', 64, 3000],
    ['sequence', 32, 1500],
  ] as const)('%s instructions in %i-bit mode', (kind, mode, count) => {
    const { differences, instructions } = judge.run(SEED, kind, mode, count);
    expect(differences.map((d) => d.text)).toEqual([]);
    expect(instructions).toBeGreaterThanOrEqual(count);
  });

  test('a wrong flag is found', () => {
    const { differences } = new Judge([new Saboteur()]).run(SEED, 'single', 64, 300);
    expect(differences.length).toBeGreaterThan(200);
    expect(differences.every((d) => d.judged === 'saboteur')).toBe(true);
  });
});

test('at most one encoding in seven cannot be tried', () => {
  expect(tried.length / encodings.length).toBeGreaterThan(6 / 7);
});
