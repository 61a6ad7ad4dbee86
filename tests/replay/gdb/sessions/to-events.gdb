# trace: guest
# To the next event of a kind and back to the last one.
monitor seek next:syscall
continue
x/i $rip
monitor seek next:irq
continue
monitor when
monitor seek previous:syscall:write
continue
monitor when
monitor seek previous:harness
monitor seek fault:UD
stepi
x/i $rip
# --------
(gdb) monitor seek next:syscall
The next continue leads to position 856.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:317
317	  syscall
(gdb) x/i $rip
=> 0x10046f <pvh_start+1135>:	syscall
(gdb) monitor seek next:irq
The next continue leads to position 1390.
(gdb) continue
ababab

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) monitor when
Position 1390 of 0 … 4283, in cpu
0x1002f0 jmp 0x1001b1  (pvh_start+0x2f0, guest.s:222:1)
(gdb) monitor seek previous:syscall:write
The next continue leads to position 856.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:317
317	  syscall
(gdb) monitor when
Position 856 of 0 … 4283, in cpu
0x10046f syscall  (pvh_start+0x46f, guest.s:317:1)
(gdb) monitor seek previous:harness
previous:harness: there is none before 856
Protocol error with Rcmd
(gdb) monitor seek fault:UD
The next continue leads to position 691.
(gdb) stepi
ababab
318	  xor eax, eax
(gdb) x/i $rip
=> 0x100471 <pvh_start+1137>:	xor    %eax,%eax
