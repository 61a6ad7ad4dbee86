# trace: turns
# at: irq:32:4
# The timer takes the CPU from a process in the middle of a line, and gives it to a child with the same code at the same addresses: step, next, finish and
# the same backwards stay in the process that was stepped.
monitor when
next
info threads
reverse-next
step
reverse-step
monitor when
reverse-next
reverse-step
monitor when
finish
monitor when
reverse-step
reverse-finish
monitor when
monitor seek irq:32:4
continue
reverse-next
monitor when
finish
reverse-next
monitor when
# --------
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0xffffffff8_______ push 0  (trap_32, src/kernel/ostd/trap-stubs.ts:195:1)
(gdb) next
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) info threads
  Id   Target Id                      Frame 
  1    Thread 1 "kernel" (idle)       InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 turns" (ready) work (start=<optimized out>) at ./turns.ts:10
* 3    Thread 3 "pid 17 turns" (runs) work (start=<optimized out>) at ./turns.ts:9
(gdb) reverse-next
11	    mixes[(round >> 12) * 512] = mix;
(gdb) step
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) reverse-step
11	    mixes[(round >> 12) * 512] = mix;
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401113 cmp eax, 0x2000  (work+0x…, turns.ts:11:5)
(gdb) reverse-next
11	    mixes[(round >> 12) * 512] = mix;
(gdb) reverse-step
11	    mixes[(round >> 12) * 512] = mix;
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401103 mov eax, edx  (work+0x…, turns.ts:11:12)
(gdb) finish
0x0000000000401047 in initialise turns.ts () at ./turns.ts:18
18	const both = work(child);
Value returned is $1 = -1794372064
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401047 mov [0x40a00c], eax  (initialise turns.ts+0x…, turns.ts:18:14)
(gdb) reverse-step
work (start=<optimized out>) at ./turns.ts:13
13	  return mix;
(gdb) reverse-finish
initialise turns.ts () at ./turns.ts:18
18	const both = work(child);
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401042 call 0x4010f0  (initialise turns.ts+0x…, turns.ts:18:14)
(gdb) monitor seek irq:32:4
The next continue leads to position #######.
(gdb) continue

Thread 3 "pid 17 turns" stopped.
0x0000000000401105 in work (start=<optimized out>) at ./turns.ts:11
11	    mixes[(round >> 12) * 512] = mix;
(gdb) reverse-next
11	    mixes[(round >> 12) * 512] = mix;
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401103 mov eax, edx  (work+0x…, turns.ts:11:12)
(gdb) finish
0x0000000000401047 in initialise turns.ts () at ./turns.ts:18
18	const both = work(child);
Value returned is $2 = -1794372064
(gdb) reverse-next
18	const both = work(child);
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401042 call 0x4010f0  (initialise turns.ts+0x…, turns.ts:18:14)
