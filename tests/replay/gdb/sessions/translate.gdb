# trace: guest
monitor translate 0x1000
monitor seek 800
continue
monitor translate 0x106000
monitor translate 0xfee00000
monitor translate 0x7fff00000000
# --------
(gdb) monitor translate 0x1000
physical 0x1000, user rwx, page of 4 KiB
(gdb) monitor seek 800
The next continue leads to position 800.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) monitor translate 0x106000
level 4: entry 0x0000000000103027 at 0x0100000000101000
level 3: entry 0x0000000000104027 at 0x0100000000103000
level 2: entry 0x00000000000000e7 at 0x0100000000104000
physical 0x106000, user rwx, page of 2048 KiB
(gdb) monitor translate 0xfee00000
level 4: entry 0x0000000000103027 at 0x0100000000101000
level 3: entry 0x0000000000105027 at 0x0100000000103018
level 2: entry 0x00000000fee000ff at 0x0100000000105fb8
physical 0xfee00000, user rwx, page of 2048 KiB
(gdb) monitor translate 0x7fff00000000
level 4: entry 0x0000000000000000 at 0x01000000001017f8
nothing is mapped at 0x7fff00000000
