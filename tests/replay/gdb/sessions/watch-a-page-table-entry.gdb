# trace: odd
# The entry by its physical address: the walker's accessed and dirty bits are seen too.
p/x (long)&window_table
watch *(long*)(0x0100000000000000 + (long)&window_table)
continue
x/i $rip
continue
x/i $rip
continue
reverse-continue
reverse-continue
# --------
(gdb) p/x (long)&window_table
$1 = 0x104000
(gdb) watch *(long*)(0x0100000000000000 + (long)&window_table)
Hardware watchpoint 1: *(long*)(0x0100000000000000 + (long)&window_table)
(gdb) continue

Hardware watchpoint 1: *(long*)(0x0100000000000000 + (long)&window_table)

Old value = 1069059
New value = 1069091
use_window () at ./odd.s:74
74	  ret
(gdb) x/i $rip
=> 0x1000c1 <use_window+10>:	ret
(gdb) continue

Hardware watchpoint 1: *(long*)(0x0100000000000000 + (long)&window_table)

Old value = 1069091
New value = 1073155
move_window () at ./odd.s:81
81	  ret
(gdb) x/i $rip
=> 0x1000d5 <move_window+19>:	ret
(gdb) continue
The run ends here: debug-exit 1.

No more reverse-execution history.
leave () at ./odd.s:43
43	  hlt
(gdb) reverse-continue

Hardware watchpoint 1: *(long*)(0x0100000000000000 + (long)&window_table)

Old value = 1073155
New value = 1069091
move_window () at ./odd.s:80
80	  mov qword ptr [window_table], rax
(gdb) reverse-continue

Hardware watchpoint 1: *(long*)(0x0100000000000000 + (long)&window_table)

Old value = 1069091
New value = 1069059
use_window () at ./odd.s:73
73	  mov rax, qword ptr [rax]
