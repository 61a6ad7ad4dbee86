# trace: guest
# A counter's writes, forwards and backwards: gdb shows the value before and after.
watch *(long*)&ticks
continue
continue
reverse-continue
reverse-continue
reverse-continue
# --------
(gdb) watch *(long*)&ticks
Hardware watchpoint 1: *(long*)&ticks
(gdb) continue
ababab

Hardware watchpoint 1: *(long*)&ticks

Old value = 0
New value = 1
pvh_start () at ./guest.s:138
138	  push rbx
(gdb) continue

Hardware watchpoint 1: *(long*)&ticks

Old value = 1
New value = 2
pvh_start () at ./guest.s:138
138	  push rbx
(gdb) reverse-continue

Hardware watchpoint 1: *(long*)&ticks

Old value = 2
New value = 1
pvh_start () at ./guest.s:137
137	  inc qword ptr [ticks]
(gdb) reverse-continue

Hardware watchpoint 1: *(long*)&ticks

Old value = 1
New value = 0
pvh_start () at ./guest.s:137
137	  inc qword ptr [ticks]
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
