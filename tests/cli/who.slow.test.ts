import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { palindrome } from './palindrome.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-who-'));
const trace = join(folder, 'hello.mpk');
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeAll(() => {
  palindrome(['run', new URL('../../examples/hello.ts', import.meta.url).pathname, '--trace', trace, '--json']);
});

it('who names the last write of a symbol, builds the index at the first question, and says the same at the second', () => {
  const first = palindrome(['who', trace, '--address', 'keel:scheduler:4', '--json']);
  expect(first).toMatchObject({ status: 0, stderr: '' });
  expect(first.json).toMatchObject({
    writes: [
      {
        by: 'instruction',
        place: { name: 'keel:scheduler', length: 4 },
        instruction: { place: { source: expect.stringMatching(/scheduler\.ts/) } },
      },
    ],
  });
  expect(existsSync(`${trace}.idx`)).toBe(true);
  expect(palindrome(['who', trace, '--address', 'keel:scheduler:4', '--json']).json).toEqual(first.json);
});

it('what cannot be answered is one line, and status 2', () => {
  const notTrace = join(folder, 'no.mpk');
  writeFileSync(notTrace, 'this is none');
  for (const [args, message] of [
    [[trace, '--address', 'keel:nothing'], /^palindrome: no symbol is called nothing in keel\n$/],
    [
      [trace, '--address', '0x10:8'],
      /^palindrome: nothing is mapped at 0x10 at position \d+: give another position or process, or a physical address \(phys:0x…\)\n$/,
    ],
    [[trace, '--address', 'phys:0xffffffffff'], /^palindrome: physical address 0xffffffffff lies in no RAM .*\n$/],
    [[trace, '--address', 'keel:scheduler', '--at', '99999999999'], /^palindrome: who: position 99999999999 lies behind the end .*\n$/],
    [[trace, '--address', 'keel:scheduler', '--process', 'none'], /^palindrome: no process is called none .*\n$/],
    [[folder, '--address', 'keel:scheduler'], /^palindrome: cannot read the trace .*trace\.mpk: there is no such file or folder\n$/],
    [[notTrace, '--address', 'keel:scheduler'], /^palindrome: this is not a Palindrome trace.*\n$/],
  ] as const) {
    const { status, stderr } = palindrome(['who', ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  }
});

it('index takes the directory of a finding', () => {
  mkdirSync(join(folder, 'finding'));
  copyFileSync(trace, join(folder, 'finding/trace.mpk'));
  expect(palindrome(['index', join(folder, 'finding'), '--json']).json).toMatchObject({ index: join(folder, 'finding/trace.mpk.idx') });
});

it('index builds what who asks, says its size, and answers when a page was written', () => {
  const built = palindrome(['index', trace, '--anew', '--json']);
  expect(built.json).toMatchObject({ index: `${trace}.idx`, isBuilt: true, notKept: null, size: statSync(`${trace}.idx`).size });
  expect(built.json?.['size']).toBeLessThan(statSync(trace).size);
  expect(palindrome(['index', trace, '--json']).json).toMatchObject({ isBuilt: false });
  const { writes } = palindrome(['who', trace, '--address', 'keel:scheduler:4', '--json']).json as {
    writes: readonly { readonly at: string; readonly place: { readonly physical: string } }[];
  };
  const [write] = writes;
  const page = palindrome(['index', trace, '--page', write?.place.physical ?? '', '--json']).json as {
    written: { readonly previous: { readonly from: number; readonly to: number } };
  };
  const { from, to } = page.written.previous;
  expect(Number(write?.at)).toBeLessThan(to);
  expect(to - from).toBeLessThanOrEqual(built.json?.['sliceInstructions'] as number);
  const exact = palindrome(['index', trace, '--page', write?.place.physical ?? '', '--exact', '--json']).json as {
    written: { readonly previous: number };
  };
  expect(exact.written.previous).toBeGreaterThanOrEqual(Math.max(from, Number(write?.at)));
  expect(exact.written.previous).toBeLessThan(to);
});

it('index tells when an instruction was executed, by address, symbol and line, as breakpoints do', () => {
  const seek = ['timeline', trace, 'end', '--break', 'keel:copy_from_user', '--back', '--instructions', '1', '--json'];
  const { stops } = palindrome(seek).json as { stops: readonly { position: number; instructions: readonly { rip: string }[] }[] };
  const { position, instructions } = stops.at(-1) ?? { position: -1, instructions: [] };
  const rip = instructions[0]?.rip ?? '';
  for (const address of ['keel:copy_from_user', rip]) {
    expect(palindrome(['index', trace, '--execution', address, '--json']).json).toMatchObject({ previous: position, next: null });
    expect(palindrome(['index', trace, '--execution', address, '--at', String(position), '--json']).json).toMatchObject({ next: position });
  }
  const line = palindrome(['index', trace, '--execution', 'src/kernel/ostd/user-copy.ts:26', '--json']).json;
  expect(line?.['previous']).toBeGreaterThan(position);
  const { stderr, status } = palindrome(['index', trace, '--execution', 'nothing.ts:1']);
  expect([stderr, status]).toEqual(['palindrome: there is no code of nothing.ts:1 in the files of the trace\n', 2]);
});
