/**
 * A fork bomb: it ends in EAGAIN, the victim goes on.
 *
 * @reaches call 61: error 10
 */
import { syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: forks until the kernel says no
    for (let n: i32 = 0; n < 40; n++) {
      r1 = syscall(57n);
      if (r1 === 0n) {
        syscall(24n);
        syscall(231n, 0n);
      }
      if (r1 < 0n) break;
    }
    while (syscall(61n, ALL, 0n, 1n, 0n) > 0n) {}
  }
}
attack();
syscall(231n, 0n);
