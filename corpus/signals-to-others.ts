/**
 * Signals to neighbours, groups and nobody; only the own family may be ended.
 *
 * @reaches call 62: error 3
 * @reaches call 62: zero
 */
import { addressOf, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);

function attack(): void {
  let r1: i64 = 0n;
  { // 1: kill
    syscall(62n, 2n, 0n);
    syscall(62n, 17n, 0n);
    syscall(62n, 0n, 0n);
    syscall(62n, 0x7fffn, 0n);
    syscall(62n, 0x8000000000000000n, 0n);
    r1 = syscall(57n);
    if (r1 === 0n) {
      syscall(34n);
      syscall(231n, 0n);
    }
    syscall(62n, wrapping.u64(r1), 9n);
    syscall(61n, wrapping.u64(r1), base, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
