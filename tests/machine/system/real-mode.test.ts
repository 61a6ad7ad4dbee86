/**
 * Interrupts and exceptions of real mode, through the vector table at 0: a frame of FLAGS, CS and IP, no error codes. Judged by what the manual says
 * and by QEMU.
 */
import { expect, test } from 'vitest';
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { Machine, QuietHost } from '../../../src/machine/index.ts';
import { toolOrSkip } from '../../tools.ts';
import { runInQemu } from './qemu.ts';

/** Vectors that have a handler: it prints the vector, where it happened, CS, the flags there, the flags here and SP, and goes on `skip` bytes later. */
const HANDLERS: readonly (readonly [vector: number, skip: number])[] = [
  [0, 2], // DIV: a fault, of two bytes here
  [1, 0],
  [3, 0],
  [4, 0],
  [6, 2], // UD2
  [13, 2], // INT n beyond the table
  [0x21, 0],
];

/** 16-bit code. It runs where its addresses' low 16 bits say, with CS, DS and SS 0; SI points to a table register of 0x20 vectors. */
const BODY = `
  mov ax, 0x1234
  int 0x21
  sti
  int 0x21
  cli
  int3
  xor bx, bx
  div bl
  ud2
  # overflow: a trap
  mov al, 0x7f
  inc al
  into
  # a single step: the trap comes after the instruction that follows POPF
  pushf
  pop ax
  or ax, 0x100
  push ax
  popf
  nop
  pushf
  pop ax
  and ax, 0xfeff
  push ax
  popf
  # direction and arithmetic flags come back with IRET
  std
  stc
  int 0x21
  pushf
  pop ax
  call puthex
  cld
  # a table of 0x20 vectors
  lidt [si]
  int 0x21
  int3
  # a frame whose words lie on both ends of the stack segment; vector 0 is no longer needed
  mov sp, 4
  int3
  mov sp, 2
  int3
  mov sp, 0
  int3
  mov sp, 0x700
  mov al, 69
  call putc
  mov dx, 0xf4
  mov ax, 0
  out dx, ax
1:
  hlt
  jmp 1b
`;

const realImage = (body: string) =>
  link(
    [
      assemble(
        `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  mov esp, 0x700
  # QEMU's PC has a timer that runs
  mov al, 0xff
  out 0x21, al
  out 0xa1, al
  lgdt [gdt_pointer]
  mov esi, offset real
  mov edi, esi
  and edi, 0xffff
  mov ecx, offset real_end
  sub ecx, esi
  rep movsb
${HANDLERS.map(([vector]) => `  mov eax, offset vector_${vector}\n  and eax, 0xffff\n  mov dword ptr [${vector * 4}], eax\n`).join('')}
  mov word ptr [0x500], 0x3ff
  mov dword ptr [0x502], 0
  mov word ptr [0x508], 0x7f
  mov dword ptr [0x50a], 0
  mov esi, 0x508
  lidt [0x500]
  mov ebx, offset start
  and ebx, 0xffff
  mov ecx, offset sixteen
  and ecx, 0xffff
  push 0x08
  push ecx
  retf
.code16
# the low 16 bits of addresses from here on lie above the vector table
.zero 8192
.balign 16
real:
sixteen:
  mov ax, 0x10
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov eax, cr0
  and al, 0xfe
  mov cr0, eax
  mov sp, 0x600
  xor ax, ax
  push ax
  push bx
  retf
start:
  xor ax, ax
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov sp, 0x700
${body}
putc:
  push dx
  mov dx, 0x3F8
  out dx, al
  pop dx
  ret
puthex:
  push cx
  push ax
  mov cl, 12
1:
  pop ax
  push ax
  shr ax, cl
  and al, 15
  cmp al, 10
  jb 2f
  add al, 39
2:
  add al, 48
  call putc
  sub cl, 4
  jns 1b
  mov al, 32
  call putc
  pop ax
  pop cx
  ret
${HANDLERS.map(
  ([vector, skip]) => `
vector_${vector}:
  push bp
  mov bp, sp
  push ax
  pushf
  mov ax, ${vector}
  call puthex
  mov ax, word ptr [bp + 4]
  call puthex
  mov ax, word ptr [bp + 6]
  and ax, 0xfd7
  call puthex
  pop ax
  and ax, 0xf00
  call puthex
  mov ax, bp
  call puthex
  mov al, 10
  call putc
  ${skip > 0 ? `add word ptr [bp + 2], ${skip}` : ''}
  and word ptr [bp + 6], 0xfeff
  pop ax
  pop bp
  iret`,
).join('\n')}
real_end:
.balign 8
gdt:
  .quad 0
  .quad 0x00009B000000FFFF
  .quad 0x000093000000FFFF
gdt_pointer:
  .short 23
  .long gdt
`,
        { name: 'real.s' },
      ),
    ],
    { target: 'keel-kernel' },
  ).bytes;

const image = realImage(BODY);

async function lines(): Promise<string[]> {
  const host = new QuietHost();
  const machine = await Machine.create({ memoryBytes: 4 << 20, seed: '', harness: false }, host);
  machine.load({ image });
  const stop = machine.run(1_000_000n);
  if (stop.reason !== 'debug-exit') throw new Error(`${JSON.stringify(stop)} after ${machine.count}: ${host.text}`);
  return host.text.split('\n');
}

test('interrupts and exceptions go through the vector table', async () => {
  expect(await lines()).toMatchInlineSnapshot(`
    [
      "0021 0000 0046 0000 06f8 ",
      "0021 0000 0246 0000 06f8 ",
      "0003 0000 0046 0000 06f8 ",
      "0000 0000 0046 0000 06f8 ",
      "0006 0000 0046 0000 06f8 ",
      "0004 0000 0892 0800 06f8 ",
      "0001 0000 0992 0800 06f8 ",
      "0021 0000 0c93 0c00 06f8 ",
      "0c93 000d 0000 0097 0000 06f8 ",
      "0003 0000 0097 0000 06f8 ",
      "0003 0000 0097 0000 fffc ",
      "0003 0000 0097 0000 fffa ",
      "0003 0000 0097 0000 fff8 ",
      "E",
    ]
  `);
});

test('and as in QEMU', async (context) => {
  const qemu = toolOrSkip(context, 'qemu-system-x86_64');
  expect(await lines()).toEqual(runInQemu(qemu, image).output.split('\n'));
});

test('a frame with a word beyond the end of the stack segment is a stack fault, which finds no room either: the CPU shuts down', async () => {
  for (const sp of [1, 3, 5]) {
    const machine = await Machine.create({ memoryBytes: 4 << 20, seed: '', harness: false }, new QuietHost());
    machine.load({ image: realImage(`  mov sp, ${sp}\n  int3\n`) });
    expect(machine.run(1_000_000n)).toEqual({ reason: 'triple-fault' });
  }
});
