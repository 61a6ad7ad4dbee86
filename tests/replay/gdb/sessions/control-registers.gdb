# trace: guest
# Control registers, with their bits by name, as they come to be.
info registers cr0 cr3 cr4 efer
monitor seek 20
continue
info registers cr0 cr3 cr4 efer cr8 cr2
p $cr0
# --------
(gdb) info registers cr0 cr3 cr4 efer
cr0            0x11                [ PE ET ]
cr3            0x0                 [ PCID=0 PDBR=0 ]
cr4            0x0                 [ ]
efer           0x0                 [ ]
(gdb) monitor seek 20
The next continue leads to position 20.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:28
28	  mov ss, ax
(gdb) info registers cr0 cr3 cr4 efer cr8 cr2
cr0            0x80000011          [ PE ET PG ]
cr3            0x101000            [ PCID=0 PDBR=257 ]
cr4            0x20                [ PAE ]
efer           0x501               [ SCE LME LMA ]
cr8            0x0                 0
cr2            0x0                 0
(gdb) p $cr0
$1 = [ PE ET PG ]
