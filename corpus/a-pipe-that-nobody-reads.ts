/**
 * A full pipe, written without waiting; then one whose reader is gone.
 *
 * @reaches call 1: error 11
 * @reaches call 3: zero
 * @reaches exception 14 0 at CPL 0
 */
import { addressOf, load64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);

function attack(): void {
  let r2: i64 = 0n;
  { // 1: both
    if (syscall(293n, base, 0x800n) === 0n) {
      for (let n: i32 = 0; n < 20; n++) r2 = syscall(1n, load64(base) >> 32n, base, 8192n);
      syscall(3n, load64(base) & 0xffffffffn);
      syscall(1n, load64(base) >> 32n, base, 8n);
    }
  }
}
attack();
syscall(231n, 0n);
