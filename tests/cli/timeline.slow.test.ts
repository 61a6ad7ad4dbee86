import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { palindrome } from './palindrome.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-timeline-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);
const trace = at('hello.mpk');

beforeAll(() => {
  const hello = new URL('../../examples/hello.ts', import.meta.url).pathname;
  expect(palindrome(['run', hello, '--trace', trace]).status).toBe(0);
});

describe('timeline', () => {
  it('tells what a trace is, and goes to positions by what happens there, one after the other', () => {
    const { json } = palindrome(['timeline', trace, '--json']);
    expect(json).toMatchObject({
      start: 0,
      ended: expect.stringContaining('finished 0'),
      failure: null,
      branch: null,
      marks: {},
      stops: [],
    });
    const stops = stopsOf(['timeline', trace, 'syscall:write', '.-5', '--mark', 'before', '--json']);
    const [call, before] = stops;
    expect(call?.events).toContainEqual(expect.objectContaining({ kind: 'syscall' }));
    expect(before?.position).toBe((call?.position ?? 0) - 5);
    const again = stopsOf(['timeline', trace, 'before+5', '--json']);
    expect(again[0]).toMatchObject({ position: call?.position, instructions: [expect.objectContaining({ text: 'syscall' })] });
    expect(palindrome(['inspect', trace, '--at', 'before', '--json']).json).toMatchObject({ at: before?.position });
  });

  it('runs to breakpoints and accesses, and back to them, from any switch to a process', () => {
    const there = stopsOf(['timeline', trace, 'start', '--watch', 'keel:scheduler:4', '--times', '2', '--json']);
    const last = there[2]?.position ?? 0;
    const back = stopsOf(['timeline', trace, `${last}`, '--watch', 'keel:scheduler:4', '--back', '--json']);
    expect(back[1]).toMatchObject({ why: 'watchpoint', position: last - 1 });
    const process = stopsOf(['timeline', trace, 'process:1', '--break', 'syscall_entry', '--json']);
    expect(process[1]).toMatchObject({ why: 'breakpoint', instructions: [expect.objectContaining({ text: 'swapgs' })] });
  });

  it('knows from a finding where its run failed', () => {
    mkdirSync(at('finding'));
    writeFileSync(at('finding/trace.mpk'), readFileSync(trace));
    writeFileSync(at('finding/finding.json'), JSON.stringify({ at: 1234 }));
    expect(palindrome(['timeline', at('finding'), 'failure-4', '--json']).json).toMatchObject({
      failure: 1234,
      stops: [{ position: 1230 }],
    });
  });

  it('ends with 2 and a line where there is no such position', () => {
    const { status, stderr } = palindrome(['timeline', trace, 'fault:GP']);
    expect({ status, stderr }).toEqual({ status: 2, stderr: 'palindrome: fault:GP: there is none\n' });
    expect(palindrome(['timeline', trace, '--watch', '0x1000:0']).stderr).toContain('give an address, perhaps a length from 1');
  });
});

describe('branch', () => {
  it('goes on with something else as a trace of its own, which replays and can be left again', () => {
    const made = palindrome(['branch', trace, '--at', 'syscall:write', '--to', at('a.mpk'), '--set-register', 'rdx=3', '--json']);
    expect(made).toMatchObject({ status: 0, json: { reason: 'finished', console: expect.stringMatching(/^Hel/) } });
    expect(palindrome(['replay', at('a.mpk'), '--json']).json).toMatchObject({ identical: true, hash: made.json?.['hash'] });
    expect(palindrome(['inspect', at('a.mpk')]).stdout).toMatch(/^a branch of hello\.mpk \(.*\) at \d+\n {2}rdx = 0x0*3\n/);
    const again = palindrome([
      'branch',
      at('a.mpk'),
      '--at',
      'end-100',
      '--to',
      at('b.mpk'),
      '--write',
      'phys:0x1000=00ff',
      '--input',
      'serial=x',
      '--limit',
      '50',
      '--json',
    ]);
    expect(again).toMatchObject({ status: 0, json: { reason: 'limit' } });
    expect(palindrome(['timeline', at('b.mpk')]).stdout).toMatch(
      /^a branch of a\.mpk .*\n {2}physical 0x1000: 00ff\n {2}serial input: 78\npositions/,
    );
  });

  it('is refused with a line where a change cannot be made, and leaves nothing', () => {
    for (const [option, message] of [
      ['--set-register=cr3=0', 'register cr3 cannot be set'],
      ['--write=phys:0xffffffffff=00', 'there is no RAM'],
      ['--write=12=zz', 'hexadecimal'],
      ['--input=disk=x', 'an input is serial=TEXT'],
    ] as const) {
      const { status, stderr } = palindrome(['branch', trace, '--at', '5', '--to', at('no.mpk'), option]);
      expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    }
    expect(() => readFileSync(at('no.mpk'))).toThrow();
  });
});

interface Stop {
  readonly position: number;
  readonly events: readonly object[];
}

function stopsOf(args: readonly string[]): readonly Stop[] {
  return (palindrome(args).json?.['stops'] ?? []) as readonly Stop[];
}
