# trace: odd
# The planted bug of odd-guest.ts, backwards from its symptom: a page was mapped to another frame, and the TLB was not told.
break wrong
continue
p $rax
bt
monitor events stale,page-table-write,tlb-flush -3
monitor seek previous:stale
continue
x/i $rip
monitor translate 0x200000
watch *(long*)(0x0100000000000000 + (long)&window_table)
reverse-continue
x/3i $rip
monitor events tlb-flush 5
# --------
(gdb) break wrong
Breakpoint 1 at 0x10006b: file ./odd.s, line 38.
(gdb) continue

Breakpoint 1, wrong () at ./odd.s:38
38	  mov eax, 1
(gdb) p $rax
$1 = 1
(gdb) bt
#0  wrong () at ./odd.s:38
#1  0x0000000000000000 in ?? ()
(gdb) monitor events stale,page-table-write,tlb-flush -3
          12  tlb-flush flush=all pcid=0 linear=0
          50  page-table-write address=0x104000 before=0x105023 after=0x106003
          54  stale linear=0x200000 access=read cpl=0 rip=0x1000be usedFrame=261 usedRights=13 nowFrame=262 nowRights=13
(gdb) monitor seek previous:stale
The next continue leads to position 54.
(gdb) continue

Program stopped.
use_window () at ./odd.s:73
73	  mov rax, qword ptr [rax]
(gdb) x/i $rip
=> 0x1000be <use_window+7>:	mov    (%rax),%rax
(gdb) monitor translate 0x200000
level 4: entry 0x0000000000102023 at 0x0100000000101000
level 3: entry 0x0000000000103023 at 0x0100000000102000
level 2: entry 0x0000000000104023 at 0x0100000000103008
level 1: entry 0x0000000000106003 at 0x0100000000104000
physical 0x106000, kernel rwx, page of 4 KiB
(gdb) watch *(long*)(0x0100000000000000 + (long)&window_table)
Hardware watchpoint 2: *(long*)(0x0100000000000000 + (long)&window_table)
(gdb) reverse-continue

Hardware watchpoint 2: *(long*)(0x0100000000000000 + (long)&window_table)

Old value = 1073155
New value = 1069091
move_window () at ./odd.s:80
80	  mov qword ptr [window_table], rax
(gdb) x/3i $rip
=> 0x1000cd <move_window+11>:	mov    %rax,0x104000
   0x1000d5 <move_window+19>:	ret
   0x1000d6:	add    %al,(%rax)
(gdb) monitor events tlb-flush 5
no such event
