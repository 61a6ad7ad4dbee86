# trace: keel
# at: process:parent
# Source lines of a program, forwards: step into a call, finish it, step over those that make system calls.
break parent.ts:37
continue
next
step
info locals
print this->balance
finish
print account.balance
next
next
next
next
# --------
(gdb) break parent.ts:37
Breakpoint 1 at 0x401031: file ./parent.ts, line 37.
(gdb) continue
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Breakpoint 1, initialise parent.ts () at ./parent.ts:37
37	account.deposit(20);
(gdb) next
38	account.deposit(22);
(gdb) step
Account.deposit (this=0x402000 <account>) at ./parent.ts:10
10	    this.balance += amount;
(gdb) info locals
amount = 22
(gdb) print this->balance
$1 = 20
(gdb) finish
initialise parent.ts () at ./parent.ts:39
39	if (fork() === 0) child();
(gdb) print account.balance
$2 = 42
(gdb) next
[New Thread 4]
40	close(ends[0]);
(gdb) next
41	write(ends[1], message);
(gdb) next
42	wait(-1, status);
(gdb) next
3
child: 150
43	print('parent: ');
