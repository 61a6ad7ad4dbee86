# trace: guest
monitor when
monitor seek 1_000
monitor when
stepi
monitor when
monitor mark here
monitor seek +500
stepi
monitor when
monitor mark there
monitor mark
monitor seek here
continue
monitor when
monitor seek end
continue
monitor seek start
reverse-continue
monitor when
# --------
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
(gdb) monitor seek 1_000
The next stepi or continue leads to position 1000.
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
(gdb) stepi
ababab
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) monitor when
Position 1000 of 0 … 4283, in cpu
0x100446 ror rbp, 3  (pvh_start+0x446, guest.s:308:1)
(gdb) monitor mark here
here is position 1000
(gdb) monitor seek +500
The next stepi or continue leads to position 1500.
(gdb) stepi
300	  rep stosb
(gdb) monitor when
Position 1500 of 0 … 4283, in cpu
0x100428 rep stosb [rdi]  (pvh_start+0x428, guest.s:300:1)
(gdb) monitor mark there
there is position 1500
(gdb) monitor mark
        1000  here
        1500  there
(gdb) monitor seek here
The next stepi or continue leads to position 1000.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) monitor when
Position 1000 of 0 … 4283, in cpu
0x100446 ror rbp, 3  (pvh_start+0x446, guest.s:308:1)
(gdb) monitor seek end
The next stepi or continue leads to position 4283.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:128
128	  cli
(gdb) monitor seek start
The next stepi or continue leads to position 0.
(gdb) reverse-continue

Program stopped.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
