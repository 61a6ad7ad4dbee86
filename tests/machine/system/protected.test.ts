/** 32-bit protected mode without paging: gates, privilege changes by TSS, segment checks, far transfers; and the same of IA-32e mode. Judged by QEMU. */
import { describe, expect, test } from 'vitest';
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { Machine, QuietHost } from '../../../src/machine/index.ts';
import { toolOrSkip } from '../../tools.ts';
import { expectFault, fresh, guestImage, user as longUser, print, run as runLong } from './guest.ts';
import { runInQemu } from './qemu.ts';

/** Selectors: 0x08 code 0, 0x10 data 0, 0x1b code 3, 0x23 data 3, 0x28 TSS, 0x30 data 0 of 4 KiB, 0x38 expand-down, 0x40 read-only, 0x48 not present, 0x50 call gate to CPL 0, 0x58 execute-only code, 0x60 conforming code. */
const prelude = `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  mov esp, offset stack_top
  lgdt [gdt_pointer]
  jmp 0x08:start
start:
  mov eax, 0x10
  mov ds, eax
  mov es, eax
  mov ss, eax
  mov fs, eax
  mov gs, eax
  mov edi, offset idt
  mov ebx, offset entries
  mov ecx, 64
1:
  mov eax, ebx
  mov word ptr [edi], ax
  mov word ptr [edi + 2], 8
  mov word ptr [edi + 4], 0x8E00
  shr eax, 16
  mov word ptr [edi + 6], ax
  add edi, 8
  add ebx, 16
  dec ecx
  jnz 1b
  mov word ptr [idt + 0x30 * 8 + 4], 0xEE00
  mov word ptr [idt + 0x31 * 8 + 4], 0xEF00
  lidt [idt_pointer]
  mov eax, offset tss
  mov word ptr [gdt_tss + 2], ax
  shr eax, 16
  mov byte ptr [gdt_tss + 4], al
  mov eax, offset gate_target
  mov word ptr [gdt_gate], ax
  shr eax, 16
  mov word ptr [gdt_gate + 6], ax
  mov dword ptr [tss + 4], offset stack_top
  mov dword ptr [tss + 8], 0x10
  mov ax, 0x28
  ltr ax
  jmp test

putc:
  push edx
  mov dx, 0x3F8
  out dx, al
  pop edx
  ret
newline:
  push eax
  mov al, 10
  call putc
  pop eax
  ret
puthex:
  push eax
  push ecx
  push edx
  mov edx, eax
  mov ecx, 28
1:
  mov eax, edx
  shr eax, cl
  jnz 2f
  sub ecx, 4
  jnz 1b
2:
  mov eax, edx
  shr eax, cl
  and eax, 15
  cmp al, 10
  jb 3f
  add al, 39
3:
  add al, 48
  call putc
  sub ecx, 4
  jns 2b
  mov al, 32
  call putc
  pop edx
  pop ecx
  pop eax
  ret

.balign 16
entries:
${Array.from({ length: 64 }, (_, v) => `${[8, 10, 11, 12, 13, 14, 17].includes(v) ? '' : '  push 0\n'}  push ${v}\n  jmp exception\n  .balign 16`).join('\n')}
exception:
  mov ebx, esp
  mov eax, 0x10
  mov ss, eax
  mov ds, eax
  mov es, eax
  mov al, 35
  call putc
  mov eax, dword ptr [ebx]
  call puthex
  mov eax, dword ptr [ebx + 4]
  call puthex
  mov eax, dword ptr [ebx + 8]
  sub eax, offset test
  and eax, 0
  call puthex
  mov eax, dword ptr [ebx + 12]
  call puthex
  test dword ptr [ebx + 12], 3
  jz 1f
  mov eax, dword ptr [ebx + 20]
  call puthex
  mov eax, dword ptr [ebx + 24]
  call puthex
1:
  call newline
  mov esp, dword ptr [resume_esp]
  push 2
  popfd
  jmp dword ptr [resume]

gate_target:
  mov eax, 0x10
  mov ds, eax
${print('gate ')}
  mov eax, cs
  call puthex
  mov eax, dword ptr [esp + 4]
  call puthex
  retf

finish:
  xor eax, eax
  mov dx, 0xF4
  out dx, eax
  cli
  hlt

.section .boot.data, "aw"
.balign 8
gdt:
  .quad 0
  .quad 0x00CF9B000000FFFF
  .quad 0x00CF93000000FFFF
  .quad 0x00CFFB000000FFFF
  .quad 0x00CFF3000000FFFF
gdt_tss:
  .quad 0x0000890000000067
  .quad 0x0040920000000FFF
  .quad 0x0040960000000FFF
  .quad 0x00CF91000000FFFF
  .quad 0x00CF13000000FFFF
gdt_gate:
  .quad 0x0000EC0000080000
  .quad 0x00CF99000000FFFF
  .quad 0x00CF9F000000FFFF
gdt_end:
gdt_pointer:
  .short gdt_end - gdt - 1
  .long gdt
idt_pointer:
  .short 511
  .long idt
resume: .long 0
resume_esp: .long 0
far_pointer: .long 0
  .short 0
.balign 16
tss: .zero 104
.balign 4096
idt: .zero 4096
  .zero 4096
stack_top:
  .zero 4096
user_top:
`;

/** As expectFault, in 32 bits. */
function fault(label: string, code: string): string {
  const after = fresh();
  return `
${print(`${label}: `)}
  mov dword ptr [resume], offset ${after}
  mov dword ptr [resume_esp], esp
${code}
${print('none ')}
  call newline
${after}:
`;
}

/** Runs code at CPL 3, entered by IRET. */
function user(label: string, code: string, flags = 2): string {
  const start = fresh();
  return fault(
    label,
    `
  mov eax, 0x23
  mov ds, eax
  push 0x23
  push offset user_top
  push ${flags}
  push 0x1b
  push offset ${start}
  iretd
${start}:
${code}
  ud2
`,
  );
}

// biome-ignore format: one case a line
/** QEMU checks neither limits nor the types of segments. */
const UNCHECKED: readonly string[] = [
  fault('limit read',           'mov eax, 0x30\n mov es, eax\n mov eax, dword ptr es:[0xffd]'),
  fault('limit ok',             'mov eax, 0x30\n mov es, eax\n mov eax, dword ptr es:[0xffc]'),
  fault('expand-down inside',   'mov eax, 0x38\n mov es, eax\n mov al, byte ptr es:[0xfff]'),
  fault('expand-down ok',       'mov eax, 0x38\n mov es, eax\n mov al, byte ptr es:[0x1000]'),
  fault('write to read-only',   'mov eax, 0x40\n mov es, eax\n mov byte ptr es:[0], al'),
  fault('null DS is used',      'xor eax, eax\n mov es, eax\n mov al, byte ptr es:[0x100000]'),
  fault('stack limit',          'mov eax, 0x30\n mov ss, eax\n mov esp, 0x1002\n pop eax'),
];
// biome-ignore format: one case a line
const CASES: readonly string[] = [
  fault('ud',                   'ud2'),
  fault('int3',                 'int3'),
  fault('int 0x30',             'int 0x30'),
  fault('beyond the IDT',       'int 0x80'),
  fault('not present DS',       'mov eax, 0x48\n mov ds, eax'),
  fault('not present SS',       'mov eax, 0x48\n mov ss, eax'),
  fault('read-only SS',         'mov eax, 0x40\n mov ss, eax'),
  fault('code in SS',           'mov eax, 0x08\n mov ss, eax'),
  fault('null SS',              'xor eax, eax\n mov ss, eax'),
  fault('execute-only in DS',   'mov eax, 0x58\n mov ds, eax'),
  fault('null DS is loaded',    'xor eax, eax\n mov es, eax'),
  fault('beyond the GDT',       'mov eax, 0x100\n mov es, eax'),
  fault('far jump',             'jmp 0x08:1f\n ud2\n1:'),
  fault('far jump to data',     'jmp 0x10:1f\n1:'),
  fault('far jump to user code','jmp 0x1b:1f\n1:'),
  fault('far call and return',  'push cs\n call 1f\n jmp 2f\n1: retf\n2:'),
  fault('call gate at CPL 0',   'call 0x50:0'),
  fault('VERR VERW LAR LSL',    'mov eax, 0x40\n verr ax\n setz bl\n verw ax\n setz bh\n movzx eax, bx\n call puthex\n mov ecx, 0x30\n lar eax, cx\n call puthex\n lsl eax, cx\n call puthex\n mov ecx, 0x100\n lar eax, cx\n setz al\n movzx eax, al\n call puthex\n mov ecx, 0x28\n lsl eax, cx\n call puthex'),
  fault('SGDT SIDT STR SLDT',   'sub esp, 8\n sgdt [esp]\n movzx eax, word ptr [esp]\n call puthex\n sidt [esp]\n movzx eax, word ptr [esp]\n call puthex\n add esp, 8\n str eax\n call puthex\n sldt eax\n call puthex'),
  fault('SMSW LMSW',            'smsw eax\n call puthex\n lmsw ax\n'),
  fault('LES',                  'mov dword ptr [far_pointer], 0x1234\n mov word ptr [far_pointer + 4], 0x30\n les eax, [far_pointer]\n call puthex\n mov eax, es\n call puthex'),
  fault('POP DS of nothing',    'push 0x100\n pop ds'),
  fault('OUTSB, INSB',          'mov esi, offset 1f\n mov dx, 0x3f8\n mov ecx, 3\n rep outsb\n mov edi, offset far_pointer\n mov dx, 0x3ff\n insb\n jmp 2f\n1: .ascii "abc"\n2:'),
  fault('PUSHF POPF',           'push 0x247cd7\n popfd\n pushfd\n pop eax\n push 2\n popfd\n and eax, 0x247cd5\n call puthex'),
  // frames of 16-bit words: the code of both sides lies below 64 KiB, and IRET of 16 bits comes back
  fault('16-bit gate',          'mov dword ptr [idt + 0x34 * 8], 0x00088010\n mov dword ptr [idt + 0x34 * 8 + 4], 0x00008600\n mov esi, offset 1f\n mov edi, 0x8000\n mov ecx, 32\n rep movsb\n jmp 0x08:0x8000\n .balign 16\n1: int 0x34\n mov eax, offset 2f\n jmp eax\n .balign 16\n 3: mov ebx, dword ptr [esp]\n .byte 0x66\n iretd\n .balign 16\n2: mov eax, ebx\n call puthex'),
  fault('gate to data',         'mov word ptr [idt + 0x35 * 8 + 2], 0x10\n int 0x35'),
  fault('gate to code of CPL 3', 'mov word ptr [idt + 0x35 * 8 + 2], 0x18\n int 0x35'),
  fault('gate to nowhere',      'mov word ptr [idt + 0x35 * 8 + 2], 0\n int 0x35'),
  fault('gate of another type', 'mov word ptr [idt + 0x35 * 8 + 2], 8\n mov byte ptr [idt + 0x35 * 8 + 5], 0x8c\n int 0x35'),
  user('user ud',               ''),
  user('user int 0x30',         'int 0x30'),
  user('user trap gate',        'int 0x31'),
  user('user int of DPL 0',     'int 0x20'),
  user('user cli',              'cli'),
  user('user in',               'in al, dx'),
  user('user iopl 3',           'cli\n sti', 0x3002),
  user('user loads kernel data','mov eax, 0x10\n mov ds, eax'),
  user('user iret to kernel',   'pushfd\n push 0x08\n push 0\n iretd'),
  user('user jumps to kernel',  'jmp 0x08:start'),
  user('conforming code',       'call 0x60:1f\n1: mov eax, cs\n cmp eax, 0x63\n je 2f\n hlt\n2:'),
  user('segments were dropped', 'mov eax, es\n cmp eax, 0\n je 1f\n hlt\n1:'),
];
const TEXT = `${CASES.join('\n')}\n${print('end\n')}`;
const LIMITS = `${UNCHECKED.join('\n')}\n${print('end\n')}`;

const image = (text: string) =>
  link([assemble(`${prelude}\n.section .boot.text, "ax"\n.code32\ntest:\n${text}\n  jmp finish\n`, { name: 'protected.s' })], {
    target: 'keel-kernel',
  }).bytes;

async function run(text: string): Promise<string> {
  const host = new QuietHost();
  const machine = await Machine.create({ memoryBytes: 4 << 20, seed: '', harness: false }, host);
  machine.load({ image: image(text) });
  const stop = machine.run(5_000_000n);
  if (stop.reason !== 'debug-exit') throw new Error(`${JSON.stringify(stop)}: ${host.text}`);
  return host.text;
}

/** IA-32e mode: call gates, far returns, compatibility mode, the I/O bitmap. */
const LONG = `
${expectFault('LAR LSL', 'mov ecx, 0x28\n lar eax, cx\n call puthex\n lsl eax, cx\n call puthex\n mov ecx, 0x08\n lar eax, cx\n call puthex')}
${expectFault('far return', 'push 8\n mov rax, offset 1f\n push rax\n retfq\n ud2\n1:')}
${expectFault('far return to data', 'push 0x10\n push 0\n retfq')}
${expectFault('compatibility mode', 'mov rax, 0x00CF9B000000FFFF\n mov qword ptr [gdt + 0x18], rax\n push 0x18\n mov rax, offset 1f\n push rax\n retfq\n.code32\n1: mov eax, 0x12345678\n push eax\n pop ecx\n inc ecx\n dec eax\n jmp 8:2f\n.code64\n2: mov rax, 0x00CFF3000000FFFF\n mov qword ptr [gdt + 0x18], rax\n mov rax, rcx\n call puthex')}
${expectFault('SYSCALL of nothing', 'mov ecx, 0xC0000080\n rdmsr\n and eax, -2\n wrmsr\n syscall')}
${expectFault('SYSRET of nothing', 'sysretq')}
${expectFault('EFER.SCE again', 'mov ecx, 0xC0000080\n rdmsr\n or eax, 1\n wrmsr')}
${expectFault('LSS', 'mov dword ptr [page_c], 0x1234\n mov word ptr [page_c + 4], 0x10\n lss eax, [page_c]\n call puthex')}
${expectFault('FS base', 'mov ecx, 0xC0000100\n mov eax, offset page_c\n xor edx, edx\n wrmsr\n mov eax, dword ptr fs:[0]\n call puthex\n rdmsr\n sub eax, offset page_c\n call puthex')}
${expectFault('null FS keeps or drops', 'xor eax, eax\n mov gs, eax')}
${expectFault(
  'GDT with a call gate',
  `mov rsi, offset gdt
  mov rdi, offset page_c
  mov ecx, 56
  rep movsb
  mov rax, offset inner
  mov word ptr [page_c + 0x38], ax
  mov dword ptr [page_c + 0x3a], 0xEC000008
  shr rax, 16
  mov word ptr [page_c + 0x3e], ax
  mov qword ptr [page_c + 0x40], 0
  mov dword ptr [page_c + 0x3c], 0x0010EC00
  mov word ptr [page_c + 0x48], 0x47
  mov rax, offset page_c
  mov qword ptr [page_c + 0x4a], rax
  lgdt [page_c + 0x48]
  jmp 1f
inner:
${print('inner ')}
  mov rax, cs
  call puthex
  mov rax, qword ptr [rsp + 8]
  call puthex
  mov rax, qword ptr [rsp + 24]
  call puthex
  retfq
1:`,
)}
${longUser('call gate from user mode', 'mov eax, 0x38\n mov dword ptr [rsp - 16], 0\n mov dword ptr [rsp - 12], eax\n call far ptr [rsp - 16]\n mov r11, 0x5a\n mov rax, cs\n cmp eax, 0x23\n je 1f\n hlt\n1: ud2')}
${longUser('call gate of a bad selector', 'mov dword ptr [rsp - 12], 0x28\n call far ptr [rsp - 16]')}
${expectFault(
  'TSS with an I/O bitmap',
  `mov rax, offset gdt
  mov word ptr [gdt_pointer], 0x37
  lgdt [gdt_pointer]
  mov word ptr [gdt_tss], 104 + 128
  mov byte ptr [gdt_tss + 5], 0x89
  mov word ptr [tss + 102], 104
  mov byte ptr [tss + 104 + 127], 2
  mov eax, 0x28
  ltr ax`,
)}
${longUser('open port', 'mov edx, 0x3fd\n in al, dx\n and eax, 0x60\n cmp al, 0x60\n je 1f\n hlt\n1: ud2')}
${longUser('closed port', 'mov edx, 0x3f9\n in al, dx')}
${longUser('open next to closed', 'mov edx, 0x3f8\n in ax, dx')}
${longUser('beyond the bitmap', 'mov edx, 0x400\n in al, dx')}
${expectFault('CR8', 'mov eax, 5\n mov cr8, rax\n mov rax, cr8\n call puthex\n xor eax, eax\n mov cr8, rax')}
${print('end\n')}
`;

describe('32-bit protected mode', () => {
  test('does as the manual says', async () => {
    const lines = (await run(TEXT)).split('\n');
    expect(lines).toMatchInlineSnapshot(`
      [
        "ud: #6 0 0 8 ",
        "int3: #3 0 0 8 ",
        "int 0x30: #30 0 0 8 ",
        "beyond the IDT: #d 402 0 8 ",
        "not present DS: #b 48 0 8 ",
        "not present SS: #c 48 0 8 ",
        "read-only SS: #d 40 0 8 ",
        "code in SS: #d 8 0 8 ",
        "null SS: #d 0 0 8 ",
        "execute-only in DS: #d 58 0 8 ",
        "null DS is loaded: none ",
        "beyond the GDT: #d 100 0 8 ",
        "far jump: none ",
        "far jump to data: #d 10 0 8 ",
        "far jump to user code: #d 18 0 8 ",
        "far call and return: none ",
        "call gate at CPL 0: gate 8 8 none ",
        "VERR VERW LAR LSL: 1 409200 fff 0 67 none ",
        "SGDT SIDT STR SLDT: 67 1ff 28 0 none ",
        "SMSW LMSW: 11 none ",
        "LES: 1234 30 none ",
        "POP DS of nothing: #d 100 0 8 ",
        "OUTSB, INSB: abcnone ",
        "PUSHF POPF: 247cd5 none ",
        "16-bit gate: 88002 none ",
        "gate to data: #d 10 0 8 ",
        "gate to code of CPL 3: #d 18 0 8 ",
        "gate to nowhere: #d 0 0 8 ",
        "gate of another type: #d 1aa 0 8 ",
        "user ud: #6 0 0 1b 107000 23 ",
        "user int 0x30: #30 0 0 1b 107000 23 ",
        "user trap gate: #31 0 0 1b 107000 23 ",
        "user int of DPL 0: #d 102 0 1b 107000 23 ",
        "user cli: #d 0 0 1b 107000 23 ",
        "user in: #d 0 0 1b 107000 23 ",
        "user iopl 3: #6 0 0 1b 107000 23 ",
        "user loads kernel data: #d 10 0 1b 107000 23 ",
        "user iret to kernel: #d 8 0 1b 106ff4 23 ",
        "user jumps to kernel: #d 8 0 1b 107000 23 ",
        "conforming code: #6 0 0 63 106ff8 23 ",
        "segments were dropped: #6 0 0 1b 107000 23 ",
        "end",
        "",
      ]
    `);
  });

  test('checks limits and types of segments', async () => {
    const lines = (await run(LIMITS)).split('\n');
    expect(lines).toMatchInlineSnapshot(`
      [
        "limit read: #d 0 0 8 ",
        "limit ok: none ",
        "expand-down inside: #d 0 0 8 ",
        "expand-down ok: none ",
        "write to read-only: #d 0 0 8 ",
        "null DS is used: #d 0 0 8 ",
        "stack limit: #c 0 0 8 ",
        "end",
        "",
      ]
    `);
  });

  test('and as QEMU does', async (context) => {
    const qemu = toolOrSkip(context, 'qemu-system-x86_64');
    expect((await run(TEXT)).split('\n')).toEqual(runInQemu(qemu, image(TEXT)).output.split('\n'));
  });
});

test('far transfers and segments of IA-32e mode are as in QEMU', async (context) => {
  const qemu = toolOrSkip(context, 'qemu-system-x86_64');
  expect((await runLong(LONG)).split('\n')).toEqual(runInQemu(qemu, guestImage(LONG)).output.split('\n'));
});
