/*
 * The 32-bit build's start, for v86: multiboot enters `start` in protected mode with flat segments and no paging. The first GiB is mapped onto
 * itself by global pages of 4 MiB that ring 3 may use too, and the local APIC by one that it may not. What boot64.S does, with SYSENTER.
 */
.section .headers, "a"
.align 4
    .long 0x1badb002, 0, -0x1badb002

.set KERNEL_CODE, 0x08
.set KERNEL_DATA, 0x10
.set USER_CODE, 0x18 | 3
.set USER_DATA, 0x20 | 3
.set PAGE_GLOBAL_LARGE_USER, 0x187
.set PAGE_GLOBAL_LARGE_DEVICE, 0x193

.text
.code32
.global start
start:
    cli
    cld
    movl $0xfec00000 + PAGE_GLOBAL_LARGE_DEVICE, boot_pd + 1019 * 4
    mov $PAGE_GLOBAL_LARGE_USER, %eax
    xor %ecx, %ecx
1:  mov %eax, boot_pd(, %ecx, 4)
    add $0x400000, %eax
    inc %ecx
    cmp $256, %ecx
    jne 1b
    mov $boot_pd, %eax
    mov %eax, %cr3
    mov $0x690, %eax        /* PSE, PGE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $0x80010033, %eax   /* PG, WP, NE, ET, MP, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $KERNEL_CODE, $1f
1:  mov $KERNEL_DATA, %eax
    mov %eax, %ss
    mov $USER_DATA, %eax    /* which ring 3 keeps: IRET would empty registers with a segment of ring 0 */
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov $kernel_stack_end, %esp
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
    push %eax
    push %ecx
    push %edx
    cld
    mov 12(%esp), %edx
    mov 16(%esp), %ecx
    mov handlers(, %edx, 4), %eax
    push %edx
    push %ecx
    test %eax, %eax
    jz 1f
    call *%eax
    add $8, %esp
    pop %edx
    pop %ecx
    pop %eax
    add $8, %esp
    iret
1:  call broken

/* SYSENTER with the number in EAX, the argument in EBX, the way back in EDX and the stack in ECX. */
.global system_entry
system_entry:
    push %ecx
    push %edx
    push %eax
    push %ebx
    cmp $4, %eax
    jae 1b
    call *system_calls(, %eax, 4)
    add $8, %esp
    pop %edx
    pop %ecx
    sysexit

.global call_system
call_system:
    push %ebx
    mov 8(%esp), %eax
    mov 12(%esp), %ebx
    mov $1f, %edx
    mov %esp, %ecx
    sysenter
1:  pop %ebx
    ret

.global enter_user
enter_user:
    mov 4(%esp), %eax
    push %ebx
    push %ebp
    push %esi
    push %edi
    mov %esp, kernel_stack_pointer
    pushl $USER_DATA
    pushl $user_stack_end - 4
    pushl $2
    pushl $USER_CODE
    push %eax
    iret

/* The system call SYS_EXIT: back to where enter_user was called, with the argument as its result. */
.global leave_user
leave_user:
    mov 4(%esp), %eax
    mov kernel_stack_pointer, %esp
    pop %edi
    pop %esi
    pop %ebp
    pop %ebx
    ret

.data
.align 8
.global gdt
gdt:
    .quad 0
    .quad 0x00cf9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00cffb000000ffff
    .quad 0x00cff3000000ffff
    .quad 0, 0              /* the TSS: main.c fills it in */
gdt_pointer:
    .short . - gdt - 1
    .long gdt

.bss
.align 4096
.global boot_pd
boot_pd: .skip 4096
kernel_stack: .skip 65536
kernel_stack_end:
trap_stack: .skip 16384
.global trap_stack_end
trap_stack_end:
user_stack: .skip 65536
user_stack_end:
kernel_stack_pointer: .skip 4
