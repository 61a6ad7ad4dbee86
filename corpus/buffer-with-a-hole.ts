/**
 * A buffer of which the second page is gone: the copy faults in its middle and must end as a short count or EFAULT.
 *
 * @reaches call 11: zero
 * @reaches call 1: error 14
 * @reaches call 318: value
 * @reaches call 63: error 14
 */
import { syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: getrandom, write and getcwd over the hole
    r1 = syscall(9n, 0n, 0x3000n, 3n, 0x22n, ALL, 0n);
    syscall(11n, wrapping.u64(r1) + 0x1000n, 4096n);
    syscall(318n, wrapping.u64(r1) + 0xff0n, 64n, 0n);
    syscall(1n, 1n, wrapping.u64(r1) + 0xffen, 64n);
    syscall(63n, wrapping.u64(r1) + 0xff0n);
  }
}
attack();
syscall(231n, 0n);
