# trace: guest
# The same with the handler of a fault.
break *((char*)entries + 48)
continue
info registers rip cs
x/gx $rsp
stepi
reverse-stepi
continue
reverse-continue
info registers rip
# --------
(gdb) break *((char*)entries + 48)
Breakpoint 1 at 0x100220: file ./guest.s, line 170.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:170
170	  jmp handle_ud
(gdb) info registers rip cs
rip            0x100220            0x100220 <pvh_start+544>
cs             0x8                 8
(gdb) x/gx $rsp
0x106ce8 <buffer+2072>:	0x000000000010011c
(gdb) stepi
134	  add qword ptr [rsp], 2
(gdb) reverse-stepi

Breakpoint 1, pvh_start () at ./guest.s:170
170	  jmp handle_ud
(gdb) continue
ababab
The run ends here: debug-exit 45.

No more reverse-execution history.
pvh_start () at ./guest.s:128
128	  cli
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:170
170	  jmp handle_ud
(gdb) info registers rip
rip            0x100220            0x100220 <pvh_start+544>
