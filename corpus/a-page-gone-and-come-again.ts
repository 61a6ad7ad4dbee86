/**
 * Unmapped, mapped again at its place, read at once: neither its old bytes nor its old translation may be there (INV-10, INV-14).
 *
 * @reaches call 11: zero
 * @reaches call 9: value
 */
import { load64, store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: four times
    for (let n: i32 = 0; n < 4; n++) {
      r1 = syscall(9n, 0x20000000n, 0x2000n, 3n, 0x32n, ALL, 0n);
      if (load64(0x20000000n) !== 0n) syscall(231n, 1n);
      store64(0x20000000n, 0x5a5a5a5an);
      store64(0x20001000n, 0x5a5a5a5an);
      syscall(11n, 0x20000000n, 0x2000n);
    }
  }
  { // 2: and read when it is gone
    if (syscall(57n) === 0n) {
      load64(0x20000000n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
