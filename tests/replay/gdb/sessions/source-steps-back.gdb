# trace: keel
# at: process:parent
# The same lines backwards.
break parent.ts:43
continue
reverse-next
reverse-next
reverse-next
reverse-next
print account.balance
reverse-step
print this->balance
print this->history
reverse-finish
reverse-next
print account.balance
# --------
(gdb) break parent.ts:43
Breakpoint 1 at 0x401122: parent.ts:43. (2 locations)
(gdb) continue
3
child: 150
parent: 42
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Breakpoint 1.1, initialise parent.ts () at ./parent.ts:44
44	printNumber(sum(account.history, account.changes));
(gdb) reverse-next
43	print('parent: ');
(gdb) reverse-next
[New Thread 3]
[New Thread 4]
42	wait(-1, status);
(gdb) reverse-next
41	write(ends[1], message);
(gdb) reverse-next
40	close(ends[0]);
(gdb) print account.balance
$1 = 42
(gdb) reverse-step
close (fd=<optimized out>) at ./palindrome/program.ts:216
216	  return i32(syscall(NR.close, wrapping.u64(fd)));
(gdb) print this->balance
No symbol "this" in current context.
(gdb) print this->history
No symbol "this" in current context.
(gdb) reverse-finish
initialise parent.ts () at ./parent.ts:39
39	if (fork() === 0) child();
(gdb) reverse-next
38	account.deposit(22);
(gdb) print account.balance
$2 = 20
