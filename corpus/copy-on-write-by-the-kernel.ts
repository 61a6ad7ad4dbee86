/**
 * The kernel writes a shared page for the child: it must break the sharing as a write of the child would.
 *
 * @reaches call 318: value
 * @reaches call 63: zero
 * @reaches exception 14 3 at CPL 0
 */
import { addressOf, load64, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: uname, pipe2, getrandom and wait4 in a child
    store64(base + 8192n, 0x1111n);
    if (syscall(57n) === 0n) {
      syscall(63n, base + 8192n);
      syscall(293n, base + 8200n, 0n);
      syscall(318n, base + 8192n, 64n, 0n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
    if (load64(base + 8192n) !== 0x1111n) syscall(231n, 1n);
  }
}
attack();
syscall(231n, 0n);
