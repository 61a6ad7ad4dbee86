/** The same programs without passes, so that neither the front end nor the target leans on them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileOrThrow, runNatively } from './judge.ts';

const folder = join(import.meta.dirname, '../programs');

describe('without optimisation', () => {
  for (const name of readdirSync(folder)) {
    test(name, () => {
      const files = new Map([[name, readFileSync(join(folder, name), 'utf8')]]);
      const plain = runNatively(compileOrThrow(name, files, { optimise: 0 }));
      expect(plain).toEqual(runNatively(compileOrThrow(name, files)));
    });
  }
});
