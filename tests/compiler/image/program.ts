/** A program of two functions by hand, with all that an object can hold. */

import type { Layouts } from '../../../src/compiler/image/layouts.ts';
import { type LinkedImage, link } from '../../../src/compiler/image/link.ts';
import { dataAtom, functionAtom, rbpFrame } from '../../../src/compiler/image/object.ts';

const hex = (text: string) => Uint8Array.from(text.split(' ').map((byte) => Number.parseInt(byte, 16)));

export const layouts: Layouts = {
  version: 1,
  classes: [
    {
      name: 'Point',
      size: 16,
      alignment: 8,
      fields: [
        { name: 'x', offset: 0, size: 4, type: { kind: 'int', width: 32, signed: true } },
        { name: 'next', offset: 8, size: 8, type: { kind: 'reference', to: 'Point' } },
      ],
    },
  ],
  globals: [
    { symbol: 'table', name: 'table', type: { kind: 'array', element: { kind: 'slice', element: { kind: 'boolean' } }, length: 1 } },
  ],
  constants: { pages: '4096' },
};

/** @param file the source's path in its line table */
export function program(file: string): LinkedImage {
  const at = (line: number, column = 3) => ({ file, line, column });
  const show = functionAtom({
    symbol: 'show',
    displayName: 'Console.show',
    binding: 'local',
    // push rbp; mov rbp, rsp; push rbx; mov eax, 1; mov edi, 1; lea rsi, [rip + message]; mov edx, 3; syscall; pop rbx; leave; ret; ud2
    bytes: hex('55 48 89 e5 53 b8 01 00 00 00 bf 01 00 00 00 48 8d 35 00 00 00 00 ba 03 00 00 00 0f 05 5b c9 c3 0f 0b'),
    relocations: [{ kind: 'pc32', offset: 18, symbol: 'message', addend: -4 }],
    lines: [
      { offset: 0, ...at(3) },
      { offset: 5, ...at(4), prologueEnd: true },
      { offset: 10, ...at(5, 9) },
      { offset: 27, ...at(25, 1) },
      { offset: 29, ...at(2) },
    ],
    traps: [{ offset: 32, kind: 'overflow', ...at(4, 9) }],
    frames: rbpFrame(1, 4, [['rbx', -8]], 5, [{ ret: 31, after: 32 }]),
    declared: at(3),
  });
  const start = functionAtom({
    symbol: '_start',
    binding: 'global',
    // push rbp; mov rbp, rsp; call show; xor edi, edi; mov eax, 60; syscall
    bytes: hex('55 48 89 e5 e8 00 00 00 00 31 ff b8 3c 00 00 00 0f 05'),
    relocations: [{ kind: 'pc32', offset: 5, symbol: 'show', addend: -4 }],
    lines: [
      { offset: 0, ...at(10) },
      { offset: 4, ...at(11), prologueEnd: true },
      { offset: 9, ...at(12) },
    ],
    traps: [],
    frames: rbpFrame(1, 4, [], 4, []),
    declared: at(10),
  });
  const message = dataAtom({
    symbol: 'message',
    binding: 'local',
    section: '.rodata',
    kind: 'rodata',
    alignment: 1,
    bytes: new TextEncoder().encode('hi\n'),
  });
  const table = dataAtom({
    symbol: 'table',
    binding: 'global',
    section: '.data',
    kind: 'data',
    alignment: 8,
    bytes: new Uint8Array(16),
    relocations: [
      { kind: 'abs64', offset: 0, symbol: 'show', addend: 0 },
      { kind: 'abs64', offset: 8, symbol: '__bss_end', addend: 0, minus: '__bss_start' },
    ],
  });
  const bss = dataAtom({
    symbol: 'zeros',
    binding: 'global',
    section: '.bss',
    kind: 'bss',
    alignment: 4096,
    bytes: new Uint8Array(0),
    size: 10_000,
  });
  return link([{ name: 'hello.ts', atoms: [start, show, message, table, bss] }], { target: 'linux-program', layouts });
}
