# trace: guest
# The run's end is said, and going on from it does nothing.
continue
monitor when
continue
stepi
reverse-stepi
monitor when
# --------
(gdb) continue
ababab
The run ends here: debug-exit 45.

No more reverse-execution history.
pvh_start () at ./guest.s:128
128	  cli
(gdb) monitor when
Position 4283 of 0 … 4283, in cpu
the end: debug-exit 45
(gdb) continue
The run ends here: debug-exit 45.

No more reverse-execution history.
pvh_start () at ./guest.s:128
128	  cli
(gdb) stepi
The run ends here: debug-exit 45.

No more reverse-execution history.
pvh_start () at ./guest.s:128
128	  cli
(gdb) reverse-stepi
126	  out dx, eax
(gdb) monitor when
Position 4282 of 0 … 4283, in cpu
0x1001a5 out dx, eax  (pvh_start+0x1a5, guest.s:126:1)
