# trace: guest
# An interrupt is delivered between two instructions: back from its handler to the code that it interrupted.
monitor kernel into
break *handle_timer
continue
info registers rip cs
stepi
reverse-stepi
info registers rip cs
reverse-stepi
info registers rip cs
stepi
stepi
info registers rip cs
# --------
(gdb) monitor kernel into
stepi, reverse-stepi, reverse-step and reverse-next in user mode go into the kernel.
(gdb) break *handle_timer
Breakpoint 1 at 0x1001b1: file ./guest.s, line 137.
(gdb) continue
ababab

Breakpoint 1, pvh_start () at ./guest.s:137
137	  inc qword ptr [ticks]
(gdb) info registers rip cs
rip            0x1001b1            0x1001b1 <pvh_start+433>
cs             0x8                 8
(gdb) stepi
138	  push rbx
(gdb) reverse-stepi

Breakpoint 1, pvh_start () at ./guest.s:137
137	  inc qword ptr [ticks]
(gdb) info registers rip cs
rip            0x1001b1            0x1001b1 <pvh_start+433>
cs             0x8                 8
(gdb) reverse-stepi
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) info registers rip cs
rip            0x100446            0x100446 <pvh_start+1094>
cs             0x23                35
(gdb) stepi

Breakpoint 1, pvh_start () at ./guest.s:137
137	  inc qword ptr [ticks]
(gdb) stepi
138	  push rbx
(gdb) info registers rip cs
rip            0x1001b9            0x1001b9 <pvh_start+441>
cs             0x8                 8
