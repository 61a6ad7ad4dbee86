/**
 * Writable and executable memory is never given, at once, in turn, or by two mappings (INV-06).
 *
 * @reaches call 10: error 12
 * @reaches call 10: error 13
 * @reaches call 10: zero
 * @reaches call 9: error 13
 */
import { asm, store64, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: mmap and mprotect with both rights
    syscall(9n, 0n, 4096n, 7n, 0x22n, ALL, 0n);
    syscall(9n, 0n, 4096n, 6n, 0x21n, ALL, 0n);
    r1 = syscall(9n, 0n, 4096n, 3n, 0x22n, ALL, 0n);
    store64(wrapping.u64(r1), 0xc3n);
    syscall(10n, wrapping.u64(r1), 4096n, 7n);
  }
  { // 2: in turn
    syscall(10n, wrapping.u64(r1), 4096n, 5n);
    asm("call rdi", { rdi: wrapping.u64(r1) }, 'rax');
    syscall(10n, wrapping.u64(r1), 4096n, 3n);
    if (syscall(57n) === 0n) {
      asm("call rdi", { rdi: wrapping.u64(r1) }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: the text made writable
    syscall(10n, 0x401000n, 4096n, 7n);
    syscall(10n, 0x400000n, 0x4000n, 3n);
  }
}
attack();
syscall(231n, 0n);
