/**
 * The page that runs and the stack go away under the program.
 *
 * @reaches call 11: zero
 */
import { addressOf, asm, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r1: i64 = 0n;
  { // 1: its stack
    if (syscall(57n) === 0n) {
      r1 = wrapping.i64(addressOf(scratch));
      asm("mov rdi, rsp\nand rdi, -4096\nmov esi, 4096\nmov eax, 11\nsyscall\npush rax", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: its text
    if (syscall(57n) === 0n) {
      syscall(11n, 0x400000n, 0x10000n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: everything
    if (syscall(57n) === 0n) {
      syscall(11n, 0x1000n, 0x7fffffff0000n);
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
