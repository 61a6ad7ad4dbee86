# trace: keel
# at: process:parent
# Backwards over single instructions that enter the kernel, past it; another process ran in between.
break parent.ts:43
continue
reverse-next
x/i $rip
monitor when
reverse-stepi
stepi
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
(gdb) x/i $rip
=> 0x40110c <initialise parent.ts+268>:	mov    $0x1,%edi
(gdb) monitor when
Position ####### of 0 … #######, in pid 1 parent
0x40110c mov edi, 1  (initialise parent.ts+0x…, palindrome/program.ts:92:3)
(gdb) reverse-stepi
0x0000000000401106 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
243	  return i32(syscall(NR.wait4, wrapping.u64(i64(pid)), addressOf(status), 0n, 0n));
(gdb) stepi
print (text=...) at ./palindrome/program.ts:92
92	  writeAll(STDOUT, bytesOf(text));
