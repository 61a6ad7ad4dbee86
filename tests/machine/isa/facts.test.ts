import { describe, expect, test } from 'vitest';
import { bug } from '../../../src/machine/isa/bug.ts';
import { effectOf } from '../../../src/machine/isa/effect.ts';
import { factsOf } from '../../../src/machine/isa/facts.ts';
import { manualMarkdown } from '../../../src/machine/isa/manual.ts';
import { shapesOf } from '../../../src/machine/isa/shapes.ts';
import { encodings, instructions } from '../../../src/machine/isa/table.ts';

const facts = (name: string) => {
  const f = factsOf(instructions.find((r) => r.name === name) ?? bug(`no row ${name}`));
  return {
    reads: [...f.flagsRead].join(' '),
    writes: [...f.flagsWritten].join(' '),
    open: [...f.flagsUndefined].join(' '),
    raises: [...f.raises].sort().join(' '),
  };
};

describe('facts of rows', () => {
  test('ADC', () => expect(facts('ADC')).toEqual({ reads: 'cf', writes: 'cf of af sf zf pf', open: '', raises: '#PF' }));
  test('INC leaves CF', () => expect(facts('INC').writes).toBe('of af sf zf pf'));
  test('AND leaves AF open', () => expect(facts('AND').open).toBe('af'));
  test('JG', () => expect(facts('JG').reads).toBe('zf sf of'));
  test('DIV', () => expect(facts('DIV')).toMatchObject({ writes: '', open: 'cf of sf zf af pf', raises: '#DE #PF' }));
  test('ADDPD raises by availability, alignment, arithmetic', () => expect(facts('ADDPD').raises).toBe('#GP #NM #PF #UD #XM'));
  test('LGDT', () => expect(facts('LGDT').raises).toBe('#GP'));
});

test('every shape that is listed has an effect', () => {
  let count = 0;
  for (const e of encodings) {
    for (const mode of [16, 32, 64] as const) {
      for (const shape of shapesOf(e, mode)) {
        expect(() => effectOf(shape), `${e.row.name} ${e.text}`).not.toThrow();
        count++;
      }
    }
  }
  expect(count).toBeGreaterThan(4000);
});

test('the manual has a line for each row', () => {
  const manual = manualMarkdown();
  expect(manual.split('\n').filter((l) => l.startsWith('| '))).toHaveLength(instructions.length + 1);
  expect(manual).toContain('| CMPXCHG16B | `REX.W 0F C7 /1 · Mdq` |');
});
