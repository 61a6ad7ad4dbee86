/** Symbols out of files that may be anybody's: images and archives that a trace holds. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readElf } from '../../src/compiler/image/read-elf.ts';
import { packPrograms } from '../../src/compiler/index.ts';
import { archiveFiles } from '../../src/replay/archive.ts';
import { Symbols } from '../../src/replay/symbols.ts';
import { program } from '../compiler/image/program.ts';

const image = program('hello.ts').bytes;
const archive = packPrograms(
  [
    { path: '/bin/hello', bytes: image },
    { path: '/bin/other', bytes: image.slice(0, 300) },
  ],
  [['/bin/hello']],
);
const elf = readElf(image, 'hello');
const code = elf.segments.find(({ executable }) => executable) ?? elf.segments[0];
const from = code?.fileOffset ?? 0;
const addresses = Array.from({ length: 40 }, (_, i) => (code?.address ?? 0n) + BigInt(Math.floor(((code?.fileSize ?? 0) * i) / 40)));

/** What is known of some places of the code, as it is in the good image. */
function places(file: Uint8Array): number {
  const symbols = new Symbols();
  symbols.add({ name: 'file', bytes: file });
  return addresses.filter((address) => {
    const at = from + Number(address - (code?.address ?? 0n));
    return symbols.at(address, image.subarray(at, at + 8)) !== null;
  }).length;
}

/** Bytes changed: of the headers, of debug information, of the archive's fields, or of anything. */
const changes = (bytes: Uint8Array) =>
  fc.array(
    fc.record({
      at: fc.oneof(fc.nat(Math.min(700, bytes.length - 1)), fc.nat(bytes.length - 1)),
      put: fc.oneof(
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        fc.constantFrom('f', '00000000', 'ffffffff', '7fffffff', '-1').map((text) => Buffer.from(text)),
      ),
    }),
    { minLength: 1, maxLength: 5 },
  );
const changed = (bytes: Uint8Array, list: readonly { readonly at: number; readonly put: Uint8Array }[]): Uint8Array => {
  const made = bytes.slice();
  for (const { at, put } of list) made.set(put.subarray(0, made.length - at), at);
  return made;
};

test('are those of an image, and of each program of an archive', () => {
  expect(places(image)).toBe(addresses.length);
  expect(places(archive)).toBe(addresses.length);
  expect(archiveFiles(archive).map(({ name }) => name)).toEqual(expect.arrayContaining(['bin/hello', 'bin/other']));
});

test.each([
  ['an image', image],
  ['an archive', archive],
])('of %s with bytes changed are fewer, or others: nothing throws', (_, good) => {
  let fewer = 0;
  fc.assert(
    fc.property(changes(good), (list) => {
      if (places(changed(good, list)) < addresses.length) fewer++;
    }),
    { numRuns: 400, seed: 1 },
  );
  // Changes that hurt were among them.
  expect(fewer).toBeGreaterThan(20);
});

test('of an archive cut anywhere are those of the programs before', () => {
  for (let length = 0; length < archive.length; length += 61) places(archive.subarray(0, length));
});
