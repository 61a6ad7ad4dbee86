/**
 * One entry stub per exception vector (0–31), the timer's (32), the kick that idle takes from a masked 8259 (33) and the APIC's spurious vector
 * (255). A stub makes the stack equal for all: where the CPU pushes no error code it pushes 0, then the vector.
 * `trap_stub_table` holds their addresses for descriptors.ts, the spurious vector's last.
 */
import { assembly } from 'palindrome/intrinsics';

assembly(`
.section .text
trap_0:
    push 0
    push 0
    jmp trap_common
trap_1:
    push 0
    push 1
    jmp trap_common
trap_2:
    push 0
    push 2
    jmp trap_common
trap_3:
    push 0
    push 3
    jmp trap_common
trap_4:
    push 0
    push 4
    jmp trap_common
trap_5:
    push 0
    push 5
    jmp trap_common
trap_6:
    push 0
    push 6
    jmp trap_common
trap_7:
    push 0
    push 7
    jmp trap_common
trap_8:
    push 8
    jmp trap_common
trap_9:
    push 0
    push 9
    jmp trap_common
trap_10:
    push 10
    jmp trap_common
trap_11:
    push 11
    jmp trap_common
trap_12:
    push 12
    jmp trap_common
trap_13:
    push 13
    jmp trap_common
trap_14:
    push 14
    jmp trap_common
trap_15:
    push 0
    push 15
    jmp trap_common
trap_16:
    push 0
    push 16
    jmp trap_common
trap_17:
    push 17
    jmp trap_common
trap_18:
    push 0
    push 18
    jmp trap_common
trap_19:
    push 0
    push 19
    jmp trap_common
trap_20:
    push 0
    push 20
    jmp trap_common
trap_21:
    push 21
    jmp trap_common
trap_22:
    push 0
    push 22
    jmp trap_common
trap_23:
    push 0
    push 23
    jmp trap_common
trap_24:
    push 0
    push 24
    jmp trap_common
trap_25:
    push 0
    push 25
    jmp trap_common
trap_26:
    push 0
    push 26
    jmp trap_common
trap_27:
    push 0
    push 27
    jmp trap_common
trap_28:
    push 0
    push 28
    jmp trap_common
trap_29:
    push 29
    jmp trap_common
trap_30:
    push 30
    jmp trap_common
trap_31:
    push 0
    push 31
    jmp trap_common
trap_32:
    push 0
    push 32
    jmp trap_common
trap_33:
    push 0
    push 33
    jmp trap_common
trap_255:
    push 0
    push 255
    jmp trap_common

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
