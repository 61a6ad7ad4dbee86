/**
 * Lists of pointers: without an end, into the kernel, more than fit.
 *
 * @reaches call 59: error 14
 * @reaches call 59: error 7
 */
import { addressOf, store64, store8, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
function put(offset: u64, text: string): u64 {
  for (let n: i32 = 0; n < text.length; n++) store8(base + offset + u64(n), text.charCodeAt(n));
  store8(base + offset + u64(text.length), 0);
  return base + offset;
}

function attack(): void {
  { // 1: a list into the kernel
    store64(base + 64n, 0xffffffff80100000n);
    store64(base + 72n, 0n);
    syscall(59n, put(0n, '/bin/victim'), base + 64n, 0n);
  }
  { // 2: a list without end
    for (let n: u64 = 64n; n < 16384n; n += 8n) store64(base + n, base);
    syscall(59n, put(0n, '/bin/victim'), base + 64n, base + 64n);
  }
}
attack();
syscall(231n, 0n);
