# trace: guest
# Who reads a word, and who reads or writes it.
rwatch *(long*)&table
continue
x/i $rip
delete 1
awatch *(long*)&ticks
continue
reverse-continue
x/i $rip
# --------
(gdb) rwatch *(long*)&table
Hardware read watchpoint 1: *(long*)&table
(gdb) continue
ababab

Hardware read watchpoint 1: *(long*)&table

Value = 1049744
pvh_start () at ./guest.s:331
331	  xor rbp, 0x55
(gdb) x/i $rip
=> 0x100490 <pvh_start+1168>:	xor    $0x55,%rbp
(gdb) delete 1
(gdb) awatch *(long*)&ticks
Hardware access (read/write) watchpoint 2: *(long*)&ticks
(gdb) continue

Hardware access (read/write) watchpoint 2: *(long*)&ticks

Old value = 1
New value = 2
pvh_start () at ./guest.s:138
138	  push rbx
(gdb) reverse-continue

Hardware access (read/write) watchpoint 2: *(long*)&ticks

Old value = 2
New value = 1
pvh_start () at ./guest.s:137
137	  inc qword ptr [ticks]
(gdb) x/i $rip
=> 0x1001b1 <pvh_start+433>:	incq   0x10604c
