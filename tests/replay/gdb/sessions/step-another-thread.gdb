# trace: keel
# at: process:kernel:3
# A step of a thread that does not run leads to where it runs.
thread 2
stepi
info threads
monitor when
# --------
(gdb) thread 2
[Switching to thread 2 (Thread 2)]
#0  0x00000000004010f3 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
243	  return i32(syscall(NR.wait4, wrapping.u64(i64(pid)), addressOf(status), 0n, 0n));
(gdb) stepi
0xffffffff8_______ in InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
13	    if (this.wereOn) sti();
(gdb) info threads
  Id   Target Id                         Frame 
  1    Thread 1 "kernel" (idle)          InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs)    0xffffffff8_______ in InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  3    Thread 4 "pid 17 parent" (zombie) exit (status=7) at ./palindrome/program.ts:85
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 parent
0xffffffff8_______ je 0xffffffff8_______  (Scheduler.run+0x…, src/kernel/ostd/interrupts.ts:13:9)
