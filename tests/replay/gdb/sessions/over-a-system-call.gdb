# trace: keel
# at: process:parent
# A line that makes a system call in which the process waits for the other: next comes back to the same process.
break parent.ts:42
monitor kernel past
continue
info threads
next
info threads
# --------
(gdb) break parent.ts:42
Breakpoint 1 at 0x401122: file ./parent.ts, line 44.
(gdb) monitor kernel past
stepi, reverse-stepi, reverse-step and reverse-next in user mode go past the kernel.
(gdb) continue
3
child: 150
parent: 42
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Breakpoint 1, initialise parent.ts () at ./parent.ts:44
44	printNumber(sum(account.history, account.changes));
(gdb) info threads
  Id   Target Id                      Frame 
  1    Thread 1 "kernel" (idle)       InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs) initialise parent.ts () at ./parent.ts:44
(gdb) next
45	print('\n');
(gdb) info threads
  Id   Target Id                      Frame 
  1    Thread 1 "kernel" (idle)       InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs) initialise parent.ts () at ./parent.ts:45
