/**
 * Handlers and restorers in the kernel, at 0, and at non-canonical addresses.
 *
 * @reaches call 13: zero
 * @reaches exception 14 3 at CPL 0
 */
import { addressOf, load64, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  { // 1: handler 0xffffffff80100000n
    if (syscall(57n) === 0n) {
      store64(base, 0xffffffff80100000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0xffffffff80100000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      load64(8n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: handler 0n
    if (syscall(57n) === 0n) {
      store64(base, 0n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      load64(8n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: handler 0x800000000000n
    if (syscall(57n) === 0n) {
      store64(base, 0x800000000000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x800000000000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      load64(8n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: handler 0x7ffffffff000n
    if (syscall(57n) === 0n) {
      store64(base, 0x7ffffffff000n);
      store64(base + 8n, 0x4000000n);
      store64(base + 16n, 0x1000n);
      store64(base + 24n, 0n);
      r0 = syscall(13n, 11n, base, 0n, 8n);
      load64(8n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
