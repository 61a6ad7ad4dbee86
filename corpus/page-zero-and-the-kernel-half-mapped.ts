/**
 * Fixed mappings where none may be: at 0, at the end of the user half, in the kernel.
 *
 * @reaches call 10: error 12
 * @reaches call 11: error 22
 * @reaches call 11: zero
 * @reaches call 12: value
 */
import { syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: mmap of each
    syscall(9n, 0n, 4096n, 3n, 0x32n, ALL, 0n);
    syscall(9n, 0x7ffffffff000n, 4096n, 3n, 0x32n, ALL, 0n);
    syscall(9n, 0xffff800000000000n, 4096n, 3n, 0x32n, ALL, 0n);
    syscall(9n, 0xffffffff80100000n, 4096n, 3n, 0x32n, ALL, 0n);
  }
  { // 2: mprotect, munmap and brk of each
    syscall(10n, 0n, 4096n, 7n);
    syscall(11n, 0n, 0x2000n);
    syscall(12n, 0n);
    syscall(10n, 0x7ffffffff000n, 4096n, 7n);
    syscall(11n, 0x7ffffffff000n, 0x2000n);
    syscall(12n, 0x7ffffffff000n);
    syscall(10n, 0xffff800000000000n, 4096n, 7n);
    syscall(11n, 0xffff800000000000n, 0x2000n);
    syscall(12n, 0xffff800000000000n);
  }
}
attack();
syscall(231n, 0n);
