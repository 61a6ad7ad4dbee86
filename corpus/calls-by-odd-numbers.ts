/**
 * Numbers of no call, negative ones, and a call with its upper half set: the table must not be left.
 *
 * @reaches call 1023: error 38
 * @reaches call 335: error 38
 * @reaches call odd: error 38
 */
import { syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: numbers
    syscall(wrapping.i64(ALL), 1n, 2n, 3n);
    syscall(0x100000027n, 1n, 2n, 3n);
    syscall(1023n, 1n, 2n, 3n);
    syscall(wrapping.i64(0x8000000000000000n), 1n, 2n, 3n);
    syscall(335n, 1n, 2n, 3n);
  }
}
attack();
syscall(231n, 0n);
