# trace: keel
# at: process:kernel:3
# The instruction after which another task runs: gdb follows the CPU to it, and back.
info threads
tbreak *((char*)switch_context + 10)
continue
stepi
x/2i $rip
stepi
info threads
reverse-stepi
info threads
# --------
(gdb) info threads
  Id   Target Id                         Frame 
  1    Thread 1 "kernel" (idle)          InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 parent" (blocked) 0x00000000004010f3 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
* 3    Thread 4 "pid 17 parent" (runs)   0xffffffff8_______ in KernelSpace.activate (this=0xffffffff8_______ <kernelSpace>) at ./src/kernel/ostd/kernel-space.ts:86
(gdb) tbreak *((char*)switch_context + 10)
Temporary breakpoint 1 at 0xffffffff8_______: file ./src/kernel/ostd/trap-entry.ts, line 161.
(gdb) continue

Thread 3 "pid 17 parent" hit Temporary breakpoint 1, switch_context () at ./src/kernel/ostd/trap-entry.ts:161
161	    mov qword ptr [rdi], rsp
(gdb) stepi
162	    mov rsp, rsi
(gdb) x/2i $rip
=> 0xffffffff8_______ <switch_context+…>:	mov    %rsi,%rsp
   0xffffffff8_______ <switch_context+…>:	pop    %r15
(gdb) stepi

Thread 2 "pid 1 parent" stopped.
[Switching to Thread 2]
switch_context () at ./src/kernel/ostd/trap-entry.ts:163
163	    pop r15; .cfi_adjust_cfa_offset -8; .cfi_restore r15
(gdb) info threads
  Id   Target Id                         Frame 
  1    Thread 1 "kernel" (idle)          InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs)    switch_context () at ./src/kernel/ostd/trap-entry.ts:163
  3    Thread 4 "pid 17 parent" (zombie) exit (status=7) at ./palindrome/program.ts:85
(gdb) reverse-stepi

Thread 3 "pid 17 parent" stopped.
[Switching to Thread 4]
switch_context () at ./src/kernel/ostd/trap-entry.ts:162
162	    mov rsp, rsi
(gdb) info threads
  Id   Target Id                       Frame 
  1    Thread 1 "kernel" (idle)        InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 parent" (ready) 0x00000000004010f3 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
* 3    Thread 4 "pid 17 parent" (runs) switch_context () at ./src/kernel/ostd/trap-entry.ts:162
