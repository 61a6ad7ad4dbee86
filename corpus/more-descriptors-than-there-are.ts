/**
 * Pipes and copies of descriptors until there are none; all come back when they are closed.
 *
 * @reaches call 293: error 23
 * @reaches call 2: error 24
 * @reaches call 33: error 9
 * @reaches call 3: error 9
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
  let r2: i64 = 0n;
  { // 1: pipes
    for (let n: i32 = 0; n < 80; n++) r2 = syscall(293n, base, 0n);
    for (let n: u64 = 3n; n < 80n; n++) syscall(3n, n);
    syscall(293n, base, 0n);
  }
  { // 2: files
    for (let n: i32 = 0; n < 80; n++) r2 = syscall(2n, put(0n, '/f'), 0x42n, 0x180n);
    syscall(33n, 1n, 0x7fffffffn);
    syscall(33n, 1n, ALL);
  }
}
attack();
syscall(231n, 0n);
