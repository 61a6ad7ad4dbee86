# trace: turns
# at: fault:PF:3
# A line that writes to a page that is not there yet: step, next, finish and the same backwards stay in the program.
info registers rip cs
next
reverse-next
step
reverse-step
finish
reverse-step
reverse-next
monitor seek previous:fault:PF
continue
reverse-finish
monitor when
# --------
(gdb) info registers rip cs
rip            0x40111b            0x40111b <work+…>
cs             0x33                51
(gdb) next
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) reverse-next
11	    mixes[(round >> 12) * 512] = mix;
(gdb) step
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) reverse-step
11	    mixes[(round >> 12) * 512] = mix;
(gdb) finish
0x0000000000401016 in initialise turns.ts () at ./turns.ts:16
16	const alone = work(1);
Value returned is $1 = -1820326367
(gdb) reverse-step
work (start=<optimized out>) at ./turns.ts:13
13	  return mix;
(gdb) reverse-next
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) monitor seek previous:fault:PF
The next continue leads to position #######.
(gdb) continue

Thread 2 "pid 1 turns" stopped.
0x000000000040111b in work (start=<optimized out>) at ./turns.ts:11
11	    mixes[(round >> 12) * 512] = mix;
(gdb) reverse-finish
0x0000000000401011 in initialise turns.ts () at ./turns.ts:16
16	const alone = work(1);
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 turns
0x401011 call 0x4010f0  (initialise turns.ts+0x…, turns.ts:16:15)
