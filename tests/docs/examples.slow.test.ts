import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runTool } from '../tools.ts';

const root = new URL('../..', import.meta.url).pathname;
const run = (name: string) =>
  runTool(process.execPath, ['--conditions=palindrome', `docs/examples/${name}`], { cwd: root, timeoutMs: 120_000 });

const EXPECTED: Record<string, RegExp> = {
  'machine.ts': /^debug-exit 42\n\d+ instructions, RAX = 42\n$/,
  'compiler.ts': /^entry found, an ELF of some KiB\nwrong\.ts:1:15: error P\d{4}:/,
  'replay.ts': /^identical: true, same hash: true\nsyscall write\(fd=1/,
  'fuzz.ts': /^16 programs\n(.*\n)*INV-16: CR4\.UMIP is off/,
};

it('every example has its expected output', () => {
  expect(readdirSync(`${root}/docs/examples`).sort()).toEqual(Object.keys(EXPECTED).sort());
});

it.each(Object.entries(EXPECTED))('docs/examples/%s', (name, expected) => {
  expect(run(name)).toMatch(expected);
});
