/**
 * nanosleep of 584 years: the run ends by its fuel (INV-35).
 *
 */
import { addressOf, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);

function attack(): void {
  { // 1: sleep
    store64(base, 0x3fffffffffffffffn);
    store64(base + 8n, 0n);
    syscall(35n, base, base);
  }
}
attack();
syscall(231n, 0n);
