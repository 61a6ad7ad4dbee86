/** `npm test`: every test, fast and slow. With CI=true a missing outside judge (QEMU, gdb, gcc) is a failure, elsewhere the tests that need it say so. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { script } from './step.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-test-'));
const report = join(folder, 'report.json');
const [engine = '', ...command] = script(
  'vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
);
const { status } = spawnSync(engine, [...command, ...process.argv.slice(2)], { stdio: 'inherit' });

try {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(report, 'utf8')) as Record<string, number>;
  process.stdout.write(`${numPassedTests} passed, ${numFailedTests} failed${numPendingTests ? `, ${numPendingTests} skipped` : ''}\n`);
} catch {
  process.stdout.write('0 passed, 1 failed\n');
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
