import { test } from 'vitest';
import { runPasses } from '../../../src/compiler/pipeline.ts';
import { differential } from './differential.ts';

test('400 random modules do natively what the interpreter says', { timeout: 120_000 }, () => {
  differential(400, 20_000);
});

test('300 random modules do so behind all passes, and stay well-formed', { timeout: 120_000 }, () => {
  differential(300, 30_000, {
    prepare: (module) => {
      for (const fn of module.functions) fn.exported = true;
      runPasses(module, { level: 2, entries: [], verify: true });
    },
  });
});

test.each([0, 1, 4])('200 random modules do so with %i registers of each class', { timeout: 120_000 }, (registers) => {
  differential(200, 40_000 + registers, { registers });
});
