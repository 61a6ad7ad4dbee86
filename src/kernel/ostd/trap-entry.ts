/**
 * The ways into and out of CPL 0, in assembly. Every way in builds the same TrapFrame (trap-frame.ts) on the current task's kernel stack:
 *
 *     r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi | vector error | rip cs rflags rsp ss
 *     0                                                    112  | 120    128   | 136 144 152    160 168   (176 bytes)
 *
 * `cpu_local` (GS base at CPL 0): [0] top of the current task's kernel stack, [8] the user's RSP while a system call enters.
 * The .cfi directives say where the frame and the registers in it are, instruction by instruction: debuggers go from a handler to what it interrupted. The
 * canonical frame address is the TrapFrame's end. Behind `mov rsp` of a system call the user's RSP is where no debugger looks for it, for an instruction.
 * Kernel code runs with IF=0; only the idle loop lets interrupts in. On the way in AC and DF are cleared: by SFMASK for SYSCALL, by hand here.
 */
import { assembly } from 'palindrome/intrinsics';

assembly(`
.section .text
.global syscall_entry
.global syscall_entry_end
syscall_entry:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 0; .cfi_register rip, rcx
    swapgs
    mov qword ptr gs:[8], rsp
    mov rsp, qword ptr gs:[0]; .cfi_undefined rsp
syscall_entry_end:
    push 0x2b; .cfi_adjust_cfa_offset 8
    push qword ptr gs:[8]; .cfi_adjust_cfa_offset 8; .cfi_offset rsp, -16
    push r11; .cfi_adjust_cfa_offset 8
    push 0x33; .cfi_adjust_cfa_offset 8
    push rcx; .cfi_adjust_cfa_offset 8
    push 0; .cfi_adjust_cfa_offset 8
    push 256; .cfi_adjust_cfa_offset 8
    push rdi; .cfi_adjust_cfa_offset 8
    push rsi; .cfi_adjust_cfa_offset 8
    push rdx; .cfi_adjust_cfa_offset 8
    push rcx; .cfi_adjust_cfa_offset 8
    push rax; .cfi_adjust_cfa_offset 8
    push r8; .cfi_adjust_cfa_offset 8
    push r9; .cfi_adjust_cfa_offset 8
    push r10; .cfi_adjust_cfa_offset 8
    push r11; .cfi_adjust_cfa_offset 8
    push rbx; .cfi_adjust_cfa_offset 8
    push rbp; .cfi_adjust_cfa_offset 8
    push r12; .cfi_adjust_cfa_offset 8
    push r13; .cfi_adjust_cfa_offset 8
    push r14; .cfi_adjust_cfa_offset 8
    push r15; .cfi_adjust_cfa_offset 8
    .cfi_offset rip, -40; .cfi_offset rdi, -64; .cfi_offset rsi, -72; .cfi_offset rdx, -80; .cfi_offset rcx, -88; .cfi_offset rax, -96; .cfi_offset r8, -104; .cfi_offset r9, -112; .cfi_offset r10, -120
    .cfi_offset r11, -128; .cfi_offset rbx, -136; .cfi_offset rbp, -144; .cfi_offset r12, -152; .cfi_offset r13, -160; .cfi_offset r14, -168; .cfi_offset r15, -176
    xor ebp, ebp
    mov rdi, rsp
    call keel_syscall
    test al, al
    je trap_exit
    pop r15; .cfi_adjust_cfa_offset -8
    pop r14; .cfi_adjust_cfa_offset -8
    pop r13; .cfi_adjust_cfa_offset -8
    pop r12; .cfi_adjust_cfa_offset -8
    pop rbp; .cfi_adjust_cfa_offset -8
    pop rbx; .cfi_adjust_cfa_offset -8
    pop r11; .cfi_adjust_cfa_offset -8
    pop r10; .cfi_adjust_cfa_offset -8
    pop r9; .cfi_adjust_cfa_offset -8
    pop r8; .cfi_adjust_cfa_offset -8
    pop rax; .cfi_adjust_cfa_offset -8
    pop rcx; .cfi_adjust_cfa_offset -8
    pop rdx; .cfi_adjust_cfa_offset -8
    pop rsi; .cfi_adjust_cfa_offset -8
    pop rdi; .cfi_adjust_cfa_offset -8
    mov rcx, qword ptr [rsp + 16]
    mov r11, qword ptr [rsp + 32]
.global syscall_exit
syscall_exit:
    mov rsp, qword ptr [rsp + 40]
    .cfi_def_cfa rsp, 0; .cfi_register rip, rcx
    .cfi_restore rsp; .cfi_restore rdi; .cfi_restore rsi; .cfi_restore rdx; .cfi_restore rcx; .cfi_restore rax; .cfi_restore r8; .cfi_restore r9
    .cfi_restore r10; .cfi_restore r11; .cfi_restore rbx; .cfi_restore rbp; .cfi_restore r12; .cfi_restore r13; .cfi_restore r14; .cfi_restore r15
    swapgs
    sysretq
.global syscall_exit_end
syscall_exit_end:
    .cfi_endproc

.global trap_common
trap_common:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 56; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push rdi; .cfi_adjust_cfa_offset 8
    push rsi; .cfi_adjust_cfa_offset 8
    push rdx; .cfi_adjust_cfa_offset 8
    push rcx; .cfi_adjust_cfa_offset 8
    push rax; .cfi_adjust_cfa_offset 8
    push r8; .cfi_adjust_cfa_offset 8
    push r9; .cfi_adjust_cfa_offset 8
    push r10; .cfi_adjust_cfa_offset 8
    push r11; .cfi_adjust_cfa_offset 8
    push rbx; .cfi_adjust_cfa_offset 8
    push rbp; .cfi_adjust_cfa_offset 8
    push r12; .cfi_adjust_cfa_offset 8
    push r13; .cfi_adjust_cfa_offset 8
    push r14; .cfi_adjust_cfa_offset 8
    push r15; .cfi_adjust_cfa_offset 8
    .cfi_offset rdi, -64; .cfi_offset rsi, -72; .cfi_offset rdx, -80; .cfi_offset rcx, -88; .cfi_offset rax, -96; .cfi_offset r8, -104; .cfi_offset r9, -112; .cfi_offset r10, -120
    .cfi_offset r11, -128; .cfi_offset rbx, -136; .cfi_offset rbp, -144; .cfi_offset r12, -152; .cfi_offset r13, -160; .cfi_offset r14, -168; .cfi_offset r15, -176
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
    pop r15; .cfi_adjust_cfa_offset -8
    pop r14; .cfi_adjust_cfa_offset -8
    pop r13; .cfi_adjust_cfa_offset -8
    pop r12; .cfi_adjust_cfa_offset -8
    pop rbp; .cfi_adjust_cfa_offset -8
    pop rbx; .cfi_adjust_cfa_offset -8
    pop r11; .cfi_adjust_cfa_offset -8
    pop r10; .cfi_adjust_cfa_offset -8
    pop r9; .cfi_adjust_cfa_offset -8
    pop r8; .cfi_adjust_cfa_offset -8
    pop rax; .cfi_adjust_cfa_offset -8
    pop rcx; .cfi_adjust_cfa_offset -8
    pop rdx; .cfi_adjust_cfa_offset -8
    pop rsi; .cfi_adjust_cfa_offset -8
    pop rdi; .cfi_adjust_cfa_offset -8
    add rsp, 16; .cfi_adjust_cfa_offset -16
.global trap_iret
trap_iret:
    iretq
    .cfi_endproc

.global first_return
first_return:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 176; .cfi_offset rip, -40; .cfi_offset rsp, -16
    .cfi_offset rdi, -64; .cfi_offset rsi, -72; .cfi_offset rdx, -80; .cfi_offset rcx, -88; .cfi_offset rax, -96; .cfi_offset r8, -104; .cfi_offset r9, -112; .cfi_offset r10, -120
    .cfi_offset r11, -128; .cfi_offset rbx, -136; .cfi_offset rbp, -144; .cfi_offset r12, -152; .cfi_offset r13, -160; .cfi_offset r14, -168; .cfi_offset r15, -176
    xor ebp, ebp
    mov rdi, rsp
    call keel_first_return
    jmp trap_exit
    .cfi_endproc

.global switch_context
switch_context:
    .cfi_startproc
    push rbp; .cfi_adjust_cfa_offset 8; .cfi_offset rbp, -16
    push rbx; .cfi_adjust_cfa_offset 8; .cfi_offset rbx, -24
    push r12; .cfi_adjust_cfa_offset 8; .cfi_offset r12, -32
    push r13; .cfi_adjust_cfa_offset 8; .cfi_offset r13, -40
    push r14; .cfi_adjust_cfa_offset 8; .cfi_offset r14, -48
    push r15; .cfi_adjust_cfa_offset 8; .cfi_offset r15, -56
    mov qword ptr [rdi], rsp
    mov rsp, rsi
    pop r15; .cfi_adjust_cfa_offset -8; .cfi_restore r15
    pop r14; .cfi_adjust_cfa_offset -8; .cfi_restore r14
    pop r13; .cfi_adjust_cfa_offset -8; .cfi_restore r13
    pop r12; .cfi_adjust_cfa_offset -8; .cfi_restore r12
    pop rbx; .cfi_adjust_cfa_offset -8; .cfi_restore rbx
    pop rbp; .cfi_adjust_cfa_offset -8; .cfi_restore rbp
    ret
    .cfi_endproc

.global run_on_stack
run_on_stack:
    .cfi_startproc; .cfi_undefined rip
    mov rsp, rdi
    xor ebp, ebp
    call rsi
    ud2
    .cfi_endproc

.global load_user_segments
load_user_segments:
    .cfi_startproc
    mov ds, di
    mov es, si
    mov fs, dx
    swapgs
    mov gs, cx
    swapgs
    ret
    .cfi_endproc

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
