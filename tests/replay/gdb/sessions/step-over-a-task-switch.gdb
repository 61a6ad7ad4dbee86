# trace: keel
# at: process:kernel:3
# With a breakpoint on that very instruction gdb steps over it and goes on, and stays with the thread that it stepped.
break *((char*)switch_context + 13)
continue
stepi
info threads
continue
monitor process
# --------
(gdb) break *((char*)switch_context + 13)
Breakpoint 1 at 0xffffffff8_______: file ./src/kernel/ostd/trap-entry.ts, line 162.
(gdb) continue

Thread 3 "pid 17 parent" hit Breakpoint 1, switch_context () at ./src/kernel/ostd/trap-entry.ts:162
162	    mov rsp, rsi
(gdb) stepi
exit (status=7) at ./palindrome/program.ts:85
85	  unreachable();
(gdb) info threads
  Id   Target Id                         Frame 
  1    Thread 1 "kernel" (idle)          InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 parent" (runs)    switch_context () at ./src/kernel/ostd/trap-entry.ts:163
* 3    Thread 4 "pid 17 parent" (zombie) exit (status=7) at ./palindrome/program.ts:85
(gdb) continue
parent: 42
[Switching to Thread 2]

Thread 2 "ended" hit Breakpoint 1, switch_context () at ./src/kernel/ostd/trap-entry.ts:162
162	    mov rsp, rsi
(gdb) monitor process
keel has no processes now
