# trace: guest
# A temporary breakpoint is met once, in either direction.
monitor seek end
continue
tbreak *twice
reverse-continue
monitor when
reverse-continue
monitor when
# --------
(gdb) monitor seek end
The next continue leads to position 4283.
(gdb) continue
ababab

Program stopped.
pvh_start () at ./guest.s:128
128	  cli
(gdb) tbreak *twice
Temporary breakpoint 1 at 0x10048b: file ./guest.s, line 329.
(gdb) reverse-continue

Temporary breakpoint 1, pvh_start () at ./guest.s:329
329	  call once
(gdb) monitor when
Position 3899 of 0 … 4283, in cpu
0x10048b call 0x100490  (pvh_start+0x48b, guest.s:329:1)
(gdb) reverse-continue

No more reverse-execution history.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
