/**
 * The ways into and out of CPL 0, in assembly. Every way in builds the same TrapFrame (trap-frame.ts) on the current task's kernel stack:
 *
 *     r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi | vector error | rip cs rflags rsp ss
 *     0                                                    112  | 120    128   | 136 144 152    160 168   (176 bytes)
 *
 * `cpu_local` (GS base at CPL 0): [0] top of the current task's kernel stack, [8] the user's RSP while a system call enters.
 * Kernel code runs with IF=0; only the idle loop lets interrupts in. On the way in AC and DF are cleared: by SFMASK for SYSCALL, by hand here.
 */
import { assembly } from 'palindrome/intrinsics';

assembly(`
.section .text
.global syscall_entry
.global syscall_entry_end
syscall_entry:
    swapgs
    mov qword ptr gs:[8], rsp
    mov rsp, qword ptr gs:[0]
syscall_entry_end:
    push 0x2b
    push qword ptr gs:[8]
    push r11
    push 0x33
    push rcx
    push 0
    push 256
    push rdi
    push rsi
    push rdx
    push rcx
    push rax
    push r8
    push r9
    push r10
    push r11
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    xor ebp, ebp
    mov rdi, rsp
    call keel_syscall
    test al, al
    je trap_exit
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    pop r11
    pop r10
    pop r9
    pop r8
    pop rax
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    mov rcx, qword ptr [rsp + 16]
    mov r11, qword ptr [rsp + 32]
.global syscall_exit
syscall_exit:
    mov rsp, qword ptr [rsp + 40]
    swapgs
    sysretq
.global syscall_exit_end
syscall_exit_end:

.global trap_common
trap_common:
    push rdi
    push rsi
    push rdx
    push rcx
    push rax
    push r8
    push r9
    push r10
    push r11
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    cld
    test byte ptr [rsp + 144], 3
    je trap_from_kernel
    swapgs
    xor ebp, ebp
trap_from_kernel:
    test byte ptr [rip + smap_enabled], 1
    je trap_call
    clac
trap_call:
    mov rdi, rsp
    call keel_trap
.global trap_exit
trap_exit:
    test byte ptr [rsp + 144], 3
    je trap_restore
    swapgs
trap_restore:
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    pop r11
    pop r10
    pop r9
    pop r8
    pop rax
    pop rcx
    pop rdx
    pop rsi
    pop rdi
    add rsp, 16
.global trap_iret
trap_iret:
    iretq

.global first_return
first_return:
    xor ebp, ebp
    mov rdi, rsp
    call keel_first_return
    jmp trap_exit

.global switch_context
switch_context:
    push rbp
    push rbx
    push r12
    push r13
    push r14
    push r15
    mov qword ptr [rdi], rsp
    mov rsp, rsi
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbx
    pop rbp
    ret

.global run_on_stack
run_on_stack:
    mov rsp, rdi
    xor ebp, ebp
    call rsi
    ud2

.global load_user_segments
load_user_segments:
    mov ds, di
    mov es, si
    mov fs, dx
    swapgs
    mov gs, cx
    swapgs
    ret

.section .data
.global smap_enabled
smap_enabled:
    .quad 0

.section .bss
.align 64
.global cpu_local
cpu_local:
    .zero 64
`);
