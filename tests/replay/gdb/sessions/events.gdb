# trace: guest
# Events out of the trace: those to come, those before, and those of a kind.
monitor events 5
monitor events irq 3
monitor seek 2000
continue
monitor events syscall,sysret -4
monitor events irq exception -2
# --------
(gdb) monitor events 5
           3  cr4 0x0 → 0x20
           3  tlb-flush flush=all pcid=0 linear=0
           5  cr3 0x0 → 0x101000
           5  tlb-flush flush=pcid pcid=0 linear=0
           9  msr 0xc0000080 0x0 → 0x101
(gdb) monitor events irq 3
        1390  irq 32 to 0x1002f0
        2090  irq 32 to 0x1002f0
        2790  irq 32 to 0x1002f0
(gdb) monitor seek 2000
The next continue leads to position 2000.
(gdb) continue
ababab

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) monitor events syscall,sysret -4
         883  sysret result=1
         885  syscall read(fd=1, buffer=0x1004c2, count=1016) at 0x100473
         898  sysret result=-EAGAIN
        1396  iret result=0x19faf8a721ee6be8
(gdb) monitor events irq exception -2
         691  exception #UD at 0x10011c
        1390  irq 32 to 0x1002f0
