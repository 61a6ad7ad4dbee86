# trace: guest
# From user mode back into the kernel, over SYSRET.
monitor kernel into
tbreak *program
continue
info registers rip cs
reverse-stepi
x/i $rip
info registers rip cs
stepi
info registers rip cs
# --------
(gdb) monitor kernel into
stepi, reverse-stepi, reverse-step and reverse-next in user mode go into the kernel.
(gdb) tbreak *program
Temporary breakpoint 1 at 0x1003f0: file ./guest.s, line 288.
(gdb) continue

Temporary breakpoint 1, pvh_start () at ./guest.s:288
288	  mov rbx, 24
(gdb) info registers rip cs
rip            0x1003f0            0x1003f0 <pvh_start+1008>
cs             0x23                35
(gdb) reverse-stepi
82	  sysretq
(gdb) x/i $rip
=> 0x100138 <pvh_start+312>:	sysretq
(gdb) info registers rip cs
rip            0x100138            0x100138 <pvh_start+312>
cs             0x8                 8
(gdb) stepi
288	  mov rbx, 24
(gdb) info registers rip cs
rip            0x1003f0            0x1003f0 <pvh_start+1008>
cs             0x23                35
