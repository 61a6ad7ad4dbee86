/**
 * DR6.BS stayed set after a single step: the next process with a breakpoint or trap found the other's cause (INV-19, fixed: keel
 * clears DR6 at #DB).
 *
 * @reaches exception 1 - at CPL 3
 */
import { asm, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: a single step while others run
    if (syscall(57n) === 0n) {
      asm("pushfq\nor qword ptr [rsp], 0x100\npopfq\nnop\nnop", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
    syscall(24n);
    if (syscall(57n) === 0n) {
      asm("int3", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
    if (syscall(57n) === 0n) {
      asm(".byte 0xf1", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
