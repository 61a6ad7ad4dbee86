# trace: guest
# A software breakpoint is met forwards, and backwards in the other order.
break *round
continue
p $rbx
continue
p $rbx
continue
p $rbx
reverse-continue
p $rbx
reverse-continue
p $rbx
reverse-continue
# --------
(gdb) break *round
Breakpoint 1 at 0x1003fe: file ./guest.s, line 291.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$1 = 24
(gdb) continue
ababab

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$2 = 23
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$3 = 22
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$4 = 23
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$5 = 24
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
