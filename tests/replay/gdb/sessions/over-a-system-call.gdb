# trace: keel
# at: process:parent
# A line that makes a system call in which the process waits for the other: next comes back to the same process.
tbreak parent.ts:39
continue
next
next
next
info threads
next
info threads
# --------
(gdb) tbreak parent.ts:39
Temporary breakpoint 1 at 0x401074: file ./parent.ts, line 39.
(gdb) continue
[New Thread 4]
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Temporary breakpoint 1, initialise parent.ts () at ./parent.ts:39
39	if (fork() === 0) child();
(gdb) next
40	close(ends[0]);
(gdb) next
41	write(ends[1], message);
(gdb) next
42	wait(-1, status);
(gdb) info threads
  Id   Target Id                        Frame 
  1    Thread 1 "kernel" (idle)         InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs)   initialise parent.ts () at ./parent.ts:42
  3    Thread 3 "pid 2 crash" (ready)   0x0000000000401240 in Account.deposit (this=0x0) at ./parent.ts:11
  4    Thread 4 "pid 17 parent" (ready) 0x000000000040105a in fork () at ./palindrome/program.ts:237
(gdb) next
3
child: 150
43	print('parent: ');
(gdb) info threads
  Id   Target Id                      Frame 
  1    Thread 1 "kernel" (idle)       InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs) initialise parent.ts () at ./parent.ts:43
