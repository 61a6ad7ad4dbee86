# trace: keel
# at: syscall:exit_group:1+100
# The same threads with the registers with which they go on in the kernel.
monitor context kernel
stepi
info threads
thread 2
bt 4
info registers rip rsp rax
# --------
(gdb) monitor context kernel
Threads that do not run have the registers with which they go on in the kernel; gdb asks for them at its next stop.
(gdb) stepi
closeDescriptor (process=0xffffffff8_______ <processes+…>, fd=0) at ./src/kernel/task/exit.ts:23
23	export function closeDescriptor(process: Process, fd: i32): void {
(gdb) info threads
  Id   Target Id                         Frame 
  1    Thread 1 "kernel" (idle)          InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 parent" (blocked) InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 3    Thread 4 "pid 17 parent" (runs)   closeDescriptor (process=0xffffffff8_______ <processes+…>, fd=0) at ./src/kernel/task/exit.ts:23
(gdb) thread 2
[Switching to thread 2 (Thread 2)]
#0  InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
13	    if (this.wereOn) sti();
(gdb) bt 4
#0  InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
#1  Task.switchTo (this=<optimized out>) at ./src/kernel/ostd/task.ts:6
#2  Scheduler.run (this=<optimized out>) at ./src/kernel/task/scheduler.ts:43
#3  0xffffffff8_______ in Scheduler.reschedule (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:30
(gdb) info registers rip rsp rax
rip            0xffffffff8_______  0xffffffff8_______ <Scheduler.run+…>
rsp            0xffffc___________  0xffffc___________
rax            <unavailable>
