/**
 * brk to hostile places, up, down below its start, and around.
 *
 * @reaches call 12: value
 */
import { load64, store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  { // 1: brk
    syscall(12n, 0n);
    syscall(12n, ALL);
    syscall(12n, 0x7ffffffff000n);
    syscall(12n, 0xffff800000000000n);
    syscall(12n, 0x400000n);
    syscall(12n, 1n);
    r0 = syscall(12n, 0n);
    syscall(12n, wrapping.u64(r0) + 0x3000n);
    store64(wrapping.u64(r0) + 8n, 1n);
    syscall(12n, wrapping.u64(r0));
    if (syscall(57n) === 0n) {
      load64(wrapping.u64(r0) + 0x2008n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
