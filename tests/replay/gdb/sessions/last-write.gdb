# trace: guest
# Who wrote this memory last: by linear and by physical address.
monitor seek end
continue
p/x (long)&ticks
monitor last-write 0x10604c
monitor when
monitor last-write 0x010000000010604c:1
monitor last-write 0x100000
monitor last-write 0x7fff00000000
# --------
(gdb) monitor seek end
The next continue leads to position 4283.
(gdb) continue
ababab

Program stopped.
pvh_start () at ./guest.s:128
128	  cli
(gdb) p/x (long)&ticks
$1 = 0x10604c
(gdb) monitor last-write 0x10604c
Position 4191, in cpu, 8 bytes at 0x10604c, physical 0x10604c:
0x1001b1 inc qword ptr [0x10604c]  (pvh_start+0x1b1, guest.s:137:1)
0x0000000000000004 became 0x0000000000000005
(gdb) monitor when
Position 4283 of 0 … 4283, in cpu
the end: debug-exit 45
(gdb) monitor last-write 0x010000000010604c:1
Position 4191, in cpu, 8 bytes at 0x10604c, physical 0x10604c:
0x1001b1 inc qword ptr [0x10604c]  (pvh_start+0x1b1, guest.s:137:1)
0x04 became 0x05
(gdb) monitor last-write 0x100000
Nobody has written there since the start.
(gdb) monitor last-write 0x7fff00000000
nothing is mapped at 0x7fff00000000 now
Protocol error with Rcmd
