# trace: guest
# A watchpoint on several bytes; REP STOSB writes one at a time, and each is an instruction.
monitor seek 700
continue
watch *(char(*)[4])&buffer
continue
p $rcx
continue
p $rcx
reverse-continue
p $rcx
# --------
(gdb) monitor seek 700
The next continue leads to position 700.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:288
288	  mov rbx, 24
(gdb) watch *(char(*)[4])&buffer
Hardware watchpoint 1: *(char(*)[4])&buffer
(gdb) continue

Hardware watchpoint 1: *(char(*)[4])&buffer

Old value = "\000\000\000"
New value = "L\000\000"
pvh_start () at ./guest.s:300
300	  rep stosb
(gdb) p $rcx
$1 = 36
(gdb) continue

Hardware watchpoint 1: *(char(*)[4])&buffer

Old value = "L\000\000"
New value = "LL\000"
pvh_start () at ./guest.s:300
300	  rep stosb
(gdb) p $rcx
$2 = 35
(gdb) reverse-continue

Hardware watchpoint 1: *(char(*)[4])&buffer

Old value = "LL\000"
New value = "L\000\000"
pvh_start () at ./guest.s:300
300	  rep stosb
(gdb) p $rcx
$3 = 36
