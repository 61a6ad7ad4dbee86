/**
 * writev and readv take a list: each entry is as hostile as a pointer, and their sum may wrap.
 *
 * @reaches call 19: error 14
 * @reaches call 20: error 14
 * @reaches call 20: error 22
 */
import { addressOf, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: entries in the kernel and of all lengths
    store64(base, 0xffffffff80100000n);
    store64(base + 8n, 64n);
    store64(base + 16n, base);
    store64(base + 24n, ALL);
    syscall(20n, 1n, base, 2n);
    syscall(19n, 0n, base, 2n);
  }
  { // 2: lengths whose sum wraps
    store64(base, base);
    store64(base + 8n, 0x8000000000000000n);
    store64(base + 16n, base);
    store64(base + 24n, 0x8000000000000000n);
    syscall(20n, 1n, base, 2n);
  }
  { // 3: more entries than there are
    syscall(20n, 1n, base, 0x7fffffffn);
    syscall(20n, 1n, base, ALL);
  }
}
attack();
syscall(231n, 0n);
