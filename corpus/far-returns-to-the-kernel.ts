/**
 * IRET and RETF with selectors of ring 0: the processor refuses, the kernel must survive the fault.
 *
 * @reaches exception 13 32 at CPL 3
 * @reaches exception 13 8 at CPL 3
 */
import { addressOf, asm, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: iretq to CS 8n
    if (syscall(57n) === 0n) {
      store64(base + 4096n, 0x1000n);
      store64(base + 4104n, 8n);
      store64(base + 4112n, 0x202n);
      store64(base + 4120n, base + 8192n);
      store64(base + 4128n, 0x10n);
      asm("mov rsp, rdi\niretq", { rdi: base + 4096n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: iretq to CS 0x33n
    if (syscall(57n) === 0n) {
      store64(base + 4096n, 0x1000n);
      store64(base + 4104n, 0x33n);
      store64(base + 4112n, 0x3202n);
      store64(base + 4120n, base + 8192n);
      store64(base + 4128n, 0x2bn);
      asm("mov rsp, rdi\niretq", { rdi: base + 4096n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: retfq to CS 8n
    if (syscall(57n) === 0n) {
      store64(base + 4096n, 0x1000n);
      store64(base + 4104n, 8n);
      store64(base + 4112n, 0x202n);
      store64(base + 4120n, base + 8192n);
      store64(base + 4128n, 0x10n);
      asm("mov rsp, rdi\nretfq", { rdi: base + 4096n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: iretq to CS 0x23n
    if (syscall(57n) === 0n) {
      store64(base + 4096n, 0x1000n);
      store64(base + 4104n, 0x23n);
      store64(base + 4112n, 0x4202n);
      store64(base + 4120n, base + 8192n);
      store64(base + 4128n, 0x2bn);
      asm("mov rsp, rdi\niretq", { rdi: base + 4096n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
