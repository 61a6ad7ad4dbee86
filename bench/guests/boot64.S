/*
 * From the loader into long mode. PVH (our machine, QEMU) and multiboot2 (GRUB, for Bochs) both enter `start` in 32-bit protected mode with flat
 * segments and no paging. The first GiB is mapped onto itself by global pages of 2 MiB that ring 3 may use too, and the local APIC by one that it
 * may not.
 */
.section .headers, "a"
.align 8
multiboot2:
    .long 0xe85250d6, 0, multiboot2_end - multiboot2, -(0xe85250d6 + 0 + (multiboot2_end - multiboot2))
    .short 0, 0
    .long 8
multiboot2_end:

.section .note.Xen, "a", @note
    .long 4, 4, 18          /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long start

.set KERNEL_CODE, 0x08
.set KERNEL_DATA, 0x10
.set USER_CODE, 0x28 | 3
.set USER_DATA, 0x20 | 3
.set PAGE_GLOBAL_LARGE_USER, 0x187
.set PAGE_GLOBAL_LARGE_DEVICE, 0x193

.text
.code32
.global start
start:
    cli
    cld
    movl $boot_pdpt + 7, boot_pml4
    movl $boot_pd + 7, boot_pdpt
    movl $device_pd + 7, boot_pdpt + 3 * 8
    movl $0xfee00000 + PAGE_GLOBAL_LARGE_DEVICE, device_pd + 503 * 8
    mov $PAGE_GLOBAL_LARGE_USER, %eax
    xor %ecx, %ecx
1:  mov %eax, boot_pd(, %ecx, 8)
    add $0x200000, %eax
    inc %ecx
    cmp $512, %ecx
    jne 1b
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov $0x6a0, %eax        /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $0xc0000080, %ecx   /* IA32_EFER: SCE, LME, NXE */
    mov $0x901, %eax
    xor %edx, %edx
    wrmsr
    mov $0x80010033, %eax   /* PG, WP, NE, ET, MP, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $KERNEL_CODE, $1f
.code64
1:  mov $KERNEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    mov $kernel_stack_end, %rsp
    xor %ebp, %ebp
    call main

/* An entry each vector, 16 bytes apart: the error code (zero where the processor pushes none), the vector, and on to what is common. */
.align 16
.global interrupt_entries
interrupt_entries:
.set vector, 0
.rept 33
    .align 16
    .if vector != 8 && (vector < 10 || vector > 14) && vector != 17
    push $0
    .endif
    push $vector
    jmp interrupt
    .set vector, vector + 1
.endr

interrupt:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    mov 72(%rsp), %rsi
    mov 80(%rsp), %rdi
    mov handlers(, %rsi, 8), %rax
    test %rax, %rax
    jz broken
    call *%rax
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    add $16, %rsp
    iretq

/* SYSCALL with the number in RAX and the argument in RDI. */
.global system_entry
system_entry:
    mov %rsp, user_stack_pointer
    mov $trap_stack_end, %rsp
    push user_stack_pointer
    push %rcx
    push %r11
    cmp $4, %rax
    jae broken
    call *system_calls(, %rax, 8)
    pop %r11
    pop %rcx
    pop %rsp
    sysretq

.global call_system
call_system:
    mov %rdi, %rax
    mov %rsi, %rdi
    syscall
    ret

.global enter_user
enter_user:
    push %rbx
    push %rbp
    push %r12
    push %r13
    push %r14
    push %r15
    mov %rsp, kernel_stack_pointer
    pushq $USER_DATA
    pushq $user_stack_end - 8
    pushq $2
    pushq $USER_CODE
    push %rdi
    iretq

/* The system call SYS_EXIT: back to where enter_user was called, with the argument as its result. */
.global leave_user
leave_user:
    mov kernel_stack_pointer, %rsp
    mov %rdi, %rax
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %rbp
    pop %rbx
    ret

.data
.align 8
.global gdt
gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0                 /* 32-bit code of ring 3, which SYSRET wants here: unused */
    .quad 0x00cff3000000ffff
    .quad 0x00affb000000ffff
    .quad 0, 0              /* the TSS: main.c fills it in */
gdt_pointer:
    .short . - gdt - 1
    .long gdt

.bss
.align 4096
.global boot_pml4, boot_pdpt
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd:   .skip 4096
device_pd: .skip 4096
kernel_stack: .skip 65536
kernel_stack_end:
trap_stack: .skip 16384
.global trap_stack_end
trap_stack_end:
user_stack: .skip 65536
user_stack_end:
kernel_stack_pointer: .skip 8
user_stack_pointer: .skip 8
