/**
 * A parent ends before its children, which go on, fork and end.
 *
 */
import { addressOf, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);

function attack(): void {
  { // 1: orphans
    if (syscall(57n) === 0n) {
      for (let n: i32 = 0; n < 3; n++) syscall(24n);
      syscall(57n);
      store64(base + 4096n, 1n);
      syscall(231n, 0n);
    }
    syscall(231n, 0n);
  }
}
attack();
syscall(231n, 0n);
