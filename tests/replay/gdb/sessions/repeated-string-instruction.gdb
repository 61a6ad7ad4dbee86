# trace: guest
# Each iteration of a REP is a position of its own.
break *round
continue
delete
advance 300
x/i $rip
p $rcx
stepi 3
p $rcx
reverse-stepi 2
p $rcx
# --------
(gdb) break *round
Breakpoint 1 at 0x1003fe: file ./guest.s, line 291.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:291
291	  imul rbp, rbp, 1103515245
(gdb) delete
(gdb) advance 300
pvh_start () at ./guest.s:300
300	  rep stosb
(gdb) x/i $rip
=> 0x100428 <pvh_start+1064>:	rep stos %al,%es:(%rdi)
(gdb) p $rcx
$1 = 37
(gdb) stepi 3
300	  rep stosb
(gdb) p $rcx
$2 = 34
(gdb) reverse-stepi 2
300	  rep stosb
(gdb) p $rcx
$3 = 36
