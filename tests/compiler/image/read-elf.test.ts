import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { UserError } from '../../../src/machine/isa/bug.ts';
import { runTool, toolOrSkip } from '../../tools.ts';
import { program } from './program.ts';

/** Everything that can be asked of an image. A damaged one may answer anything or throw a UserError of one line. */
function askAll(bytes: Uint8Array): string {
  const attempt = (ask: () => unknown) => {
    try {
      ask();
      return '';
    } catch (error) {
      if (!(error instanceof UserError) || error.message.includes('\n')) throw error;
      return error.message;
    }
  };
  const image = { current: null as ReturnType<typeof readElf> | null };
  const refused = attempt(() => {
    image.current = readElf(bytes, 'file');
  });
  const elf = image.current;
  if (elf === null) return refused;
  const address = elf.symbol('show')?.address ?? 0x401000n;
  const asked = [
    () => elf.symbolAt(address),
    () => elf.lineAt(address),
    () => elf.addressesOf('hello.ts', 4),
    () => elf.layouts(),
    () => elf.traps(),
    () => elf.pvhEntry(),
  ].map(attempt);
  return asked.find((message) => message !== '') ?? '';
}

const good = program('hello.ts').bytes;

describe('a hostile file ends in one line', () => {
  test.each<readonly [string, Uint8Array, string]>([
    ['an empty one', new Uint8Array(0), 'file: is not an ELF file'],
    ['text', new TextEncoder().encode('#!/bin/sh\necho'), 'file: is not an ELF file'],
    ['one cut off in its header', good.slice(0, 40), 'file: the ELF header is cut off at byte 40'],
    ['one without its section headers', good.slice(0, good.length - 100), 'file: the section headers is cut off'],
    ['a 32-bit one', good.slice().fill(1, 4, 5), 'file: the ELF header is not of a 64-bit file'],
    ['one for another machine', good.slice().fill(3, 18, 19), 'file: the ELF header is of another machine than x86-64'],
  ])('%s', (_name, bytes, message) => {
    expect(askAll(bytes)).toContain(message);
  });

  test('bytes changed anywhere', () => {
    const change = fc.record({
      at: fc.nat(good.length - 1),
      value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
      count: fc.constantFrom(1, 1, 4, 8),
    });
    // Most of the file is padding: half of the changes go to the headers and the sections that are not loaded.
    const interesting = fc.oneof(fc.nat(200), fc.integer({ min: 0x2000, max: good.length - 1 }));
    const aimed = fc.tuple(change, interesting).map(([c, at]) => ({ ...c, at }));
    fc.assert(
      fc.property(fc.array(fc.oneof(change, aimed), { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = good.slice();
        for (const { at, value, count } of changes) bytes.fill(value, at, at + count);
        askAll(bytes);
      }),
      { numRuns: 1500, seed: 1 },
    );
  });

  test('a file cut off anywhere', () => {
    for (let length = 0; length < good.length; length += 97) askAll(good.slice(0, length));
  });
});

test.for(['-gdwarf-5', '-gdwarf-4', '-gdwarf-2'])('the line table of gcc %s says what addr2line says', (format, context) => {
  const [gcc, addr2line] = [toolOrSkip(context, 'gcc'), toolOrSkip(context, 'addr2line')];
  const folder = mkdtempSync(join(tmpdir(), 'read-elf-'));
  try {
    const path = (name: string) => join(folder, name);
    writeFileSync(path('part.h'), 'static int twice(int x) {\n  return x + x;\n}\n');
    writeFileSync(
      path('main.c'),
      '#include "part.h"\nint other(int x) {\n  return x > 3 ? twice(x) :\n    x * 5;\n}\nint main(int c, char **v) {\n  int s = 0;\n  for (int i = 0; i < c; i++)\n    s += other(i);\n  return s;\n}\n',
    );
    runTool(gcc, [format, '-O1', '-fno-inline', '-no-pie', '-o', path('main'), path('main.c')]);
    const image = readElf(readFileSync(path('main')), 'main');
    const addresses: bigint[] = [];
    for (const name of ['main', 'other', 'twice']) {
      const symbol = image.symbol(name);
      expect(symbol?.size).toBeGreaterThan(0n);
      for (let k = 0n; k < (symbol?.size ?? 0n); k += 1n) addresses.push((symbol?.address ?? 0n) + k);
    }
    const theirs = runTool(addr2line, ['-e', path('main'), ...addresses.map((a) => `0x${a.toString(16)}`)])
      .trim()
      .split('\n');
    const ours = addresses.map((a) => image.lineAt(a)).map((l) => `${l?.file.split('/').at(-1)}:${l?.line}`);
    const expected = theirs.map(
      (line) =>
        line
          .replace(/ \(.*$/, '')
          .split('/')
          .at(-1) ?? '',
    );
    // Of DWARF 5, addr2line 2.40 takes file 0 for file 1 where a program does not set it: only the lines count then.
    const compared = (place: string) => (format === '-gdwarf-5' ? place.replace(/^.*:/, '') : place);
    expect(ours.map(compared)).toEqual(expected.map(compared));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
