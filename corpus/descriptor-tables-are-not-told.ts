/**
 * SGDT, SIDT, SLDT, STR and SMSW tell where the kernel lies: UMIP makes them fault (INV-23).
 *
 * @reaches exception 13 0 at CPL 3
 */
import { addressOf, asm, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: sgdt [rdi]
    if (syscall(57n) === 0n) {
      asm("sgdt [rdi]", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: sidt [rdi]
    if (syscall(57n) === 0n) {
      asm("sidt [rdi]", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: sldt eax
    if (syscall(57n) === 0n) {
      asm("sldt eax", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 4: str eax
    if (syscall(57n) === 0n) {
      asm("str eax", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 5: smsw eax
    if (syscall(57n) === 0n) {
      asm("smsw eax", { rdi: base }, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
