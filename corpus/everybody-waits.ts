/**
 * A process that reads the pipe which it alone writes: nothing can wake it, and the run must end all the same.
 *
 */
import { addressOf, load64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);

function attack(): void {
  { // 1: a read without a writer
    syscall(293n, base, 0n);
    syscall(0n, load64(base) & 0xffffffffn, base + 4096n, 8n);
  }
}
attack();
syscall(231n, 0n);
