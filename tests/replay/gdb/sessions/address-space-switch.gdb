# trace: keel
# at: process:crash-40
# Over a switch to another process and back: CR3, and whose code it is.
info threads
monitor seek next:context-switch
continue
x/i $rip
p $cr3
stepi
p $cr3
reverse-stepi
p $cr3
monitor when
# --------
(gdb) info threads
  Id   Target Id                        Frame 
  1    Thread 1 "kernel" (idle)         InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
* 2    Thread 2 "pid 1 parent" (runs)   0xffffffff8_______ in Scheduler.run (this=<optimized out>) at ./src/kernel/task/scheduler.ts:41
  3    Thread 3 "pid 2 crash" (ready)   0x0000000000401240 in Account.deposit (this=0x0) at ./parent.ts:11
  4    Thread 4 "pid 17 parent" (ready) 0x000000000040105a in fork () at ./palindrome/program.ts:237
(gdb) monitor seek next:context-switch
The next continue leads to position #######.
(gdb) continue

Thread 2 "pid 1 parent" stopped.
0xffffffff8_______ in PageTable.activate (this=0xffffffff8_______ <addressSpaces+…>) at ./src/kernel/ostd/page-table.ts:224
224	    writeCr(3, value);
(gdb) x/i $rip
=> 0xffffffff8_______ <PageTable.activate+…>:	mov    %rax,%cr3
(gdb) p $cr3
$1 = [ PCID=1 PDBR=… ]
(gdb) stepi
0xffffffff8_______	224	    writeCr(3, value);
(gdb) p $cr3
$2 = [ PCID=2 PDBR=… ]
(gdb) reverse-stepi
0xffffffff8_______	224	    writeCr(3, value);
(gdb) p $cr3
$3 = [ PCID=1 PDBR=… ]
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 parent
0xffffffff8_______ mov cr3, rax  (PageTable.activate+0x…, src/kernel/ostd/page-table.ts:224:5)
