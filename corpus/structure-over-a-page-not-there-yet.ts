/**
 * The copy of a structure faults in its middle, the page comes, the instruction is done again: no byte is fetched twice (it was a
 * false alarm of INV-30).
 *
 * @reaches call 35: zero
 * @reaches call 9: value
 * @reaches exception 14 0 at CPL 0
 */
import { store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: nanosleep on a border
    r1 = syscall(9n, 0n, 0x2000n, 3n, 0x22n, ALL, 0n);
    store64(wrapping.u64(r1) + 0xff0n, 0n);
    syscall(35n, wrapping.u64(r1) + 0xff4n, 0n);
    syscall(35n, wrapping.u64(r1) + 0xffcn, 0n);
  }
}
attack();
syscall(231n, 0n);
