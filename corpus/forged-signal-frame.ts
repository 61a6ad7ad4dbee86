/**
 * rt_sigreturn on frames that the kernel never made: an RIP of its own, IOPL, NT and selectors of ring 0 (INV-15).
 *
 * @reaches call 15: zero
 */
import { addressOf, asm, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: RIP 0xffffffff80100000n, RFLAGS 0x3202n
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0xffffffff80100000n);
      store64(base + 4280n, 0x3202n);
      store64(base + 4328n, 0n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: RIP 0x1000n, RFLAGS 0x4202n
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x1000n);
      store64(base + 4280n, 0x4202n);
      store64(base + 4328n, 0n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: RIP 0x800000000000n, RFLAGS 0x202n
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x800000000000n);
      store64(base + 4280n, 0x202n);
      store64(base + 4328n, 0n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: RIP 0x1000n, RFLAGS 0xffffffffffffffffn
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x1000n);
      store64(base + 4280n, 0xffffffffffffffffn);
      store64(base + 4328n, 0n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
