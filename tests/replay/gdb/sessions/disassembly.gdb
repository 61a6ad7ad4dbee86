# trace: keel
# at: process:parent
# Machine code with its source lines.
tbreak sum
continue
disassemble /s $rip,+12
x/3i keel_syscall
# --------
(gdb) tbreak sum
Temporary breakpoint 1 at 0x401128: file ./parent.ts, line 23.
(gdb) continue
3
child: 150
parent: 42
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Temporary breakpoint 1, sum (values=..., count=2) at ./parent.ts:23
23	  for (let i = 0; i < count; i++) total += values[i];
(gdb) disassemble /s $rip,+12
Dump of assembler code from 0x401128 to 0x401134:
./parent.ts:
23	  for (let i = 0; i < count; i++) total += values[i];
=> 0x0000000000401128 <initialise parent.ts+296>:	xor    %ecx,%ecx
   0x000000000040112a <initialise parent.ts+298>:	xor    %edi,%edi
   0x000000000040112c <initialise parent.ts+300>:	cmp    %edx,%ecx
   0x000000000040112e <initialise parent.ts+302>:	jge    0x4011ef <initialise parent.ts+495>
End of assembler dump.
(gdb) x/3i keel_syscall
   0xffffffff8_______ <keel_syscall>:	push   %rbp
   0xffffffff8_______ <keel_syscall+…>:	mov    %rsp,%rbp
   0xffffffff8_______ <keel_syscall+…>:	sub    $0x20,%rsp
