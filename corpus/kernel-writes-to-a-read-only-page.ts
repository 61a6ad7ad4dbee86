/**
 * What the process may not write, the kernel may not write for it (CR0.WP, INV-31).
 *
 * @reaches call 10: zero
 * @reaches call 293: error 14
 * @reaches call 318: error 14
 * @reaches call 63: error 14
 */
import { store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: uname, pipe2 and read into read-only memory and into the text
    r1 = syscall(9n, 0n, 4096n, 3n, 0x22n, ALL, 0n);
    store64(wrapping.u64(r1), 7n);
    syscall(10n, wrapping.u64(r1), 4096n, 1n);
    syscall(63n, wrapping.u64(r1));
    syscall(293n, wrapping.u64(r1), 0n);
    syscall(63n, 0x401000n);
    syscall(318n, 0x401000n, 8n, 0n);
  }
}
attack();
syscall(231n, 0n);
