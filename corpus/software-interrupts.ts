/**
 * INT n of every kind: gates for exceptions must not be open to user mode, INT1 and INT3 are.
 *
 * @reaches exception 13 1026 at CPL 3
 * @reaches exception 13 114 at CPL 3
 * @reaches exception 13 2042 at CPL 3
 * @reaches exception 13 258 at CPL 3
 */
import { asm, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: int 0x80
    if (syscall(57n) === 0n) {
      asm("int 0x80", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: int 8
    if (syscall(57n) === 0n) {
      asm("int 8", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: int 14
    if (syscall(57n) === 0n) {
      asm("int 14", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: int 0x20
    if (syscall(57n) === 0n) {
      asm("int 0x20", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 5: int 0xff
    if (syscall(57n) === 0n) {
      asm("int 0xff", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 6: int3
    if (syscall(57n) === 0n) {
      asm("int3", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 7: .byte 0xf1
    if (syscall(57n) === 0n) {
      asm(".byte 0xf1", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 8: ud2
    if (syscall(57n) === 0n) {
      asm("ud2", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
