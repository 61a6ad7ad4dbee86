import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { buildKeel } from '../../src/compiler/index.ts';
import { circumstancesFrom } from '../../src/fuzz/campaign/circumstances.ts';
import { describeReached } from '../../src/fuzz/campaign/coverage.ts';
import { compileCase, Runner } from '../../src/fuzz/campaign/runner.ts';

const FOLDER = new URL('../../corpus/', import.meta.url);
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.ts'));

let runner: Runner;
beforeAll(async () => {
  runner = await Runner.create({ kernel: buildKeel().image, seed: 'corpus' });
});

it('holds what each family attacks', () => {
  expect(files.length).toBeGreaterThanOrEqual(30);
});

it.each(files)('%s: keel keeps every invariant, and the program gets where its header says', (file) => {
  const source = readFileSync(new URL(file, FOLDER), 'utf8');
  expect(source).toMatch(/^\/\*\*\n \* [A-Za-z0-9]/);
  const [, words = ''] = /^ \* @circumstances (.*)$/m.exec(source) ?? [];
  const { failures, coverage, outcome } = runner.run(compileCase(file, source), circumstancesFrom(words));
  expect(failures.map(({ invariant, message }) => `${invariant}: ${message}`)).toEqual([]);
  expect(['exit', 'signal']).toContain(outcome.reason);
  for (const [, reached] of source.matchAll(/^ \* @reaches (.*)$/gm)) expect([...coverage].map(describeReached)).toContain(reached);
});
