/**
 * 16 MiB touched page by page, beside shared memory that is all given at once: ENOMEM or a signal, never a panic.
 *
 * @reaches call 9: value
 */
import { store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: one page after the other
    if (syscall(57n) === 0n) {
      r1 = syscall(9n, 0n, 0x1000000n, 3n, 0x22n, ALL, 0n);
      for (let n: u64 = 0n; n < 0x1000000n; n += 4096n) store64(wrapping.u64(r1) + n, n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: all at once
    r1 = syscall(9n, 0n, 0x1000000n, 3n, 0x21n, ALL, 0n);
    r1 = syscall(9n, 0n, 0x100000n, 3n, 0x21n, ALL, 0n);
    syscall(11n, wrapping.u64(r1), 0x100000n);
  }
}
attack();
syscall(231n, 0n);
