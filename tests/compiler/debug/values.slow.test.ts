import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { toolOrSkip } from '../../tools.ts';
import { generateProgram } from '../front/generated.ts';
import { longTape } from './tapes.ts';
import { judgeValues } from './values-judge.ts';

const effort = { stops: 120, steps: 8 };
const limits = { timeout: 60_000 };

test.for([21, 22, 23, 24, 25, 26, 27, 28])('variables of generated program %i are right or optimised out', limits, (seed, context) => {
  const gdb = toolOrSkip(context, 'gdb');
  const text = generateProgram(longTape(seed));
  for (const level of [0, 2] as const) expect(judgeValues(gdb, text, level, effort).wrong).toEqual([]);
});

test.for(['calculator', 'frame-mix', 'hash-map', 'mandelbrot', 'many-arguments', 'recursion', 'switches', 'using'])(
  'variables of programs/%s are right or optimised out',
  limits,
  (name, context) => {
    const gdb = toolOrSkip(context, 'gdb');
    const text = readFileSync(new URL(`../programs/${name}.ts`, import.meta.url), 'utf8');
    for (const level of [0, 2] as const) expect(judgeValues(gdb, text, level, effort).wrong).toEqual([]);
  },
);
