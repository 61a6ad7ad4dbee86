# trace: guest
# From the handler of an invalid opcode back to the instruction that faulted.
break *handle_ud
continue
x/2gx $rsp
stepi
reverse-stepi
reverse-stepi
x/i $rip
monitor events exception 1
# --------
(gdb) break *handle_ud
Breakpoint 1 at 0x1001aa: file ./guest.s, line 134.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:134
134	  add qword ptr [rsp], 2
(gdb) x/2gx $rsp
0x106ce8 <buffer+2072>:	0x000000000010011c	0x0000000000000008
(gdb) stepi
135	  iretq
(gdb) reverse-stepi

Breakpoint 1, pvh_start () at ./guest.s:134
134	  add qword ptr [rsp], 2
(gdb) reverse-stepi
pvh_start () at ./guest.s:75
75	  ud2
(gdb) x/i $rip
=> 0x10011c <pvh_start+284>:	ud2
(gdb) monitor events exception 1
         691  exception #UD at 0x10011c
