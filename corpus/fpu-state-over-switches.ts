/**
 * All of SSE and MXCSR kept over yields, by two processes at once (CVE-2018-3665, INV-19).
 *
 */
import { addressOf, asm, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: a child fills what the parent holds
    if (syscall(57n) === 0n) {
      asm("movq xmm0, rdi\nmovq xmm1, rdi\nmovq xmm2, rdi\nmovq xmm3, rdi\nmovq xmm4, rdi\nmovq xmm5, rdi\nmovq xmm6, rdi\nmovq xmm7, rdi\nmovq xmm8, rdi\nmovq xmm9, rdi\nmovq xmm10, rdi\nmovq xmm11, rdi\nmovq xmm12, rdi\nmovq xmm13, rdi\nmovq xmm14, rdi\nmovq xmm15, rdi\nmov eax, 24\nsyscall\nmov eax, 24\nsyscall", { rdi: 0x4141414141414141n }, 'rax');
      syscall(231n, 0n);
    }
    asm("movq xmm0, rdi\nmovq xmm1, rdi\nmovq xmm2, rdi\nmovq xmm3, rdi\nmovq xmm4, rdi\nmovq xmm5, rdi\nmovq xmm6, rdi\nmovq xmm7, rdi\nmovq xmm8, rdi\nmovq xmm9, rdi\nmovq xmm10, rdi\nmovq xmm11, rdi\nmovq xmm12, rdi\nmovq xmm13, rdi\nmovq xmm14, rdi\nmovq xmm15, rdi\nmov eax, 24\nsyscall\nmov eax, 24\nsyscall\nmovq rax, xmm7", { rdi: 0x4242424242424242n }, 'rax');
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: MXCSR over a yield
    store64(base, 0x7fc0n);
    asm("ldmxcsr [rdi]\nmov eax, 24\nsyscall\nstmxcsr [rdi]", { rdi: base }, 'rax');
  }
}
attack();
syscall(231n, 0n);
