import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readElf } from '../../src/compiler/image/read-elf.ts';
import { palindrome } from './palindrome.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const hello = new URL('../../examples/hello.ts', import.meta.url).pathname;
const at = (name: string) => join(folder, name);

describe('compile', () => {
  it('writes an ELF and says so as JSON', () => {
    const { status, json } = palindrome(['compile', hello, '-o', at('hello'), '--json']);
    expect(status).toBe(0);
    expect(json).toMatchObject({ image: at('hello'), bytes: statSync(at('hello')).size, diagnostics: [] });
    expect(readFileSync(at('hello')).subarray(0, 4)).toEqual(Buffer.from('\x7fELF', 'latin1'));
  });

  it('shows where a source is wrong, writes nothing, and ends with 2', () => {
    writeFileSync(at('wrong.ts'), 'const x: u8 = 300;\n');
    const { status, json, stderr } = palindrome(['compile', at('wrong.ts'), '-o', at('wrong'), '--json']);
    expect(status).toBe(2);
    expect(json).toMatchObject({ image: null, diagnostics: [{ line: 1, column: 15 }] });
    expect(stderr).toContain('wrong.ts:1:15');
    expect(() => statSync(at('wrong'))).toThrow();
  });
});

describe('run', () => {
  it('runs a source file on keel', () => {
    const { status, json } = palindrome(['run', hello, '--json']);
    expect(status).toBe(0);
    expect(json).toMatchObject({ reason: 'exit', status: 0, output: expect.stringContaining('Hello'), trace: null });
    expect(json?.['instructions']).toBeGreaterThan(1000);
    expect(json?.['syscalls']).toBeGreaterThan(0);
  });

  it('gives the same hash traced or not, whatever the time zone and locale, and the trace replays in another process', () => {
    const plain = palindrome(['run', hello, '--json']).json;
    const traced = palindrome(['run', hello, '--trace', at('hello.mpk'), '--json'], {
      env: { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8' },
    }).json;
    expect(traced).toMatchObject({
      hash: plain?.['hash'],
      instructions: plain?.['instructions'],
      output: plain?.['output'],
      syscalls: plain?.['syscalls'],
    });
    const replayed = palindrome(['replay', at('hello.mpk'), '--json'], { env: { TZ: 'America/Lima' } });
    expect(replayed.status).toBe(0);
    expect(replayed.json).toEqual({ identical: true, instructions: plain?.['instructions'], hash: plain?.['hash'], difference: null });
  });

  it('records the same run to the same bytes', () => {
    palindrome(['run', hello, '--trace', at('one.mpk')]);
    palindrome(['run', hello, '--trace', at('two.mpk')], { env: { TZ: 'Asia/Tokyo' } });
    expect(readFileSync(at('one.mpk')).equals(readFileSync(at('two.mpk')))).toBe(true);
  });
});

describe('run, at the edges', () => {
  it('starts several programs at once and gives the first one its arguments', () => {
    const args = new URL('../../examples/args.ts', import.meta.url).pathname;
    const { json } = palindrome(['run', args, hello, '--args', 'one two', '--memory', '16M', '--json']);
    expect(json).toMatchObject({ reason: 'exit', status: 0, output: expect.stringMatching(/one.*two/s) });
    expect(json?.['output']).toContain('Hello');
  });

  it('prints bytes as they are', () => {
    writeFileSync(at('utf8.ts'), "import { print } from 'palindrome/program';\nprint('grün\\n');\n");
    expect(palindrome(['run', at('utf8.ts')]).stdout).toBe('grün\n');
    expect(palindrome(['run', at('utf8.ts'), '--json']).json).toMatchObject({ output: 'grün\n' });
  });

  it('says that programs are too large for the kernel', () => {
    writeFileSync(at('large'), Buffer.concat([readFileSync(at('hello')), Buffer.alloc(5 << 20, 1)]));
    const { status, stderr } = palindrome(['run', at('large')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/do not fit/);
  });

  it('stops at the limit', () => {
    expect(palindrome(['run', hello, '--limit', '1000', '--json']).json).toMatchObject({ reason: 'limit', instructions: 1000 });
  });
});

describe('replay and inspect', () => {
  it('end quietly where nobody reads on', () => {
    palindrome(['run', hello, '--trace', at('hello.mpk')]);
    const bin = new URL('../../bin/palindrome', import.meta.url).pathname;
    const command = `"${process.execPath}" "${bin}" inspect "${at('hello.mpk')}" --from 0 --instructions 20000 | head -1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    expect({ lines: stdout.split('\n').length, stderr }).toEqual({ lines: 2, stderr: '' });
  });

  it('a flipped bit is a difference or damage: one report, status 1', () => {
    const bytes = readFileSync(at('hello.mpk'));
    const middle = bytes.length >> 1;
    bytes[middle] = (bytes[middle] ?? 0) ^ 4;
    writeFileSync(at('flipped.mpk'), bytes);
    const { status, json } = palindrome(['replay', at('flipped.mpk'), '--json']);
    expect(status).toBe(1);
    expect(json).toMatchObject({ identical: false });
  });

  it('shows system calls by name, and the machine at a position', () => {
    expect(palindrome(['inspect', at('hello.mpk'), '--call', 'write']).stdout).toMatch(/write\(/);
    expect(palindrome(['inspect', at('hello.mpk'), '--kind', 'context-switch']).stdout).toMatch(
      / \(kernel\) → 0x\w+ PCID 1 \(pid 1 \S*hello\)\n/,
    );
    const moment = palindrome(['inspect', at('hello.mpk'), '--at', '5000', '--json']);
    expect(moment.json).toMatchObject({ at: 5000, registers: expect.anything() });
    expect(palindrome(['replay', at('hello.mpk'), '--to', '5000', '--json']).json).toMatchObject({ identical: true, instructions: 5000 });
  });
});

describe('bad input is one line and status 2', () => {
  writeFileSync(at('text.txt'), 'not a program');
  writeFileSync(at('header.mpk'), Buffer.concat([Buffer.from([0xb0]), Buffer.from('palindrome-trace'), Buffer.from([0xcd, 0, 3])]));
  it.each([
    ['no such file', ['run', '/nowhere/x.ts']],
    ['not a program', ['run', at('text.txt')]],
    ['not a trace', ['replay', at('text.txt')]],
    ['no such trace', ['inspect', '/nowhere/x.mpk']],
    ['a trace without its header', ['inspect', at('header.mpk')]],
    ['not a kernel', ['boot', at('text.txt')]],
    ['a directory for a kernel', ['boot', folder]],
    ['a kernel without an end', ['boot', '/dev/zero']],
    ['no such saboteur', ['fuzz', '--saboteur', 'nobody']],
    ['no number', ['fuzz', '--runs', 'many']],
    ['no such command', ['dance']],
    ['no such option', ['run', hello, '--fast']],
    ['addresses of a run without a trace', ['run', hello, '--addresses']],
    ['addresses of a boot without a trace', ['boot', at('text.txt'), '--addresses']],
  ])('%s', (_what, args) => {
    const { status, stderr } = palindrome(args);
    expect(status).toBe(2);
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(stderr).not.toMatch(/\bat .*:\d+:\d+\)/);
  });
});

describe('fuzz', () => {
  it('says where a finding cannot be written', () => {
    const { status, stderr } = palindrome(['fuzz', '--runs', '1', '--saboteur', 'no-umip', '--out', '/proc/nope']);
    expect([status, stderr.trim().split('\n').length]).toEqual([2, 1]);
    expect(stderr).toContain('/proc/nope');
  });

  it('finds nothing on the good kernel and says how often each invariant was judged', () => {
    const { status, json } = palindrome(['fuzz', '--runs', '32', '--seed', 'cli', '--out', at('none'), '--json']);
    expect(status).toBe(0);
    expect(json).toMatchObject({ programs: 32, findings: [], digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });

  it('a saboteur is found, saved, and its trace replays by the directory', () => {
    const { status, json } = palindrome(['fuzz', '--runs', '16', '--saboteur', 'no-umip', '--out', at('found'), '--json']);
    expect(status).toBe(1);
    const [finding] = (json?.['findings'] ?? []) as { invariant: string; path: string }[];
    expect(finding?.invariant).toBe('INV-16');
    expect(palindrome(['replay', finding?.path ?? '', '--json']).json).toMatchObject({ identical: true });
    // The campaign's kernel has no debug information; whoever looks at a finding wants it.
    expect(readElf(readFileSync(join(finding?.path ?? '', 'keel.elf')), 'keel.elf').debug()).not.toBeNull();
    expect(palindrome(['fuzz', '--reproduce', join(finding?.path ?? '', 'program.ts'), '--saboteur', 'no-umip']).status).toBe(1);
    expect(palindrome(['fuzz', '--reproduce', join(finding?.path ?? '', 'program.ts')]).status).toBe(0);
  });
});

it('a campaign that is interrupted ends with what it has, and the status of the signal', async () => {
  const bin = fileURLToPath(new URL('../../bin/palindrome', import.meta.url));
  const args = ['fuzz', '--runs', '1000000', '--seconds', '200', '--workers', '1', '--out', at('interrupted'), '--json'];
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  // Twice, as a terminal does it; by then keel is compiled for long.
  setTimeout(() => ['SIGINT', 'SIGINT'].map((signal) => child.kill(signal as NodeJS.Signals)), 10_000);
  expect(JSON.parse(await text(child.stdout))).toMatchObject({ interrupted: true, findings: [] });
  expect(await ended).toEqual([130, null]);
});

describe('lockstep', () => {
  it('compares programs, and a kernel, in two tiers', () => {
    const programs = palindrome(['lockstep', hello, '--path', '--every', '5000', '--json']);
    expect(programs).toMatchObject({ status: 0, json: { same: true, difference: null, end: { reason: 'finished', status: 0 } } });
    expect(programs.json?.['stops']).toBeGreaterThan(20);
    expect(palindrome(['run', hello, '--memory', '128M', '--json']).json?.['instructions']).toBe(programs.json?.['instructions']);
    expect(palindrome(['lockstep', at('text.txt')]).status).toBe(2);
  });
});
