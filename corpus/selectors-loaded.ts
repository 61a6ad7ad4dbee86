/**
 * Null, kernel and absent selectors into each segment register.
 *
 * @reaches exception 13 16 at CPL 3
 */
import { asm, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: ds from 0n
    if (syscall(57n) === 0n) {
      asm("mov ds, si\nmov eax, 24\nsyscall", { rsi: 0n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: ds from 0x10n
    if (syscall(57n) === 0n) {
      asm("mov ds, si\nmov eax, 24\nsyscall", { rsi: 0x10n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: ds from 0x2bn
    if (syscall(57n) === 0n) {
      asm("mov ds, si\nmov eax, 24\nsyscall", { rsi: 0x2bn }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: es from 0n
    if (syscall(57n) === 0n) {
      asm("mov es, si\nmov eax, 24\nsyscall", { rsi: 0n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 5: es from 0x10n
    if (syscall(57n) === 0n) {
      asm("mov es, si\nmov eax, 24\nsyscall", { rsi: 0x10n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 6: es from 0x2bn
    if (syscall(57n) === 0n) {
      asm("mov es, si\nmov eax, 24\nsyscall", { rsi: 0x2bn }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 7: fs from 0n
    if (syscall(57n) === 0n) {
      asm("mov fs, si\nmov eax, 24\nsyscall", { rsi: 0n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 8: fs from 0x10n
    if (syscall(57n) === 0n) {
      asm("mov fs, si\nmov eax, 24\nsyscall", { rsi: 0x10n }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 9: fs from 0x2bn
    if (syscall(57n) === 0n) {
      asm("mov fs, si\nmov eax, 24\nsyscall", { rsi: 0x2bn }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
