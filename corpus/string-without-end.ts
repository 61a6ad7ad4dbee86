/**
 * A path that runs to the end of its memory without a NUL, and one of 300 characters.
 *
 * @reaches call 2: error 36
 * @reaches call 59: error 36
 */
import { addressOf, store8, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
function put(offset: u64, text: string): u64 {
  for (let n: i32 = 0; n < text.length; n++) store8(base + offset + u64(n), text.charCodeAt(n));
  store8(base + offset + u64(text.length), 0);
  return base + offset;
}

function attack(): void {
  { // 1: open and execve of it
    for (let n: u64 = 16000n; n < 16384n; n++) store8(base + n, 0x61);
    syscall(2n, base + 16100n, 0n, 0n);
    syscall(59n, base + 16100n, 0n, 0n);
    syscall(2n, put(0n, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'), 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
