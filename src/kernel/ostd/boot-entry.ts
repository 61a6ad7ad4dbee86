/**
 * From the loader to long mode. PVH enters `pvh_start`, multiboot2 (GRUB) `multiboot_start`, which its header names: both in 32-bit protected mode, paging
 * off, EBX = physical address of the start information. ESI keeps which of them it was: 0, or what multiboot2 leaves in EAX. (A header of the first
 * multiboot would keep QEMU from booting this image: it looks for that first, and refuses 64-bit images that have it.) Early page tables map the first GiB three times with 2 MiB pages: at 0 (to survive switching paging on), at the direct map,
 * and at the kernel's own 2 GiB. They are replaced by kernel-space.ts, which enforces W^X; nothing of `.boot*` is used or mapped after that.
 */
import { assembly } from 'palindrome/intrinsics';

assembly(`
.section .boot.text
.code32
.global pvh_start
pvh_start:
    .cfi_startproc; .cfi_undefined rip
    xor esi, esi
    jmp boot_start
.global multiboot_start
multiboot_start:
    mov esi, eax
boot_start:
    cld
    mov esp, offset boot_low_stack_end
    mov eax, offset early_pdpt
    or eax, 3
    mov dword ptr [early_pml4], eax
    mov dword ptr [early_pml4 + 2048], eax
    mov eax, offset early_pdpt_high
    or eax, 3
    mov dword ptr [early_pml4 + 4088], eax
    mov eax, offset early_pd
    or eax, 3
    mov dword ptr [early_pdpt], eax
    mov dword ptr [early_pdpt_high + 4080], eax
    mov edi, offset early_pd
    mov eax, 0x83
    mov ecx, 512
pvh_fill:
    mov dword ptr [edi], eax
    add edi, 8
    add eax, 0x200000
    dec ecx
    jne pvh_fill
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov eax, offset early_pml4
    mov cr3, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 0x901
    wrmsr
    mov eax, cr0
    and eax, 0xFFFFFFF3
    or eax, 0x80000023
    mov cr0, eax
    lgdt [early_gdt_pointer]
    mov eax, offset pvh_long
    pushfd
    push 16
    push eax
    iretd
.code64
pvh_long:
    mov eax, 24
    mov ds, ax
    mov es, ax
    mov ss, ax
    xor eax, eax
    mov fs, ax
    mov gs, ax
    mov rsp, offset boot_stack_end
    xor ebp, ebp
    mov edi, ebx
    mov rax, offset keel_start
    call rax
    ud2
    .cfi_endproc

.section .boot.rodata
.align 8
multiboot_header:
    .long 0xE85250D6
    .long 0
    .long 40
    .long 0x17ADAF02
    .word 3
    .word 0
    .long 12
    .long multiboot_start
    .long 0
    .word 0
    .word 0
    .long 8
early_gdt:
    .quad 0
    .quad 0
    .quad 0x00AF9B000000FFFF
    .quad 0x00CF93000000FFFF
early_gdt_pointer:
    .word 31
    .long early_gdt

.section .boot.bss
.align 4096
early_pml4:
    .zero 4096
early_pdpt:
    .zero 4096
early_pdpt_high:
    .zero 4096
early_pd:
    .zero 4096
    .zero 256
boot_low_stack_end:

.section .bss
.align 16
boot_stack:
    .zero 16384
boot_stack_end:
`);
