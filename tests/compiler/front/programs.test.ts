/** The programs of tests/compiler/programs and examples/: natively as under Node, with the verifier behind every pass. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compileOrThrow, runNatively, runUnderNode } from './judge.ts';

const root = join(import.meta.dirname, '../../..');
const sourcesIn = (folder: string): string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`);
const read = (path: string): string | null => {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return null;
  }
};

/** Examples that need a kernel under them: Node cannot run them. */
const NEEDS_KERNEL = new Set(['examples/pipes.ts']);
const programs = [...sourcesIn('tests/compiler/programs'), ...sourcesIn('examples').filter((path) => !NEEDS_KERNEL.has(path))];

describe('programs', () => {
  const underNode = runUnderNode(programs.map((path) => join(root, path)));

  test('there are at least 60', () => {
    expect(programs.length).toBeGreaterThanOrEqual(60);
  });

  for (const path of programs) {
    test(path, () => {
      const native = runNatively(compileOrThrow(path, read));
      expect(underNode.get(join(root, path))).toMatchObject(native);
      expect(native.output.length).toBeGreaterThan(0);
    });
  }
});
