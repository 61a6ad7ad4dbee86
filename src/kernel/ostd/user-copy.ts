/**
 * The only code that touches user memory (SDM Vol. 3, 4.6.1: explicit supervisor accesses with AC = 1), between `__user_copy_start` and
 * `__user_copy_end`, one routine a direction. A page fault in there that the address space cannot resolve continues at the routine's
 * `…_fault` label (trap.ts chooses by range), which returns what was left to do: REP leaves RSI where the fault was. Where SMAP is absent
 * STAC and CLAC do not exist and are left out. Words first, then the tail of count mod 8 bytes: a copy costs count / 8 steps.
 */
import { assembly } from 'palindrome/intrinsics';

assembly(`
.section .text
.global __user_copy_start
.global __copy_from_user_start
__user_copy_start:
__copy_from_user_start:

# copy_from_user(to, from, count) -> bytes not copied
.global copy_from_user
copy_from_user:
    lea r9, [rsi + rdx]
    mov rcx, rdx
    shr rcx, 3
    test byte ptr [rip + smap_enabled], 1
    je copy_from_words
    stac
copy_from_words:
    rep movsq
    mov rcx, rdx
    and rcx, 7
    rep movsb
    jmp user_copy_left
.global copy_string_from_user
# copy_string_from_user(to, from, limit) -> bytes copied with the NUL; limit + 1 where there was no NUL; -1 after a fault
copy_string_from_user:
    xor r9d, r9d
    test byte ptr [rip + smap_enabled], 1
    je copy_string_next
    stac
copy_string_next:
    cmp r9, rdx
    je copy_string_long
    mov al, byte ptr [rsi + r9]
    mov byte ptr [rdi + r9], al
    inc r9
    test al, al
    jne copy_string_next
    jmp copy_string_end
copy_string_long:
    inc r9
copy_string_end:
    mov rax, r9
    jmp user_copy_clear
.global __copy_from_user_end
__copy_from_user_end:

.global __copy_to_user_start
__copy_to_user_start:
# copy_to_user(to, from, count) -> bytes not copied
.global copy_to_user
copy_to_user:
    lea r9, [rsi + rdx]
    mov rcx, rdx
    shr rcx, 3
    test byte ptr [rip + smap_enabled], 1
    je copy_to_words
    stac
copy_to_words:
    rep movsq
    mov rcx, rdx
    and rcx, 7
    rep movsb
    jmp user_copy_left
.global __copy_to_user_end
__copy_to_user_end:

.global copy_string_fault
copy_string_fault:
    mov rax, -1
    jmp user_copy_clear
.global user_copy_fault
user_copy_fault:
user_copy_left:
    mov rax, r9
    sub rax, rsi
user_copy_clear:
    test byte ptr [rip + smap_enabled], 1
    je user_copy_return
    clac
user_copy_return:
    ret
.global __user_copy_end
__user_copy_end:
`);
