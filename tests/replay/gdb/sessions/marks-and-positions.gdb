# trace: guest
monitor when
monitor seek 1_000
monitor when
stepi
monitor when
monitor mark here
monitor seek +500
continue
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
The next continue leads to position 1000.
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
(gdb) stepi
pvh_start () at ./guest.s:7
7	  mov eax, cr4
(gdb) monitor when
Position 1 of 0 … 4283, in cpu
0x100005 mov eax, cr4  (pvh_start+0x5, guest.s:7:1)
(gdb) monitor mark here
here is position 1
(gdb) monitor seek +500
The next continue leads to position 501.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:41
41	  add rdi, 16
(gdb) monitor when
Position 501 of 0 … 4283, in cpu
0x10007e add rdi, 0x10  (pvh_start+0x7e, guest.s:41:1)
(gdb) monitor mark there
there is position 501
(gdb) monitor mark
           1  here
         501  there
(gdb) monitor seek here
The next continue leads to position 1.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:7
7	  mov eax, cr4
(gdb) monitor when
Position 1 of 0 … 4283, in cpu
0x100005 mov eax, cr4  (pvh_start+0x5, guest.s:7:1)
(gdb) monitor seek end
The next continue leads to position 4283.
(gdb) continue
ababab

Program stopped.
pvh_start () at ./guest.s:128
128	  cli
(gdb) monitor seek start
The next continue leads to position 0.
(gdb) reverse-continue

Program stopped.
pvh_start () at ./guest.s:6
6	  mov esp, offset stack_top
(gdb) monitor when
Position 0 of 0 … 4283, in cpu
0x100000 mov esp, 0x106d10  (pvh_start, guest.s:6:1)
