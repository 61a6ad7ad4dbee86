/**
 * execve of a directory, a text, and nothing; then of the victim's own program, which finds no secret there.
 *
 * @reaches call 59: error 13
 * @reaches call 59: error 2
 * @reaches call 59: error 8
 * @reaches call 59: zero
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
  { // 1: not programs
    syscall(59n, put(64n, '/'), 0n, 0n);
    syscall(59n, put(64n, '/etc/programs'), 0n, 0n);
    syscall(59n, put(64n, '/none'), 0n, 0n);
    syscall(59n, put(64n, ''), 0n, 0n);
  }
  { // 2: the victim's program
    store64(base, 0n);
    syscall(59n, put(64n, '/bin/victim'), base, base);
  }
}
attack();
syscall(231n, 0n);
