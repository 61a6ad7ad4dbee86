# trace: keel
# at: process:parent
# A watchpoint on a field of a program, over a fork: all processes have it at one address.
monitor program parent
sharedlibrary
info sharedlibrary
watch account.balance
continue
continue
continue
bt 1
continue
bt 1
info threads
reverse-continue
reverse-continue
bt 1
# --------
(gdb) monitor program parent
* /bin/parent
  /bin/crash
"sharedlibrary" makes gdb read its symbols.
(gdb) sharedlibrary
(gdb) info sharedlibrary
From                To                  Syms Read   Shared Object Library
0x0000000000400000  0x0000000000402038  Yes         target:/bin/parent
(gdb) watch account.balance
Hardware watchpoint 1: account.balance
(gdb) continue
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Hardware watchpoint 1: account.balance

Old value = <unreadable>
New value = 20
Account.deposit (this=0x402000 <account>) at ./parent.ts:11
11	    this.history[this.changes] = amount;
(gdb) continue

Thread 2 "pid 1 parent" hit Hardware watchpoint 1: account.balance

Old value = 20
New value = 42
Account.deposit (this=0x402000 <account>) at ./parent.ts:11
11	    this.history[this.changes] = amount;
(gdb) continue
3
[New Thread 4]
[Switching to Thread 4]

Thread 4 "pid 17 parent" hit Hardware watchpoint 1: account.balance

Old value = 42
New value = 142
Account.deposit (this=0x402000 <account>) at ./parent.ts:11
11	    this.history[this.changes] = amount;
(gdb) bt 1
#0  Account.deposit (this=0x402000 <account>) at ./parent.ts:11
(gdb) continue
child: 150
parent: 42
keel: all programs have ended
The run ends here: debug-exit 0.

No more reverse-execution history.
[Switching to Thread 1]
leave (code=<optimized out>) at ./src/kernel/ostd/panic.ts:25
25	    cli();
(gdb) bt 1
#0  leave (code=<optimized out>) at ./src/kernel/ostd/panic.ts:25
(gdb) info threads
  Id   Target Id                Frame 
* 1    Thread 1 "kernel" (runs) leave (code=<optimized out>) at ./src/kernel/ostd/panic.ts:25
(gdb) reverse-continue
[New Thread 4]
[New Thread 2]
[Switching to Thread 4]

Thread 5 "pid 17 parent" hit Hardware watchpoint 1: account.balance

Old value = 142
New value = 42
0x000000000040123a in Account.deposit (this=0x402000 <account>) at ./parent.ts:10
10	    this.balance += amount;
(gdb) reverse-continue
[New Thread 3]
[Switching to Thread 2]

Thread 6 "pid 1 parent" hit Hardware watchpoint 1: account.balance

Old value = 42
New value = 20
0x000000000040123a in Account.deposit (this=0x402000 <account>) at ./parent.ts:10
10	    this.balance += amount;
(gdb) bt 1
#0  0x000000000040123a in Account.deposit (this=0x402000 <account>) at ./parent.ts:10
