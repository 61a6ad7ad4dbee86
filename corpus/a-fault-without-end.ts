/**
 * A handler that returns to the instruction that faults, for ever.
 *
 * @reaches call 10: zero
 * @reaches call 13: zero
 * @reaches call 15: value
 * @reaches call 9: value
 */
import { addressOf, load64, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  let r1: i64 = 0n;
  { // 1: SIGSEGV again and again
    r1 = syscall(9n, 0n, 4096n, 3n, 0x22n, ALL, 0n);
    store64(wrapping.u64(r1), 0xc3n);
    store64(wrapping.u64(r1) + 8n, 0x050f0000000fb8n);
    syscall(10n, wrapping.u64(r1), 4096n, 5n);
    store64(base, wrapping.u64(r1));
    store64(base + 8n, 0x4000000n);
    store64(base + 16n, wrapping.u64(r1) + 8n);
    store64(base + 24n, 0n);
    r0 = syscall(13n, 11n, base, 0n, 8n);
    load64(8n);
  }
}
attack();
syscall(231n, 0n);
