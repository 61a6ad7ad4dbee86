# trace: guest
# To the next event of a kind and back to the last one.
monitor seek next:syscall
stepi
x/i $rip
monitor seek next:irq
stepi
monitor when
monitor seek previous:syscall:write
stepi
monitor when
monitor seek previous:harness
monitor seek fault:UD
stepi
x/i $rip
# --------
(gdb) monitor seek next:syscall
The next stepi or continue leads to position 856.
(gdb) stepi
pvh_start () at ./guest.s:317
317	  syscall
(gdb) x/i $rip
=> 0x10046f <pvh_start+1135>:	syscall
(gdb) monitor seek next:irq
The next stepi or continue leads to position 1390.
(gdb) stepi
ababab
308	  ror rbp, 3
(gdb) monitor when
Position 1390 of 0 … 4283, in cpu
0x1002f0 jmp 0x1001b1  (pvh_start+0x2f0, guest.s:222:1)
(gdb) monitor seek previous:syscall:write
The next stepi or continue leads to position 856.
(gdb) stepi
317	  syscall
(gdb) monitor when
Position 856 of 0 … 4283, in cpu
0x10046f syscall  (pvh_start+0x46f, guest.s:317:1)
(gdb) monitor seek previous:harness
previous:harness: there is none before 856
(gdb) monitor seek fault:UD
The next stepi or continue leads to position 691.
(gdb) stepi
pvh_start () at ./guest.s:75
75	  ud2
(gdb) x/i $rip
=> 0x10011c <pvh_start+284>:	ud2
