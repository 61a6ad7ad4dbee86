/**
 * A bare guest for whole-machine tests: boots by PVH, enters long mode, catches every exception, prints what it was, and runs the test's
 * own assembly. The same image boots in QEMU.
 *
 * The test's text is 64-bit code at CPL 0, and ends in `jmp finish` (which it falls into). It may use:
 *  - `putc` (AL), `puthex` (RAX, 16 digits), `newline`; all keep their registers
 *  - `expect(label, code)` of this file: runs code that should fault, prints `label` and `#vector code cr2 offset`, goes on after it
 *  - `window`: linear 0x40000000 … 4 KiB pages whose entries lie at `window_pt` (user allowed above); `page_a`, `page_b`, `page_c`: frames
 *  - `user(code)`: runs code at CPL 3 in window page 0 (frame page_a, copied there), until it faults or does SYSCALL
 */
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import { Machine, type MachineConfig, QuietHost } from '../../../src/machine/index.ts';

export const WINDOW = 0x40000000;

let labels = 0;
/** A label that no other text uses. */
export const fresh = (): string => `.Lt${labels++}`;

/** Text that prints a string. */
export function print(text: string): string {
  return [...text].map((c) => `  mov al, ${c.charCodeAt(0)}\n  call putc\n`).join('');
}

/** Runs code that should fault; prints the label and the exception, and goes on. Where it does not fault, prints `none`. */
export function expectFault(label: string, code: string): string {
  const after = fresh();
  return `
${print(`${label}: `)}
  mov rax, offset ${after}
  mov qword ptr [resume], rax
  mov qword ptr [resume_rsp], rsp
${code}
${print('none')}
  call newline
${after}:
`;
}

/**
 * Runs code at CPL 3 and comes back after its fault or SYSCALL (printed as `syscall`, with RCX and R11). Registers are not kept. Interrupts are off
 * (QEMU's PC has a timer of its own) unless `rflags` says otherwise.
 */
export function user(label: string, code: string, rflags = 2): string {
  const [start, end] = [fresh(), fresh()];
  return expectFault(
    label,
    `
  jmp ${end}
${start}:
${code}
  ud2
  .balign 8
${end}:
  mov rsi, offset ${start}
  mov rdi, offset page_a
  mov rcx, offset ${end}
  sub rcx, rsi
  rep movsb
  mov qword ptr [window_pt], offset page_a + 0x7
  mov qword ptr [window_pt + 8], offset page_b + 0x7
  invlpg [0x40000000]
  invlpg [0x40001000]
  mov rcx, 0x40000000
  mov r11, ${rflags}
  mov rdi, 0x40001ff0
  mov rsp, rdi
  xor eax, eax
  sysretq
`,
  );
}

const prelude = `
.section .boot.text, "ax"
.code32
.global pvh_start
pvh_start:
  mov esp, offset stack_top
  mov dword ptr [start_info], ebx
  mov eax, cr4
  or eax, 0x620
  mov cr4, eax
  # tables: pml4[0] → pdpt; pdpt[0] → pd (1 GiB by 2 MiB pages), pdpt[1] → window_pd → window_pt, pdpt[3] → the APIC's GiB page
  mov dword ptr [pml4], offset pdpt + 0x7
  mov dword ptr [pdpt], offset pd + 0x3
  mov dword ptr [pdpt + 8], offset window_pd + 0x7
  mov dword ptr [pdpt + 24], 0xC0000083
  mov dword ptr [window_pd], offset window_pt + 0x7
  mov edi, offset pd
  mov eax, 0x83
  mov ecx, 512
1:
  mov dword ptr [edi], eax
  add edi, 8
  add eax, 0x200000
  dec ecx
  jnz 1b
  mov eax, offset pml4
  mov cr3, eax
  mov ecx, 0xC0000080
  mov eax, 0x901
  xor edx, edx
  wrmsr
  mov eax, 0x80010033
  mov cr0, eax
  lgdt [gdt_pointer]
  push 8
  push offset long_mode
  retf
.code64
long_mode:
  mov eax, 0x10
  mov ds, eax
  mov es, eax
  mov ss, eax
  xor eax, eax
  mov fs, eax
  mov gs, eax
  mov rsp, offset stack_top
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
  add rbx, 16
  dec rcx
  jnz 1b
  mov word ptr [idt + 8 * 16 + 4], 0x8E01
  mov word ptr [idt + 3 * 16 + 4], 0xEE00
  lidt [idt_pointer]
  mov rax, offset tss
  mov word ptr [gdt_tss + 2], ax
  shr rax, 16
  mov byte ptr [gdt_tss + 4], al
  mov ax, 0x28
  ltr ax
  mov ecx, 0xC0000081
  xor eax, eax
  mov edx, 0x00100008
  wrmsr
  mov ecx, 0xC0000082
  mov eax, offset system_call
  xor edx, edx
  wrmsr
  mov ecx, 0xC0000084
  mov eax, 0x47700
  xor edx, edx
  wrmsr
  jmp test

putc:
  push rdx
  mov dx, 0x3F8
  out dx, al
  pop rdx
  ret
newline:
  push rax
  mov al, 10
  call putc
  pop rax
  ret
# RAX as hexadecimal digits without leading zeros, then a space
puthex:
  push rax
  push rcx
  push rdx
  mov rdx, rax
  mov ecx, 60
1:
  mov rax, rdx
  shr rax, cl
  jnz 2f
  sub ecx, 4
  jnz 1b
2:
  mov rax, rdx
  shr rax, cl
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
  pop rdx
  pop rcx
  pop rax
  ret

# Each vector has 16 bytes: push 0 where the processor pushes no code, push the vector
.balign 16
entries:
${Array.from({ length: 64 }, (_, v) => `  ${[8, 10, 11, 12, 13, 14, 17].includes(v) ? '' : 'push 0\n'}  push ${v}\n  jmp ${v >= 32 ? 'interrupt' : 'exception'}\n  .balign 16`).join('\n')}
exception:
  mov rbx, rsp
  clac
  mov al, 35
  call putc
  mov rax, qword ptr [rbx]
  call puthex
  mov rax, qword ptr [rbx + 8]
  call puthex
  cmp dword ptr [rbx], 14
  jne 1f
  mov rax, cr2
  call puthex
1:
  # where it happened: relative to the test, or in the window as it is
  mov rax, qword ptr [rbx + 16]
  mov rdx, offset test
  cmp rax, rdx
  jb 2f
  cmp rax, 0x30000000
  ja 2f
  mov al, 64
  call putc
  jmp 3f
2:
  call puthex
3:
  mov rax, qword ptr [rbx + 24]
  call puthex
resume_test:
  call newline
  mov rsp, qword ptr [resume_rsp]
  mov rax, qword ptr [resume]
  push 2
  popfq
  jmp rax

interrupt:
  inc qword ptr [ticks]
  push rax
  mov eax, 0xFEE000B0
  mov dword ptr [rax], 0
  pop rax
  add rsp, 16
  iretq

system_call:
  mov rsp, offset stack_top
  mov rbx, r11
  mov rdx, rcx
${print('syscall ')}
  mov rax, rdx
  call puthex
  mov rax, rbx
  call puthex
  jmp resume_test

finish:
  mov eax, 0
finish_code:
  mov dx, 0xF4
  out dx, eax
  cli
  hlt
  jmp finish

.section .boot.data, "aw"
.balign 8
gdt:
  .quad 0
  .quad 0x00AF9B000000FFFF
  .quad 0x00CF93000000FFFF
  .quad 0x00CFF3000000FFFF
  .quad 0x00AFFB000000FFFF
gdt_tss:
  .quad 0x0000890000000067
  .quad 0
gdt_end:
gdt_pointer:
  .short gdt_end - gdt - 1
  .quad gdt
idt_pointer:
  .short 1023
  .quad idt
.balign 8
resume: .quad 0
resume_rsp: .quad 0
ticks: .quad 0
start_info: .quad 0
.balign 16
  .zero 4
tss:
  .zero 4
  .quad stack_top
  .zero 24
  .quad ist_top
  .zero 60
.balign 4096
pml4: .zero 4096
pdpt: .zero 4096
pd: .zero 4096
window_pd: .zero 4096
window_pt: .zero 4096
page_a: .zero 4096
page_b: .zero 4096
page_c: .zero 4096
idt: .zero 1024
  .zero 4096
stack_top:
  .zero 4096
ist_top:
`;

/** The image of a test. */
export function guestImage(test: string): Uint8Array {
  const object = assemble(`${prelude}\n.section .boot.text, "ax"\ntest:\n${test}\n  jmp finish\n`, { name: 'guest.s' });
  return link([object], { target: 'keel-kernel' }).stripped;
}

export interface Guest {
  readonly machine: Machine;
  readonly host: QuietHost;
}

let shared: Machine | undefined;

/** A machine with the test loaded. Machines of one file share compiled code. */
export async function boot(test: string, config: Partial<MachineConfig> = {}, host: QuietHost = new QuietHost()): Promise<Guest> {
  const machine = await Machine.create({ memoryBytes: 4 << 20, seed: 'test', harness: false, ...config }, host, shared);
  shared ??= machine;
  machine.load({ image: guestImage(test) });
  return { machine, host };
}

/** Runs a test to its end and gives what it printed. */
export async function run(test: string, config: Partial<MachineConfig> = {}): Promise<string> {
  const { machine, host } = await boot(test, config);
  const stop = machine.run(20_000_000n);
  if (stop.reason !== 'debug-exit') throw new Error(`ended with ${JSON.stringify(stop)} after ${machine.count}: ${host.text}`);
  return host.text;
}
