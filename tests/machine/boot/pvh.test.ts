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

/** File offset of the first program header of a type. */
function header(type: number): number {
  const view = new DataView(image.buffer, image.byteOffset);
  for (let at = 64; ; at += 56) if (view.getUint32(at, true) === type) return at;
}

describe('bad images are refused with the reason', () => {
  const load = header(1);
  const note = header(4);
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
    ['file > memory',        changed([load + 40, 8, 1]),         /larger in the file/],
    ['over the start info',  changed([load + 24, 8, 0x6000]),    /start information/],
  ];
  for (const [name, bytes, message] of CASES) {
    test(name, () => {
      expect(() => layOutPvh(bytes, null, '', MEMORY)).toThrow(UserError);
      expect(() => layOutPvh(bytes, null, '', MEMORY)).toThrow(message);
    });
  }

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
  const { placements } = layOutPvh(image, Uint8Array.of(1, 2, 3), 'hello', MEMORY);
  const at = (address: number) => placements.find((p) => p.address === address)?.bytes;
  expect(at(MEMORY - 4096)).toEqual(Uint8Array.of(1, 2, 3));
  expect(at(0x7000)).toEqual(new TextEncoder().encode('hello'));
  const info = new DataView((at(0x6000) ?? new Uint8Array(0)).buffer);
  expect([info.getUint32(12, true), info.getBigUint64(0x100, true), info.getBigUint64(0x108, true)]).toEqual([
    1,
    BigInt(MEMORY - 4096),
    3n,
  ]);
});
