/** `--tier` on every command that runs a guest: the same output, traces and digests whatever it says. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { buildKeel, packPrograms } from '../../src/compiler/index.ts';
import { writeWhole } from '../../src/replay/index.ts';
import { palindrome } from './palindrome.ts';

const TIERS = ['0', '1', 'auto'] as const;
const folder = mkdtempSync(join(tmpdir(), 'palindrome-tiers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const examples = join(import.meta.dirname, '../../examples');

/** What the command says in each tier: one thing, but for what depends on the time. */
function same(command: (tier: string) => readonly string[], status = 0, timely: readonly string[] = []): Record<string, unknown> {
  const left = { trace: null, ...Object.fromEntries(timely.map((key) => [key, null])) };
  const said = TIERS.map((tier) => palindrome([...command(tier), '--tier', tier, '--json']));
  for (const [i, { status: ended, json }] of said.entries()) {
    expect([TIERS[i], ended]).toEqual([TIERS[i], status]);
    expect({ ...json, ...left }).toEqual({ ...said[0]?.json, ...left });
  }
  return said[0]?.json ?? {};
}

const oneFile = (names: readonly string[]) => {
  const [first, ...others] = names.map((name) => readFileSync(at(name)));
  expect(others.map((bytes) => first !== undefined && bytes.equals(first))).toEqual(others.map(() => true));
};

it('run, replay and inspect', () => {
  const run = same((tier) => ['run', join(examples, 'pipes.ts'), '--trace', at(`run.${tier}.mpk`)]);
  oneFile(TIERS.map((tier) => `run.${tier}.mpk`));
  expect(same(() => ['replay', at('run.0.mpk')])).toMatchObject({ identical: true, hash: run['hash'] });
  same(() => ['replay', at('run.1.mpk'), '--to', '20000']);
  same(() => ['inspect', at('run.1.mpk'), '--at', '20000']);
  same(() => ['inspect', at('run.1.mpk'), '--kind', 'context-switch']);
});

it('boot', () => {
  writeWhole(at('keel.elf'), buildKeel().image, 0o644);
  const program = palindrome(['compile', join(examples, 'hello.ts'), '-o', at('hello')]);
  expect(program.status).toBe(0);
  writeWhole(at('keel.cpio'), packPrograms([{ path: '/bin/hello', bytes: readFileSync(at('hello')) }], [['/bin/hello']]), 0o644);
  same((tier) => ['boot', at('keel.elf'), '--initrd', at('keel.cpio'), '--trace', at(`boot.${tier}.mpk`)]);
  oneFile(TIERS.map((tier) => `boot.${tier}.mpk`));
});

it('fuzz, and a program judged again', () => {
  const once = ['fuzz', '--runs', '16', '--seed', 'tiers', '--workers', '1'];
  same(() => once, 0, ['programsPerSecond', 'memory']);
  const { findings } = same(() => [...once, '--saboteur', 'no-umip', '--out', at('findings')], 1, ['programsPerSecond', 'memory']);
  const [{ path } = { path: '' }] = findings as { path: string }[];
  same(() => ['fuzz', '--reproduce', join(path, 'program.ts'), '--saboteur', 'no-umip'], 1);
});

it('demo', () => {
  same(() => ['demo', '--runs', '16']);
});

it('another word is refused in one line', () => {
  for (const command of [['run', 'x'], ['boot', 'x'], ['replay', 'x'], ['inspect', 'x'], ['fuzz'], ['lockstep', 'x'], ['demo']]) {
    const { status, stderr } = palindrome([...command, '--tier', '2']);
    expect([status, stderr.split('\n')[0]]).toEqual([2, expect.stringContaining('tier is 0, 1 or auto.')]);
  }
});
