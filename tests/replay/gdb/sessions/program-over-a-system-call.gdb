# trace: keel
# at: process:parent
# Lines that make system calls: step, next, finish and the same backwards stay in the program.
tbreak parent.ts:44
continue
next
step
finish
reverse-next
reverse-next
next
step
next
reverse-step
reverse-finish
monitor when
# --------
(gdb) tbreak parent.ts:44
Temporary breakpoint 1 at 0x401122: parent.ts:44. (2 locations)
(gdb) continue
3
child: 150
parent: 42
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Temporary breakpoint 1.1, initialise parent.ts () at ./parent.ts:44
44	printNumber(sum(account.history, account.changes));
(gdb) next
45	print('\n');
(gdb) step
print (text=...) at ./palindrome/program.ts:92
92	  writeAll(STDOUT, bytesOf(text));
(gdb) finish
initialise parent.ts () at ./parent.ts:46
46	exit(0);
(gdb) reverse-next
45	print('\n');
(gdb) reverse-next
44	printNumber(sum(account.history, account.changes));
(gdb) next
45	print('\n');
(gdb) step
print (text=...) at ./palindrome/program.ts:92
92	  writeAll(STDOUT, bytesOf(text));
(gdb) next
initialise parent.ts () at ./parent.ts:46
46	exit(0);
(gdb) reverse-step
exit (status=0) at ./palindrome/program.ts:84
84	  syscall(NR.exit_group, u64(status & 0xff));
(gdb) reverse-finish
initialise parent.ts () at ./parent.ts:45
45	print('\n');
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 parent
0x4011f4 mov edi, 1  (initialise parent.ts+0x…, palindrome/program.ts:92:3)
