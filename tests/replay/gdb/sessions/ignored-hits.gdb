# trace: guest
# Hits that are ignored count in both directions.
break *round
ignore 1 4
continue
p $rbx
ignore 1 2
reverse-continue
p $rbx
# --------
(gdb) break *round
Breakpoint 1 at 0x1003fe: file ./guest.s, line 291.
(gdb) ignore 1 4
(gdb) continue
ababab

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$1 = 20
(gdb) ignore 1 2
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$2 = 23
