/**
 * The kernel must refuse, for its caller, addresses of its own image: to read them tells, to write them ends it (CVE-2017-5123).
 *
 * @reaches call 0: error 14
 * @reaches call 17: error 14
 * @reaches call 1: error 14
 * @reaches call 20: error 14
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
  { // 1: write from it
    syscall(1n, 1n, 0xffffffff80100000n, 64n);
  }
  { // 2: read a file into it
    r0 = syscall(2n, put(0n, '/etc/programs'), 0n, 0n);
    syscall(0n, wrapping.u64(r0), 0xffffffff80100000n, 64n);
    syscall(17n, wrapping.u64(r0), 0xffffffff80100000n, 64n, 0n);
  }
  { // 3: structures written to it
    syscall(63n, 0xffffffff80100000n);
    syscall(293n, 0xffffffff80100000n, 0n);
    syscall(61n, ALL, 0xffffffff80100000n, 1n, 0n);
    syscall(318n, 0xffffffff80100000n, 16n, 0n);
  }
  { // 4: strings and structures read from it
    syscall(2n, 0xffffffff80100000n, 0n, 0n);
    syscall(59n, 0xffffffff80100000n, 0xffffffff80100000n, 0xffffffff80100000n);
    syscall(35n, 0xffffffff80100000n, 0n);
    syscall(20n, 1n, 0xffffffff80100000n, 1n);
  }
}
attack();
syscall(231n, 0n);
