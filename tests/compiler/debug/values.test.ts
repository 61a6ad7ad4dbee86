import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toolOrSkip } from '../../tools.ts';
import { generateProgram } from '../front/generated.ts';
import { longTape } from './tapes.ts';
import { judgeValues } from './values-judge.ts';

const patterns = readFileSync(new URL('../programs/variables.ts', import.meta.url), 'utf8');

test.for([0, 2] as const)('variables are in gdb what they are under Node, or optimised out, at level %i', (level, context) => {
  const gdb = toolOrSkip(context, 'gdb');
  const { wrong, shown, lost } = judgeValues(gdb, patterns, level, { stops: 110, steps: 4 });
  expect(wrong).toEqual([]);
  // Most are there: a test of nothing would pass, too.
  expect(shown).toBeGreaterThan(2 * lost);
});

test('the same of a generated program', (context) => {
  const gdb = toolOrSkip(context, 'gdb');
  const { wrong, shown } = judgeValues(gdb, generateProgram(longTape(7)), 2, { stops: 60, steps: 4 });
  expect(wrong).toEqual([]);
  expect(shown).toBeGreaterThan(100);
});
