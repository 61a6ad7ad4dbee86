/**
 * A fault, a call and a signal with RSP where user mode has no memory: the kernel must use its own stack.
 *
 */
import { asm, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: RSP 0xffffffff80200000n
    if (syscall(57n) === 0n) {
      asm("mov rsp, rdi\nmov eax, 24\nsyscall\npush rax", { rdi: 0xffffffff80200000n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: RSP 0xffffc00000008000n
    if (syscall(57n) === 0n) {
      asm("mov rsp, rdi\nmov eax, 24\nsyscall\npush rax", { rdi: 0xffffc00000008000n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: RSP 0n
    if (syscall(57n) === 0n) {
      asm("mov rsp, rdi\nmov eax, 24\nsyscall\npush rax", { rdi: 0n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: RSP 0x800000000000n
    if (syscall(57n) === 0n) {
      asm("mov rsp, rdi\nmov eax, 24\nsyscall\npush rax", { rdi: 0x800000000000n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
