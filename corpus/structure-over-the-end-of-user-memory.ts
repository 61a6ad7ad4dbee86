/**
 * A structure that begins in the user half and ends beyond it: a check of its first byte alone lets it through.
 *
 * @reaches call 63: error 14
 * @reaches call 79: value
 * @reaches call 9: value
 */
import { syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  { // 1: uname over the end
    syscall(63n, 0x7fffffffefffn);
  }
  { // 2: a map of the last page, then over its end
    r0 = syscall(9n, 0x7fffffffe000n, 4096n, 3n, 0x32n, ALL, 0n);
    syscall(63n, 0x7fffffffef80n);
    syscall(79n, 0x7fffffffeff0n, 4096n);
  }
}
attack();
syscall(231n, 0n);
