/**
 * Parent, child and grandchild write one page; each must keep its own (CVE-2016-5195, INV-08).
 *
 * @reaches call 61: error 10
 */
import { addressOf, load64, store64, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: three generations
    store64(base + 4096n, 1n);
    for (let n: i32 = 0; n < 2; n++) {
      r1 = syscall(57n);
      if (r1 === 0n) {
        store64(base + 4096n, 2n);
        syscall(24n);
        if (load64(base + 4096n) !== 2n) syscall(231n, 1n);
        syscall(231n, 0n);
      }
      store64(base + 4096n, 1n);
      syscall(24n);
      if (load64(base + 4096n) !== 1n) syscall(231n, 1n);
    }
    while (syscall(61n, ALL, 0n, 0n, 0n) > 0n) {}
  }
}
attack();
syscall(231n, 0n);
