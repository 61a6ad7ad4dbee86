/** Every program, example and library module is what `tsc --strict` accepts, with the declarations of the library alone. */

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

test('tsc --strict accepts the programs, the examples and the library', () => {
  const root = join(import.meta.dirname, '../../..');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', 'src/compiler/library'], { cwd: root, encoding: 'utf8' });
  expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
});
