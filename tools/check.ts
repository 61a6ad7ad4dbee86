/** `npm run check`: what every commit must pass, in about a minute. */
import { existsSync } from 'node:fs';
import { runSteps, type Step, script } from './step.ts';

/** What does not run on Node, or not as it stands. */
const otherConfigs = [
  'src/kernel/tsconfig.json',
  'src/compiler/library/tsconfig.json',
  'src/explorer/page/tsconfig.json',
  'examples/tsconfig.json',
].filter((path) => existsSync(path));

const steps: Step[] = [
  { name: 'format and lint', command: ['node_modules/.bin/biome', 'ci', '--reporter=summary'] },
  { name: 'types', command: script('typescript/bin/tsc', '-p', '.') },
  ...otherConfigs.map((config) => ({ name: `types of ${config}`, command: script('typescript/bin/tsc', '-p', config, '--noEmit') })),
  { name: 'arrows', command: script('dependency-cruiser/bin/dependency-cruise.mjs', 'src', '--output-type', 'err-long') },
  { name: 'dead code', command: script('knip/bin/knip.js') },
  { name: 'generated files', command: [process.execPath, '--conditions=palindrome', 'tools/generate.ts', '--check'] },
  { name: 'fast tests', command: script('vitest/vitest.mjs', 'run', '--project', 'fast', '--reporter=dot') },
];

process.exitCode = runSteps(steps) === 0 ? 0 : 1;
