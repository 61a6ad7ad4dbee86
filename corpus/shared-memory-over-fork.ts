/**
 * Memory that is declared shared stays so: what the child writes the parent sees, and rights stay each one's own.
 *
 * @reaches call 10: zero
 * @reaches call 11: zero
 * @reaches call 9: value
 */
import { load64, store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: a shared page
    r1 = syscall(9n, 0n, 4096n, 3n, 0x21n, ALL, 0n);
    store64(wrapping.u64(r1), 1n);
    if (syscall(57n) === 0n) {
      store64(wrapping.u64(r1), 2n);
      syscall(10n, wrapping.u64(r1), 4096n, 1n);
      syscall(231n, 0n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
    if (load64(wrapping.u64(r1)) !== 2n) syscall(231n, 1n);
    store64(wrapping.u64(r1), 3n);
    syscall(11n, wrapping.u64(r1), 4096n);
  }
}
attack();
syscall(231n, 0n);
