# trace: keel
# at: fault:PF:3-200
# Who changes the running slot, backwards.
watch scheduler.running
reverse-continue
bt 3
reverse-continue
bt 2
# --------
(gdb) watch scheduler.running
Hardware watchpoint 1: scheduler.running
(gdb) reverse-continue
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Hardware watchpoint 1: scheduler.running

Old value = 2
New value = 1
Scheduler.run (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:39
39	    this.running = slot;
(gdb) bt 3
#0  Scheduler.run (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:39
#1  0xffffffff8_______ in Scheduler.reschedule (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:30
#2  0xffffffff8_______ in Scheduler.block (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:51
(gdb) reverse-continue
[Switching to Thread 1]

Thread 1 "kernel" hit Hardware watchpoint 1: scheduler.running

Old value = 1
New value = 0
Scheduler.run (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:39
39	    this.running = slot;
(gdb) bt 2
#0  Scheduler.run (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:39
#1  0xffffffff8_______ in Scheduler.reschedule (this=0xffffffff8_______ <scheduler>) at ./src/kernel/task/scheduler.ts:30
