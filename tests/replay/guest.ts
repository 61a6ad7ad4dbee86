/**
 * A guest of a hundred lines: enters long mode by PVH, sets up interrupts, a timer and system calls, and runs a program in ring 3 that computes,
 * branches, calls, writes and reads. It uses everything that a trace must hold, and needs neither compiler nor kernel.
 */
import { assemble } from '../../src/compiler/assembler/index.ts';
import { type LinkedImage, link } from '../../src/compiler/image/link.ts';
import type { Host } from '../../src/machine/index.ts';
import type { NamedFile, RecordOptions } from '../../src/replay/index.ts';

export interface GuestOptions {
  /** Rounds of the program's main loop; each takes about 200 instructions. */
  readonly rounds?: number;
  /** Instructions between timer interrupts. */
  readonly timer?: number;
  /** What the program adds in each round: an immediate in its code. */
  readonly step?: number;
  /** Invalid opcodes that the kernel recovers from before it starts the program. */
  readonly faults?: number;
}

export function guestText({ rounds = 50, timer = 3000, step = 7, faults = 1 }: GuestOptions = {}): string {
  return `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  mov esp, offset stack_top
  mov eax, cr4
  or eax, 0x20
  mov cr4, eax
  mov eax, offset pml4
  mov cr3, eax
  mov ecx, 0xC0000080
  rdmsr
  or eax, 0x101
  wrmsr
  mov eax, cr0
  or eax, 0x80000001
  mov cr0, eax
  lgdt [gdt_pointer]
  push 8
  push offset long_mode
  retf
.code64
long_mode:
  mov ax, 0x10
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov rsp, offset stack_top
  # gates: every vector goes to its own entry of 8 bytes
  mov rdi, offset idt
  mov rbx, offset entries
  mov rcx, 64
1:
  mov rax, rbx
  mov word ptr [rdi], ax
  mov word ptr [rdi + 2], 8
  mov word ptr [rdi + 4], 0x8E00
  shr rax, 16
  mov word ptr [rdi + 6], ax
  add rdi, 16
  add rbx, 8
  dec rcx
  jnz 1b
  mov word ptr [idt + 0x30 * 16 + 4], 0xEE00
  lidt [idt_pointer]
  mov rax, offset tss
  mov word ptr [gdt_tss + 2], ax
  shr rax, 16
  mov byte ptr [gdt_tss + 4], al
  mov ax, 0x28
  ltr ax
  # STAR LSTAR FMASK
  mov ecx, 0xC0000081
  xor eax, eax
  mov edx, 0x00100008
  wrmsr
  mov ecx, 0xC0000082
  mov eax, offset system_call
  xor edx, edx
  wrmsr
  mov ecx, 0xC0000084
  mov eax, 0x200
  xor edx, edx
  wrmsr
  # local APIC: on, timer periodic at vector 32, divided by 1
  mov ebx, 0xFEE00000
  mov dword ptr [rbx + 0xF0], 0x1FF
  mov dword ptr [rbx + 0x3E0], 0xB
  mov dword ptr [rbx + 0x320], 0x20020
  mov dword ptr [rbx + 0x380], ${timer}
  # faults that are recovered: the handler skips two bytes
  mov rbp, ${faults}
9:
  ud2
  dec rbp
  jnz 9b
  # ring 3
  mov rcx, offset program
  mov r11, 0x202
  mov rsp, offset user_top
  sysretq

system_call:
  mov r12, rsp
  mov rsp, offset stack_top
  cmp rax, 1
  je system_write
  cmp rax, 0
  je system_read
  cmp rax, 60
  je system_exit
  mov rax, -38
  jmp system_return
system_write:
  mov r13, rdx
2:
  test r13, r13
  jz 3f
  mov al, byte ptr [rsi]
  mov dx, 0x3F8
  out dx, al
  inc rsi
  dec r13
  jmp 2b
3:
  mov eax, 1
  jmp system_return
system_read:
  mov dx, 0x3FD
  in al, dx
  test al, 1
  jz 4f
  mov dx, 0x3F8
  in al, dx
  movzx eax, al
  jmp system_return
4:
  mov rax, -11
system_return:
  mov rsp, r12
  sysretq
system_exit:
  mov eax, edi
  mov edx, 0xF4
  out dx, eax
5:
  cli
  hlt
  jmp 5b

# vector 6: skips two bytes; 32: end of interrupt; 48: goes to another address space and back; others: exit 99
handle_ud:
  add qword ptr [rsp], 2
  iretq
handle_timer:
  inc qword ptr [ticks]
  push rbx
  mov ebx, 0xFEE00000
  mov dword ptr [rbx + 0xB0], 0
  pop rbx
  iretq
handle_software:
  push rax
  mov rax, offset other_pml4
  mov cr3, rax
  mov cr3, rax
  mov rax, offset pml4
  mov cr3, rax
  pop rax
  iretq
handle_other:
  mov edi, 99
  jmp system_exit
.balign 8
entries:
${Array.from({ length: 64 }, (_, vector) => {
  const handler = vector === 6 ? 'handle_ud' : vector === 32 ? 'handle_timer' : vector === 48 ? 'handle_software' : 'handle_other';
  return `.balign 8\n  jmp ${handler}`;
}).join('\n')}

.balign 16
program:
  mov rbx, ${rounds}
  mov rbp, 12345
round:
  imul rbp, rbp, 1103515245
  add rbp, ${step}
  test rbp, 0x10000
  jz 6f
  call twice
6:
  mov rdi, offset buffer
  mov rcx, 37
  mov rax, rbp
  rep stosb
  mov rcx, rbp
  shr rcx, 20
  and rcx, 3
  lea rdx, [table + rcx * 8]
  call qword ptr [rdx]
  mov rcx, 40
7:
  ror rbp, 3
  loop 7b
  test bl, 7
  jnz 8f
  int 0x30
  mov rax, 1
  mov rdi, 1
  mov rsi, offset message
  mov rdx, 2
  syscall
  xor eax, eax
  syscall
  add rbp, rax
8:
  dec rbx
  jnz round
  mov rdi, rbp
  and rdi, 0x7F
  mov eax, 60
  syscall
twice:
  call once
once:
  xor rbp, 0x55
  ret
odd:
  add rbp, 3
  ret
even:
  sub rbp, 5
  ret
.balign 8
table: .quad once, odd, even, twice
message: .ascii "ab"

.section .boot.data, "aw"
.balign 4096
pml4: .quad pdpt + 7
  .zero 4088
other_pml4: .quad pdpt + 7
  .zero 4088
pdpt: .quad directory + 7, 0, 0, high_directory + 7
  .zero 4064
directory: .quad 0x87
  .zero 4088
high_directory:
  .zero 4016
  .quad 0xFEC0009F, 0xFEE0009F
  .zero 64
gdt: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF
gdt_tss: .quad 0x0000890000000067, 0
gdt_pointer: .short 55
  .quad gdt
idt_pointer: .short 1023
  .quad idt
ticks: .quad 0
.balign 16
tss: .long 0
  .quad stack_top
  .zero 92
.balign 16
idt: .zero 1024
buffer: .zero 64
.balign 16
  .zero 2048
stack_top:
  .zero 2048
user_top:
`;
}

/** The guest as a bootable image. */
export function guest(options?: GuestOptions): NamedFile {
  return { name: 'guest', bytes: linked(options).bytes };
}

/** The same without DWARF: for what is not to depend on what debuggers are told. */
export function bareGuest(): NamedFile {
  return { name: 'guest', bytes: linked().stripped };
}

function linked(options?: GuestOptions): LinkedImage {
  return link([assemble(guestText(options), { name: 'guest.s' })], { target: 'keel-kernel' });
}

/** Gives a byte at some calls and nothing at others. */
export class ScriptedHost implements Host {
  #calls = 0;

  serialInput(): number | null {
    const call = this.#calls++;
    return call % 3 === 1 ? 65 + (call % 26) : null;
  }

  program(): null {
    return null;
  }

  serialOutput(): void {}
}

/** The recording that the tests make: small blocks, and checkpoints between them. */
export function guestRecording(options?: GuestOptions): RecordOptions {
  return {
    machine: { memoryBytes: 4 << 20, seed: 'guest', harness: false },
    image: guest(options),
    host: new ScriptedHost(),
    blockInstructions: 512,
    checkpointInstructions: 2048,
    limit: 1_000_000n,
  };
}
