# trace: guest
# Physical memory lies at addresses of its own.
monitor seek 800
continue
x/gx 0x0100000000000000 + (long)&pml4
x/gx &pml4
x/x 0x0100000010000000
# --------
(gdb) monitor seek 800
The next continue leads to position 800.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) x/gx 0x0100000000000000 + (long)&pml4
0x100000000101000:	0x0000000000103027
(gdb) x/gx &pml4
0x101000 <pml4>:	0x0000000000103027
(gdb) x/x 0x0100000010000000
0x100000010000000:	Cannot access memory at address 0x100000010000000
