/**
 * What the victim has unlinked must not be found: by name, in its directory, or by a descriptor that was never given.
 *
 * @reaches call 17: error 21
 * @reaches call 17: error 9
 * @reaches call 217: value
 * @reaches call 2: error 2
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
  let r0: i64 = 0n;
  { // 1: by name and number
    syscall(2n, put(0n, '/v'), 0n, 0n);
    r0 = syscall(2n, put(0n, '/'), 0x10000n, 0n);
    syscall(217n, wrapping.u64(r0), base + 4096n, 4096n);
    for (let n: u64 = 3n; n < 10n; n++) syscall(17n, n, base + 8192n, 192n, 0n);
  }
}
attack();
syscall(231n, 0n);
