# trace: odd
# By its linear address an entry is seen where code writes to it, not where the walker sets its bits.
watch *(long*)&window_table
continue
x/2i $rip
continue
reverse-continue
# --------
(gdb) watch *(long*)&window_table
Hardware watchpoint 1: *(long*)&window_table
(gdb) continue

Hardware watchpoint 1: *(long*)&window_table

Old value = 1069059
New value = 1073155
move_window () at ./odd.s:81
81	  ret
(gdb) x/2i $rip
=> 0x1000d5 <move_window+19>:	ret
   0x1000d6:	add    %al,(%rax)
(gdb) continue
The run ends here: debug-exit 1.

No more reverse-execution history.
leave () at ./odd.s:43
43	  hlt
(gdb) reverse-continue

Hardware watchpoint 1: *(long*)&window_table

Old value = 1073155
New value = 1069091
move_window () at ./odd.s:80
80	  mov qword ptr [window_table], rax
