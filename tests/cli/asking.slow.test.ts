import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { palindrome } from './palindrome.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-ask-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const example = (name: string) => new URL(`../../examples/${name}.ts`, import.meta.url).pathname;

beforeAll(() => {
  for (const name of ['hello', 'pipes']) palindrome(['run', example(name), '--trace', at(`${name}.mpk`)]);
});

test('rows are lines, comma-separated values or one JSON object', () => {
  const select = ['inspect', at('pipes.mpk'), '--select', 'call=pipe2 process=1 kind=syscall', '-s', 'op=iretq', '--limit', '2'];
  expect(palindrome(select).stdout).toMatch(/^ +\d+ {2}\[[^\]]+\] 0x[0-9a-f]+ iretq .*\n.*\n$/);
  const [names, row] = palindrome([...select, '--csv']).stdout.split('\r\n');
  expect(names).toBe('at,kind,process,cpl,address,image,symbol,source,text');
  expect(row?.split(',')).toHaveLength(9);
  expect(palindrome([...select, '--json']).json).toMatchObject({ rows: [{ kind: 'instruction', text: 'iretq' }, expect.anything()] });
});

test('a selection that is none ends with 2 and says where', () => {
  const { status, stderr } = palindrome(['inspect', at('hello.mpk'), '--select', 'kind=irq what=3']);
  expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('character 10: there is no key "what"') });
  expect(palindrome(['inspect', at('hello.mpk'), '--profile', '--call', 'write']).status).toBe(2);
});

test('profile, coverage and export are written whole', () => {
  expect(palindrome(['inspect', at('hello.mpk'), '--profile', '--folded', at('folded'), '--json']).json).toMatchObject({
    folded: at('folded'),
  });
  expect(readFileSync(at('folded'), 'utf8')).toMatch(/^(.+ \d+\n)+$/);
  expect(palindrome(['inspect', at('hello.mpk'), at('pipes.mpk'), '--lcov', at('info'), '--json']).json).toMatchObject({ traces: 2 });
  expect(readFileSync(at('info'), 'utf8')).toMatch(/^TN:\nSF:/);
  expect(palindrome(['export', at('hello.mpk'), '--perfetto', at('pftrace')]).status).toBe(0);
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('no output replaces the trace from which it is made, nor a folder', () => {
  const trace = at('kept.mpk');
  copyFileSync(at('hello.mpk'), trace);
  mkdirSync(at('folder'));
  for (const [command, option] of [
    [['inspect'], '--lcov'],
    [['inspect'], '--folded'],
    [['export'], '--perfetto'],
    [['branch', '--at', '5'], '--to'],
  ] as const) {
    for (const [output, message] of [
      [trace, 'this would replace'],
      [at('folder'), 'it is a folder'],
    ] as const) {
      const { status, stderr } = palindrome([...command, trace, option, output]);
      expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
  }
  expect(readFileSync(trace)).toEqual(readFileSync(at('hello.mpk')));
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
});

test('diff ends with 0 for the same runs and 1 for others', () => {
  expect(palindrome(['diff', at('hello.mpk'), at('hello.mpk')])).toMatchObject({ status: 0, stdout: 'the runs are the same\n' });
  const { status, json } = palindrome(['diff', at('hello.mpk'), at('pipes.mpk'), '--json']);
  expect({ status, json }).toMatchObject({ status: 1, json: { identical: false, state: { at: expect.stringMatching(/^0x/) } } });
});
