# trace: guest
# What gdb shows at each stop, and where it runs to by itself.
display/x $rbp
advance *program
advance *round
stepi
undisplay 1
advance *once
reverse-continue
# --------
(gdb) display/x $rbp
(gdb) advance *program
pvh_start () at ./guest.s:288
288	  mov rbx, 24
1: /x $rbp = 0x0
(gdb) advance *round
pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
1: /x $rbp = 0x3039
(gdb) stepi
292	  add rbp, 7
1: /x $rbp = 0xc63d3dbe645
(gdb) undisplay 1
(gdb) advance *once
pvh_start () at ./guest.s:331
331	  xor rbp, 0x55
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
