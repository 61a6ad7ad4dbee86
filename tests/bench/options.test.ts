/** The bench's command line: what is wrong is one line and status 2. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseOptions } from '../../bench/options.ts';

it.for([
  [['--bogus'], /Unknown option '--bogus'/],
  [['--rounds', '0'], /--rounds takes a whole number from 1 to 100/],
  [['--rounds', 'many'], /--rounds takes a whole number/],
  [['--only', 'nothing'], /--only nothing: the rows are hash, sieve,/],
  [['--profile', 'fuzzing'], /--profile fuzzing: the guests are hash, sieve,/],
  [['--compare'], /'--compare <value>' argument missing/],
  [['word'], /word/],
] as const)('%j is refused in one line', ([args, message]) => {
  expect(() => parseOptions(args)).toThrow(message);
  expect(() => parseOptions(args)).toThrow(/^.*$/);
});

it('the short form is one round unless told otherwise', () => {
  expect(parseOptions(['--short'])).toMatchObject({ rounds: 1, isShort: true });
  expect(parseOptions(['--short', '--rounds', '2'])).toMatchObject({ rounds: 2 });
  expect(parseOptions([])).toMatchObject({ rounds: 3, isShort: false, only: [] });
});

it('wrong use ends with status 2', () => {
  const main = join(import.meta.dirname, '../../bench/main.ts');
  const run = spawnSync(process.execPath, ['--conditions=palindrome', main, '--bogus'], { encoding: 'utf8' });
  expect(run).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(/^bench: .*\n$/) });
});
