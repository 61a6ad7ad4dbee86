import { expect, test } from 'vitest';
import { CONDITIONS, subtraction } from '../../../src/machine/isa/instructions/common.ts';
import { constant, input, Term } from '../../../src/machine/isa/term.ts';
import { bound, boundLocal } from '../../../src/machine/translator/bound.ts';
import { substitute } from '../../../src/machine/translator/substitute.ts';

const flag = (name: 'cf' | 'pf' | 'zf' | 'sf' | 'of') => input({ kind: 'flag', flag: name }, 1);
const FLAGS = { cf: flag('cf'), pf: flag('pf'), zf: flag('zf'), sf: flag('sf'), of: flag('of') };

/** A condition over the flags of x − y, as a region has them: terms over values in locals. */
function afterCompare(condition: Term, x: Term, y: Term): Term {
  const { flags } = subtraction(x, y, constant(0, 1));
  const memo = new Map<Term, Term>();
  const inLocal = (t: Term) => (t.source?.kind === 'gpr' ? bound(t.source.index, t.width) : null);
  const known = (t: Term): Term | null => {
    const term = t.source?.kind === 'flag' ? flags[t.source.flag] : undefined;
    return term instanceof Term ? substitute(term, inLocal, memo) : null;
  };
  return substitute(condition, known, new Map());
}

const shape = (t: Term): string =>
  t.op === 'not'
    ? `not ${shape(t.args[0] as Term)}`
    : `${t.op} ${t.args.map((a) => (a.source === null ? '?' : 'xy'[boundLocal(a.source)])).join('')}`;

test.each([
  ['B', 'ult xy'],
  ['AE', 'not ult xy'],
  ['E', 'eq xy'],
  ['NE', 'not eq xy'],
  ['BE', 'not ult yx'],
  ['A', 'ult yx'],
  ['L', 'slt xy'],
  ['GE', 'not slt xy'],
  ['LE', 'not slt yx'],
  ['G', 'slt yx'],
])('after a comparison, %s is %s', (name, wanted) => {
  const condition = CONDITIONS.find((c) => c.name === name);
  const [x, y] = [input({ kind: 'gpr', index: 0 }, 32), input({ kind: 'gpr', index: 1 }, 32)];
  expect(condition && shape(afterCompare(condition.when(FLAGS), x, y))).toBe(wanted);
});

test('with constants, each condition is what its flags say', () => {
  for (const width of [8, 16, 32, 64] as const) {
    const values = [0n, 1n, 2n, (1n << BigInt(width - 1)) - 1n, 1n << BigInt(width - 1), (1n << BigInt(width)) - 1n];
    for (const a of values) {
      for (const b of values) {
        const [x, y] = [constant(a, width), constant(b, width)];
        const { flags } = subtraction(x, y, constant(0, 1));
        for (const { name, when } of CONDITIONS) {
          const by = when(flags as typeof FLAGS);
          expect(afterCompare(when(FLAGS), x, y).value, `${name} ${a} ${b}`).toBe(by.value);
        }
      }
    }
  }
});
