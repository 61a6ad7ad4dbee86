# trace: guest
# Single instructions forwards and back again, and how registers follow.
stepi
stepi
info registers rip rsp
reverse-stepi
info registers rip
stepi 3
info registers rip cr4
reverse-stepi 2
info registers rip cr4
# --------
(gdb) stepi
pvh_start () at ./guest.s:7
7	  mov eax, cr4
(gdb) stepi
8	  or eax, 0x20
(gdb) info registers rip rsp
rip            0x100008            0x100008 <pvh_start+8>
rsp            0x106d10            0x106d10 <stack_top>
(gdb) reverse-stepi
7	  mov eax, cr4
(gdb) info registers rip
rip            0x100005            0x100005 <pvh_start+5>
(gdb) stepi 3
10	  mov eax, offset pml4
(gdb) info registers rip cr4
rip            0x10000e            0x10000e <pvh_start+14>
cr4            0x20                [ PAE ]
(gdb) reverse-stepi 2
8	  or eax, 0x20
(gdb) info registers rip cr4
rip            0x100008            0x100008 <pvh_start+8>
cr4            0x0                 [ ]
