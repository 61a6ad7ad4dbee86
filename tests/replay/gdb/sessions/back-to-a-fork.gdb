# trace: turns
# at: process:turns:2
# Backwards a process ends where it began, though its parent ran before in the same code and with the same registers.
tbreak work
continue
reverse-finish
reverse-next
reverse-next
reverse-next
info threads
monitor when
# --------
(gdb) tbreak work
Temporary breakpoint 1 at 0x4010f4: file ./turns.ts, line 9.
(gdb) continue
[Switching to Thread 3]

Thread 3 "pid 17 turns" hit Temporary breakpoint 1, work (start=0) at ./turns.ts:9
9	  for (let round: i32 = 0; round < 40_000; round++) {
(gdb) reverse-finish
initialise turns.ts () at ./turns.ts:18
18	const both = work(child);
(gdb) reverse-next
17	const child = fork();
(gdb) reverse-next

No more reverse-execution history.
0x0000000000401023 in fork () at ./palindrome/program.ts:237
237	  return i32(syscall(NR.fork));
(gdb) reverse-next

No more reverse-execution history.
0x0000000000401023 in fork () at ./palindrome/program.ts:237
237	  return i32(syscall(NR.fork));
(gdb) info threads
  Id   Target Id                      Frame 
  1    Thread 1 "kernel" (idle)       InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 turns" (ready) 0x000000000040110e in work (start=<optimized out>) at ./turns.ts:11
* 3    Thread 3 "pid 17 turns" (runs) 0x0000000000401023 in fork () at ./palindrome/program.ts:237
(gdb) monitor when
Position ####### of 0 … #######, in pid 17 turns
0x401023 mov rdi, rax  (initialise turns.ts+0x…, palindrome/program.ts:237:14)
