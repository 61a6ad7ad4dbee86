import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layOutPvh } from '../../../src/machine/boot/pvh.ts';
import { UserError } from '../../../src/machine/index.ts';
import { guestImage, run } from '../system/guest.ts';

const MEMORY = 16 << 20;
const image = guestImage('  nop');

/** The image with fields changed: offset, size in bytes, value. */
function changed(...edits: readonly (readonly [number, 1 | 2 | 4 | 8, number])[]): Uint8Array {
  const copy = image.slice();
  const view = new DataView(copy.buffer);
  for (const [at, size, value] of edits) {
    if (size === 8) view.setBigUint64(at, BigInt(value), true);
    else if (size === 4) view.setUint32(at, value, true);
    else if (size === 2) view.setUint16(at, value, true);
    else view.setUint8(at, value);
  }
  return copy;
}

const imageView = new DataView(image.buffer, image.byteOffset, image.byteLength);

/** File offsets of the program headers of a type. */
function headers(type: number): number[] {
  const all = Array.from({ length: imageView.getUint16(56, true) }, (_, i) => 64 + 56 * i);
  return all.filter((at) => imageView.getUint32(at, true) === type);
}

const number64 = (at: number): number => Number(imageView.getBigUint64(at, true));

describe('bad images are refused with the reason', () => {
  const [load = 0, second = 0] = headers(1);
  const [note = 0] = headers(4);
  /** Where the note's description, the entry's address, stands in the file: after three lengths and the name `Xen`. */
  const entry = number64(note + 8) + 16;
  // biome-ignore format: one case a line
  const CASES: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['nothing',              new Uint8Array(0),                  /not an ELF file/],
    ['text',                 new TextEncoder().encode('#!/bin/sh\n'.repeat(20)), /not an ELF file/],
    ['32-bit',               changed([4, 1, 1]),                 /not a 64-bit/],
    ['another processor',    changed([18, 2, 183]),              /not for x86-64/],
    ['a relocatable object', changed([16, 2, 1]),                /not an executable/],
    ['no program headers',   changed([56, 2, 0]),                /0 program headers/],
    ['headers outside',      changed([32, 8, 1 << 30]),          /program headers lie outside/],
    ['no note',              changed([note, 4, 0x6474e551]),     /no PVH entry note/],
    ['a segment outside',    changed([load + 8, 8, 1 << 30]),    /segment lies outside/],
    ['a segment too high',   changed([load + 24, 8, 64 << 20], [load + 40, 8, 1 << 20]), /more memory/],
    ['one byte too high',    changed([load + 24, 8, MEMORY - number64(load + 40) + 1]), /more memory/],
    ['file > memory',        changed([load + 40, 8, 1]),         /larger in the file/],
    ['over the start info',  changed([load + 24, 8, 0x6000]),    /start information/],
    ['up to its last byte',  changed([load + 24, 8, 0x7fff]),    /start information/],
    ['big-endian',           changed([5, 1, 2]),                 /not a 64-bit little-endian/],
    ['odd program headers',  changed([54, 2, 64]),               /odd size/],
    ['too many headers',     changed([56, 2, 257]),              /257 program headers/],
    ['headers beyond 2^48',  changed([32, 8, 2 ** 48]),          /the program header offset is 281474976710656/],
    ['a size beyond 2^48',   changed([load + 40, 8, 2 ** 50]),   /a segment size is/],
    ['a note outside',       changed([note + 8, 8, 1 << 30]),    /a note lies outside/],
    ['a note of another name', changed([entry - 4, 1, 0x59]),    /no PVH entry note/],
    ['a note of another type', changed([entry - 8, 1, 17]),      /no PVH entry note/],
    ['an entry in no segment', changed([entry, 4, 0x8000]),      /entry 0x8000 lies in no segment/],
    ['an entry at its end',  changed([entry, 4, number64(load + 24) + number64(load + 40)], [second + 24, 8, 8 << 20]), /lies in no segment/],
    ['nothing to load',      changed(...headers(1).map((at) => [at, 4, 0] as const)), /nothing to load/],
    ['segments that overlap', changed([second + 24, 8, number64(load + 24) + number64(load + 40) - 1]), /two segments overlap/],
  ];
  for (const [name, bytes, message] of CASES) {
    test(name, () => {
      expect(() => layOutPvh(bytes, null, '', MEMORY)).toThrow(UserError);
      expect(() => layOutPvh(bytes, null, '', MEMORY)).toThrow(message);
    });
  }

  test('a position-independent image, segments side by side and an entry at the first byte are good', () => {
    expect(second).toBeGreaterThan(load);
    const first = number64(load + 24);
    const good = changed([16, 2, 3], [second + 24, 8, first + number64(load + 40)], [entry, 4, first]);
    expect(layOutPvh(good, null, '', MEMORY).entry).toBe(first);
  });

  test('an initial RAM disk or a command line that does not fit', () => {
    expect(() => layOutPvh(image, new Uint8Array(MEMORY), '', MEMORY)).toThrow(/does not fit/);
    expect(() => layOutPvh(image, null, 'x'.repeat(4096), MEMORY)).toThrow(/4096 bytes/);
    expect(() => layOutPvh(image, null, 'a\u{1F600}', MEMORY)).toThrow(/Latin-1/);
  });

  test('whatever bytes are changed, the result is a boot or a UserError', () => {
    const edit = fc.tuple(fc.nat(511), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 12 }), (edits) => {
        const copy = image.slice();
        for (const [at, value] of edits) copy[at] = value;
        try {
          const { placements } = layOutPvh(copy, null, '', MEMORY);
          for (const { address, bytes } of placements) expect(address + bytes.length).toBeLessThanOrEqual(MEMORY);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 500, seed: 1 },
    );
  });
});

test('the guest finds start information, memory map, command line and module', async () => {
  const text = await run(`
  mov ebx, dword ptr [start_info]
  mov eax, dword ptr [rbx]
  call puthex
  mov rsi, qword ptr [rbx + 40]
  mov rax, qword ptr [rsi + 48]
  call puthex
  mov rax, qword ptr [rsi + 56]
  call puthex
  mov rax, qword ptr [rbx + 24]
  movzx eax, byte ptr [rax]
  call puthex
  mov eax, dword ptr [rbx + 12]
  call puthex
`);
  expect(text).toBe('336ec578 100000 300000 0 0 ');
});

/** The start information of a boot by the ABI's structures, read out of what is placed in memory. */
function startInfo(initrd: Uint8Array | null, append: string) {
  const { placements, startInfo: at } = layOutPvh(image, initrd, append, MEMORY);
  const memory = new Uint8Array(MEMORY);
  for (const { address, bytes } of placements) memory.set(bytes, address);
  const view = new DataView(memory.buffer);
  const word = (offset: number) => view.getUint32(at + offset, true);
  const long = (address: number) => Number(view.getBigUint64(address, true));
  const entries = Array.from({ length: word(48) }, (_, i) => long(at + 40) + 24 * i);
  return {
    magic: word(0),
    version: word(4),
    flags: word(8),
    rsdp: long(at + 32),
    modules: Array.from({ length: word(12) }, (_, i) => long(at + 16) + 32 * i).map((m) => ({
      bytes: memory.slice(long(m), long(m) + long(m + 8)),
      address: long(m),
    })),
    modlist: long(at + 16),
    commandLine: Buffer.from(memory.subarray(long(at + 24), memory.indexOf(0, long(at + 24)))).toString('latin1'),
    map: entries.map((e) => [long(e), long(e + 8), view.getUint32(e + 16, true), view.getUint32(e + 20, true)]),
  };
}

test('start information is as the ABI has it', () => {
  const map = [
    [0, 0x9fc00, 1, 0],
    [0x9fc00, 0x60400, 2, 0],
    [0x100000, MEMORY - 0x100000, 1, 0],
    [0xfee00000, 0x1000, 2, 0],
  ];
  const fixed = { magic: 0x336ec578, version: 1, flags: 0, rsdp: 0, map };
  expect(startInfo(null, '')).toEqual({ ...fixed, modules: [], modlist: 0, commandLine: '' });
  const initrd = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7) & 0xff);
  const { modules, modlist, ...rest } = startInfo(initrd, 'quiet é');
  expect(rest).toEqual({ ...fixed, commandLine: 'quiet é' });
  expect(modlist).toBeGreaterThan(0);
  // the module lies as high as whole pages allow
  expect(modules).toEqual([{ bytes: initrd, address: MEMORY - 8192 }]);
});

test('segments lie where their headers say, and a RAM disk may reach down to the last of them', () => {
  const { placements } = layOutPvh(image, null, '', MEMORY);
  for (const at of headers(1)) {
    const found = placements.find(({ address }) => address === number64(at + 24));
    expect(found?.bytes).toEqual(image.subarray(number64(at + 8), number64(at + 8) + number64(at + 32)));
  }
  const top = Math.max(...headers(1).map((at) => number64(at + 24) + number64(at + 40)));
  const room = MEMORY - Math.ceil(top / 4096) * 4096;
  expect(() => layOutPvh(image, new Uint8Array(room), '', MEMORY)).not.toThrow();
  expect(() => layOutPvh(image, new Uint8Array(room + 1), '', MEMORY)).toThrow(/does not fit/);
  expect(() => layOutPvh(image, null, 'x'.repeat(4095), MEMORY)).not.toThrow();
});
