/**
 * Address plus length passes 2^64: a check by the sum accepts what a check by the difference refuses.
 *
 * @reaches call 0: zero
 * @reaches call 10: error 12
 * @reaches call 11: error 22
 * @reaches call 1: error 27
 */
import { addressOf, store8, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;
function put(offset: u64, text: string): u64 {
  for (let n: i32 = 0; n < text.length; n++) store8(base + offset + u64(n), text.charCodeAt(n));
  store8(base + offset + u64(text.length), 0);
  return base + offset;
}

function attack(): void {
  let r0: i64 = 0n;
  { // 1: write and read of all there is
    syscall(1n, 1n, base, ALL);
    syscall(0n, 0n, base, 0xfffffffffffff000n);
  }
  { // 2: unmap, protect and map of all there is
    syscall(11n, base, 0xfffffffffffff000n);
    syscall(10n, base, 0xfffffffffffff000n, 1n);
    syscall(9n, 0x10000000n, 0xfffffffffffff000n, 3n, 0x32n, ALL, 0n);
    syscall(11n, 0xfffffffffffff000n, 0x2000n);
  }
  { // 3: seek to the end of 63 bits
    r0 = syscall(2n, put(0n, '/f'), 0x42n, 0x180n);
    syscall(8n, wrapping.u64(r0), 0x7fffffffffffffffn, 0n);
    syscall(1n, wrapping.u64(r0), base, 16n);
    syscall(8n, wrapping.u64(r0), 1n, 1n);
  }
}
attack();
syscall(231n, 0n);
