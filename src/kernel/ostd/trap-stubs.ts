/**
 * One entry stub per exception vector (0–31), the timer's (32), the kick that idle takes from a masked 8259 (33) and the APIC's spurious vector
 * (255). A stub makes the stack equal for all: where the CPU pushes no error code it pushes 0, then the vector.
 * The .cfi directives let debuggers see past a stub: the frame that the CPU has pushed ends at the canonical frame address.
 * `trap_stub_table` holds their addresses for descriptors.ts, the spurious vector's last.
 */
import { assembly } from 'palindrome/intrinsics';

assembly(`
.section .text
trap_0:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 0; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_1:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 1; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_2:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 2; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_3:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 3; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_4:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 4; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_5:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 5; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_6:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 6; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_7:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 7; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_8:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 8; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_9:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 9; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_10:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 10; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_11:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 11; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_12:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 12; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_13:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 13; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_14:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 14; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_15:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 15; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_16:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 16; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_17:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 17; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_18:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 18; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_19:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 19; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_20:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 20; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_21:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 21; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_22:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 22; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_23:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 23; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_24:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 24; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_25:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 25; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_26:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 26; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_27:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 27; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_28:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 28; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_29:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 29; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_30:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 48; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 30; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_31:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 31; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_32:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 32; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_33:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 33; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc
trap_255:
    .cfi_startproc; .cfi_signal_frame; .cfi_def_cfa rsp, 40; .cfi_offset rip, -40; .cfi_offset rsp, -16
    push 0; .cfi_adjust_cfa_offset 8
    push 255; .cfi_adjust_cfa_offset 8
    jmp trap_common
    .cfi_endproc

.section .rodata
.align 8
.global trap_stub_table
trap_stub_table:
    .quad trap_0
    .quad trap_1
    .quad trap_2
    .quad trap_3
    .quad trap_4
    .quad trap_5
    .quad trap_6
    .quad trap_7
    .quad trap_8
    .quad trap_9
    .quad trap_10
    .quad trap_11
    .quad trap_12
    .quad trap_13
    .quad trap_14
    .quad trap_15
    .quad trap_16
    .quad trap_17
    .quad trap_18
    .quad trap_19
    .quad trap_20
    .quad trap_21
    .quad trap_22
    .quad trap_23
    .quad trap_24
    .quad trap_25
    .quad trap_26
    .quad trap_27
    .quad trap_28
    .quad trap_29
    .quad trap_30
    .quad trap_31
    .quad trap_32
    .quad trap_33
    .quad trap_255
`);
