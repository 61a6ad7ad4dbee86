/**
 * A guest on bare metal for what keel never does: it changes its own code, and its page tables without telling the TLB. The planted bug: it maps `window`
 * to another frame and forgets INVLPG, so that it goes on to read the old one, finds the wrong number there, and ends with code 1.
 */
import { assemble } from '../../../src/compiler/assembler/index.ts';
import { link } from '../../../src/compiler/image/link.ts';
import type { NamedFile } from '../../../src/replay/index.ts';

export const ODD_SOURCE = `
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
  or eax, 0x100
  wrmsr
  mov eax, cr0
  or eax, 0x80000001
  mov cr0, eax
  lgdt [gdt_pointer]
  push 8
  push offset long_mode
  retf
.code64
.global long_mode
long_mode:
  mov rsp, offset stack_top
  call prepare
  call change_code
  call use_window
  call move_window
  call use_window
  cmp rax, 2
  jne wrong
  mov eax, 0
  jmp leave
.global wrong
wrong:
  mov eax, 1
.global leave
leave:
  mov edx, 0xF4
  out dx, eax
  hlt

# the frames that are mapped at the window: 1 in the first, 2 in the second
.global prepare
prepare:
  mov rax, offset frame_one
  mov qword ptr [rax], 1
  mov rax, offset frame_two
  mov qword ptr [rax], 2
  ret

# the immediate of the instruction at 'patched' counts up
.global change_code
change_code:
  mov rcx, 3
  mov rdi, offset patched
.global again
again:
  inc dword ptr [rdi + 1]
.global patched
patched:
  mov eax, 40
  mov dword ptr [result], eax
  dec rcx
  jnz again
  ret

.global use_window
use_window:
  mov rax, 0x200000
  mov rax, qword ptr [rax]
  ret

.global move_window
move_window:
  mov rax, offset frame_two
  or rax, 3
  mov qword ptr [window_table], rax
  ret

.section .boot.data, "awx"
.balign 4096
pml4: .quad pdpt + 3
  .zero 4088
pdpt: .quad directory + 3
  .zero 4088
directory: .quad 0x83, window_table + 3
  .zero 4080
.global window_table
window_table: .quad frame_one + 3
  .zero 4088
.global frame_one
frame_one: .zero 4096
.global frame_two
frame_two: .zero 4096
gdt: .quad 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF
gdt_pointer: .short 23
  .quad gdt
.global result
result: .quad 0
.balign 16
  .zero 1024
stack_top:
`;

/** As a bootable image. */
export function oddGuest(): NamedFile {
  return bootable('odd', ODD_SOURCE);
}

/** A guest that does nothing, for ever. */
export function spinGuest(): NamedFile {
  return bootable('spin', '.section .boot.text, "ax"\n.code32\n.global pvh_start\npvh_start:\n  jmp pvh_start\n');
}

function bootable(name: string, source: string): NamedFile {
  const object = assemble(source, { name: `${name}.s` });
  return { name: `${name}.elf`, bytes: link([object], { target: 'keel-kernel' }).bytes };
}
