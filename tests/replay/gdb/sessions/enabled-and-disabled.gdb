# trace: guest
# Of two breakpoints only the one that is enabled is met.
break *once
break *twice
disable 1
continue
enable 1
disable 2
continue
disable 1
enable 2
reverse-continue
# --------
(gdb) break *once
Breakpoint 1 at 0x100490: file ./guest.s, line 331.
(gdb) break *twice
Breakpoint 2 at 0x10048b: file ./guest.s, line 329.
(gdb) disable 1
(gdb) continue

Breakpoint 2, pvh_start () at ./guest.s:329
329	  call once
(gdb) enable 1
(gdb) disable 2
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:331
331	  xor rbp, 0x55
(gdb) disable 1
(gdb) enable 2
(gdb) reverse-continue

Breakpoint 2, pvh_start () at ./guest.s:329
329	  call once
