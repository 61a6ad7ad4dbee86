/**
 * A fault with a handler set and RSP in the kernel, at 0, at the end of the user half.
 *
 * @reaches call 13: zero
 */
import { addressOf, asm, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  { // 1: RSP 0xffffffff80100000n
    if (syscall(57n) === 0n) {
      store64(base, 0x1000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x1000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      asm("mov rsp, rdi\nmov rax, qword ptr [0]", { rdi: 0xffffffff80100000n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: RSP 0n
    if (syscall(57n) === 0n) {
      store64(base, 0x1000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x1000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      asm("mov rsp, rdi\nmov rax, qword ptr [0]", { rdi: 0n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: RSP 0x7ffffffff000n
    if (syscall(57n) === 0n) {
      store64(base, 0x1000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x1000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      asm("mov rsp, rdi\nmov rax, qword ptr [0]", { rdi: 0x7ffffffff000n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: RSP 0x10010n
    if (syscall(57n) === 0n) {
      store64(base, 0x1000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x1000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      asm("mov rsp, rdi\nmov rax, qword ptr [0]", { rdi: 0x10010n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 5: RSP 0x800000000000n
    if (syscall(57n) === 0n) {
      store64(base, 0x1000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x1000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      asm("mov rsp, rdi\nmov rax, qword ptr [0]", { rdi: 0x800000000000n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
