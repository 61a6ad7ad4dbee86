/**
 * Each must be refused at CPL 3 and end its process alone.
 *
 * @reaches exception 13 0 at CPL 3
 * @reaches exception 6 - at CPL 3
 */
import { addressOf, asm, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: cli
    if (syscall(57n) === 0n) {
      asm("cli", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: hlt
    if (syscall(57n) === 0n) {
      asm("hlt", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: mov rax, cr0
    if (syscall(57n) === 0n) {
      asm("mov rax, cr0", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: mov cr3, rdi
    if (syscall(57n) === 0n) {
      asm("mov cr3, rdi", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 5: lgdt [rdi]
    if (syscall(57n) === 0n) {
      asm("lgdt [rdi]", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 6: wrmsr
    if (syscall(57n) === 0n) {
      asm("wrmsr", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 7: in al, dx
    if (syscall(57n) === 0n) {
      asm("in al, dx", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 8: swapgs
    if (syscall(57n) === 0n) {
      asm("swapgs", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 9: invlpg [rdi]
    if (syscall(57n) === 0n) {
      asm("invlpg [rdi]", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 10: clac
    if (syscall(57n) === 0n) {
      asm("clac", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
