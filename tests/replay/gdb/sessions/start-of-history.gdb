# trace: guest
# Nothing lies before the first instruction.
reverse-stepi
reverse-continue
reverse-step
info registers rip
monitor when
# --------
(gdb) reverse-stepi

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
(gdb) reverse-step

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
(gdb) info registers rip
rip            0x100000            0x100000 <pvh_start>
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
