# trace: guest
# gdb asks for the condition itself, at each hit.
break *round if $rbx == 20
continue
p $rbx
continue
reverse-continue
p $rbx
# --------
(gdb) break *round if $rbx == 20
Breakpoint 1 at 0x1003fe: file ./guest.s, line 291.
(gdb) continue
ababab

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$1 = 20
(gdb) continue
The run ends here: debug-exit 45.

No more reverse-execution history.
pvh_start () at ./guest.s:128
128	  cli
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$2 = 20
