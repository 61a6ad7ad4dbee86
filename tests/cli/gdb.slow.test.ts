/** `palindrome gdb` as a user calls it: with a program, with a trace, and what it says to what it cannot do. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { toolOrSkip } from '../tools.ts';
import { palindrome } from './palindrome.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-cli-gdb-'));
const hello = new URL('../../examples/hello.ts', import.meta.url).pathname;

afterAll(() => rmSync(folder, { recursive: true }));

function script(...lines: readonly string[]): string {
  const path = join(folder, 'script.gdb');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

test('a program is recorded and debugged from its first instruction, then its trace from the start', (context) => {
  toolOrSkip(context, 'gdb');
  const trace = join(folder, 'hello.mpk');
  const first = script('bt 1', 'break hello.ts:4', 'continue', 'reverse-continue', 'monitor mark begin', 'seek end', 'monitor when');
  const ran = palindrome(['gdb', hello, '--trace', trace, '--', '-nx', '-batch', '-x', first]);
  expect(ran.status).toBe(0);
  expect(ran.stdout).toContain('#0  _start () at');
  expect(ran.stdout).toContain('hit Breakpoint 1');
  expect(ran.stdout).toContain("4\tprint('Hello from ring 3.\\n');");
  expect(ran.stdout).toContain('No more reverse-execution history.');
  // What a target says by itself, gdb writes to standard error.
  expect(ran.stderr).toContain('the end: finished 0');

  const again = palindrome(['gdb', trace, '--', '-nx', '-batch', '-x', script('monitor mark', 'info registers rip')]);
  expect(again.status).toBe(0);
  expect(again.stderr).toMatch(/^ +0 {2}begin$/m);
  expect(again.stdout).toContain('pvh_start');
});

test('sources are found in a folder with a space in its name', (context) => {
  toolOrSkip(context, 'gdb');
  const program = join(folder, 'a folder/hello.ts');
  mkdirSync(join(folder, 'a folder'));
  copyFileSync(hello, program);
  const { stdout } = palindrome(['gdb', program, '--', '-nx', '-batch', '-x', script('list hello.ts:1,3')]);
  expect(stdout).toContain(readFileSync(hello, 'utf8').split('\n', 1)[0]);
});

test('without gdb it says so', () => {
  const { status, stderr } = palindrome(['gdb', hello, '--', '-batch'], { env: { PATH: folder } });
  expect(status).toBe(2);
  expect(stderr).toContain('gdb is not installed');
});

test('what is no trace is told by one line', () => {
  const { status, stderr } = palindrome(['gdb', script('quit')]);
  expect(status).toBe(2);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
