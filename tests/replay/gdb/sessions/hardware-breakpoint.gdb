# trace: guest
# The same with a hardware breakpoint.
hbreak *round
continue
continue
reverse-continue
p $rbx
info breakpoints
delete 1
reverse-continue
# --------
(gdb) hbreak *round
Hardware assisted breakpoint 1 at 0x1003fe: file ./guest.s, line 291.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) continue
ababab

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) reverse-continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) p $rbx
$1 = 24
(gdb) info breakpoints
Num     Type           Disp Enb Address            What
1       hw breakpoint  keep y   0x00000000001003fe in pvh_start at ./guest.s:291
	breakpoint already hit 3 times
(gdb) delete 1
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
