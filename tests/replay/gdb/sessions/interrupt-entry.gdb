# trace: guest
# A breakpoint on the very first instruction of an interrupt's handler: the interrupt has been delivered, no instruction of the handler executed.
break *((char*)entries + 256)
continue
info registers rip cs
monitor when
stepi
reverse-continue
info registers rip cs
reverse-stepi
info registers rip cs
continue
info registers rip
# --------
(gdb) break *((char*)entries + 256)
Breakpoint 1 at 0x1002f0: file ./guest.s, line 222.
(gdb) continue
ababab

Breakpoint 1, pvh_start () at ./guest.s:222
222	  jmp handle_timer
(gdb) info registers rip cs
rip            0x1002f0            0x1002f0 <pvh_start+752>
cs             0x8                 8
(gdb) monitor when
Position 1390 of 0 … 4283, in cpu
0x1002f0 jmp 0x1001b1  (pvh_start+0x2f0, guest.s:222:1)
(gdb) stepi
137	  inc qword ptr [ticks]
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:222
222	  jmp handle_timer
(gdb) info registers rip cs
rip            0x1002f0            0x1002f0 <pvh_start+752>
cs             0x8                 8
(gdb) reverse-stepi
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) info registers rip cs
rip            0x100446            0x100446 <pvh_start+1094>
cs             0x23                35
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:222
222	  jmp handle_timer
(gdb) info registers rip
rip            0x1002f0            0x1002f0 <pvh_start+752>
