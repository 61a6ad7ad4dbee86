import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { UserError } from '../../../src/machine/isa/bug.ts';
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
