# trace: guest
# CR3 before and after it is loaded.
break *handle_software
continue
stepi 2
x/i $rip
p $cr3
stepi
p $cr3
reverse-stepi
p $cr3
monitor events context-switch 2
# --------
(gdb) break *handle_software
Breakpoint 1 at 0x1001cc: file ./guest.s, line 144.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:144
144	  push rax
(gdb) stepi 2
146	  mov cr3, rax
(gdb) x/i $rip
=> 0x1001d4 <pvh_start+468>:	mov    %rax,%cr3
(gdb) p $cr3
$1 = [ PCID=0 PDBR=257 ]
(gdb) stepi
147	  mov cr3, rax
(gdb) p $cr3
$2 = [ PCID=0 PDBR=258 ]
(gdb) reverse-stepi
146	  mov cr3, rax
(gdb) p $cr3
$3 = [ PCID=0 PDBR=257 ]
(gdb) monitor events context-switch 2
         846  context-switch 0x101000 → 0x102000
         849  context-switch 0x102000 → 0x101000
