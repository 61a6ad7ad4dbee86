# trace: turns
# at: irq:32:1
# An interrupt in the middle of a line: step, next, finish and the same backwards stay in the program, which was alone.
monitor when
info registers rip cs
next
reverse-next
step
reverse-step
monitor when
reverse-next
reverse-step
monitor when
finish
reverse-step
monitor seek irq:32:1
continue
reverse-finish
monitor when
# --------
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 turns
0xffffffff8_______ push 0  (trap_32, src/kernel/ostd/trap-stubs.ts:195:1)
(gdb) info registers rip cs
rip            0x401113            0x401113 <work+…>
cs             0x33                51
(gdb) next
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) reverse-next
11	    mixes[(round >> 12) * 512] = mix;
(gdb) step
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) reverse-step
11	    mixes[(round >> 12) * 512] = mix;
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 turns
0x401113 cmp eax, 0x2000  (work+0x…, turns.ts:11:5)
(gdb) reverse-next
11	    mixes[(round >> 12) * 512] = mix;
(gdb) reverse-step
11	    mixes[(round >> 12) * 512] = mix;
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 turns
0x401103 mov eax, edx  (work+0x…, turns.ts:11:12)
(gdb) finish
0x0000000000401016 in initialise turns.ts () at ./turns.ts:16
16	const alone = work(1);
Value returned is $1 = -1820326367
(gdb) reverse-step
work (start=<optimized out>) at ./turns.ts:13
13	  return mix;
(gdb) monitor seek irq:32:1
The next continue leads to position #######.
(gdb) continue

Thread 2 "pid 1 turns" stopped.
work (start=<optimized out>) at ./turns.ts:11
11	    mixes[(round >> 12) * 512] = mix;
(gdb) reverse-finish
0x0000000000401011 in initialise turns.ts () at ./turns.ts:16
16	const alone = work(1);
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 turns
0x401011 call 0x4010f0  (initialise turns.ts+0x…, turns.ts:16:15)
