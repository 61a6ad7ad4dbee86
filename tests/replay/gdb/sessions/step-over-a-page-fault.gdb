# trace: keel
# at: fault:PF:-1-2
# A source line whose store faults: step stays in the program.
stepi
stepi
stepi
info registers cs
reverse-stepi
next
monitor events exception -1
# --------
(gdb) stepi
0x0000000000401118	92	  writeAll(STDOUT, bytesOf(text));
(gdb) stepi
0x000000000040111d	92	  writeAll(STDOUT, bytesOf(text));
(gdb) stepi
writeAll (fd=1, bytes=...) at ./palindrome/program.ts:185
185	export function writeAll(fd: i32, bytes: Uint8Array): i32 {
(gdb) info registers cs
cs             0x33                51
(gdb) reverse-stepi
0x000000000040111d in print (text=...) at ./palindrome/program.ts:92
92	  writeAll(STDOUT, bytesOf(text));
(gdb) next
parent: 42
initialise parent.ts () at ./parent.ts:44
44	printNumber(sum(account.history, account.changes));
(gdb) monitor events exception -1
     #######  exception #PF code=0x7 write of 0x7ffffffddec8 by user, page present at 0x40111d
