/**
 * DF, AC, NT, ID and TF set during a call: the kernel must not copy backwards, trap, or return by a task gate (INV-15, INV-20).
 *
 * @reaches call 63: zero
 * @reaches exception 1 - at CPL 3
 */
import { addressOf, asm, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: RFLAGS with 0x400n
    asm("pushfq\npushfq\nor qword ptr [rsp], rdi\npopfq\nmov eax, 63\nmov rdi, rdx\nsyscall\npopfq", { rdi: 0x400n, rdx: base }, 'rax');
  }
  { // 2: RFLAGS with 0x40000n
    asm("pushfq\npushfq\nor qword ptr [rsp], rdi\npopfq\nmov eax, 63\nmov rdi, rdx\nsyscall\npopfq", { rdi: 0x40000n, rdx: base }, 'rax');
  }
  { // 3: RFLAGS with 0x4000n
    asm("pushfq\npushfq\nor qword ptr [rsp], rdi\npopfq\nmov eax, 63\nmov rdi, rdx\nsyscall\npopfq", { rdi: 0x4000n, rdx: base }, 'rax');
  }
  { // 4: RFLAGS with 0x200000n
    asm("pushfq\npushfq\nor qword ptr [rsp], rdi\npopfq\nmov eax, 63\nmov rdi, rdx\nsyscall\npopfq", { rdi: 0x200000n, rdx: base }, 'rax');
  }
  { // 5: RFLAGS with 0x44ed5n
    asm("pushfq\npushfq\nor qword ptr [rsp], rdi\npopfq\nmov eax, 63\nmov rdi, rdx\nsyscall\npopfq", { rdi: 0x44ed5n, rdx: base }, 'rax');
  }
  { // 6: and with TF
    if (syscall(57n) === 0n) {
      asm("pushfq\nor qword ptr [rsp], 0x100\npopfq\nmov eax, 39\nsyscall\nnop", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
