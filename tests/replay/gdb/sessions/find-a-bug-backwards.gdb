# trace: planted
# at: process:unmapped
# A planted bug of the page tables, found backwards from its symptom: docs/how-to/find-a-bug-backwards.md shows this session.
continue
break unmapped.ts:18
reverse-continue
list 12,18
print/x page
print/x word[0]
monitor translate 0x7fffeffff000
set $physical = 0x0100000000000000
set $table = (*(long*)($physical + ((long)$cr3 & ~0xfff) + 8 * (page >> 39 & 511))) & ~0xfff
set $table = (*(long*)($physical + $table + 8 * (page >> 30 & 511))) & ~0xfff
set $table = (*(long*)($physical + $table + 8 * (page >> 21 & 511))) & ~0xfff
watch *(long*)($physical + $table + 8 * (page >> 12 & 511))
reverse-continue
bt 6
list
delete
tbreak page-table.ts:205
continue
x/12i $rip
finish
monitor events tlb-flush,stale 1
# --------
(gdb) continue
read after munmap: 0xd1ffe2e47
keel: all programs have ended
The run ends here: debug-exit 0.

No more reverse-execution history.
leave (code=<optimized out>) at ./src/kernel/ostd/panic.ts:25
25	    cli();
(gdb) break unmapped.ts:18
Breakpoint 1 at 0x4010e2: file ./unmapped.ts, line 19.
(gdb) reverse-continue
[New Thread 2]
[Switching to Thread 2]

Thread 3 "pid 1 unmapped" hit Breakpoint 1, initialise unmapped.ts () at ./unmapped.ts:19
19	printHex(word[0]);
(gdb) list 12,18
12	const page = wrapping.u64(mmap(0n, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
13	fill(page);
14	munmap(page, PAGE);
15	const other = wrapping.u64(mmap(page + 16n * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS));
16	store64(other, 0xd1ffe2e47n);
17	word[0] = load64(page);
18	print('read after munmap: ');
(gdb) print/x page
$1 = 0x7fffeffff000
(gdb) print/x word[0]
$2 = 0xd1ffe2e47
(gdb) monitor translate 0x7fffeffff000
level 4: entry 0x0000000000…027 at 0x0100000000…7f8
level 3: entry 0x0000000000…027 at 0x0100000000…ff8
level 2: entry 0x0000000000…027 at 0x0100000000…bf8
level 1: entry 0x0000000000000000 at 0x0100000000…ff8
nothing is mapped at 0x7fffeffff000
(gdb) set $physical = 0x0100000000000000
(gdb) set $table = (*(long*)($physical + ((long)$cr3 & ~0xfff) + 8 * (page >> 39 & 511))) & ~0xfff
(gdb) set $table = (*(long*)($physical + $table + 8 * (page >> 30 & 511))) & ~0xfff
(gdb) set $table = (*(long*)($physical + $table + 8 * (page >> 21 & 511))) & ~0xfff
(gdb) watch *(long*)($physical + $table + 8 * (page >> 12 & 511))
Hardware watchpoint 2: *(long*)($physical + $table + 8 * (page >> 12 & 511))
(gdb) reverse-continue

Thread 3 "pid 1 unmapped" hit Hardware watchpoint 2: *(long*)($physical + $table + 8 * (page >> 12 & 511))

Old value = 0
New value = …
0xffffffff8_______ in PageTable.unmap (this=0xffffffff8_______ <addressSpaces>) at ./src/kernel/ostd/page-table.ts:166
166	    tableEntries(this.leafTable(page))[indexAt(page, 0n)] = 0n;
(gdb) bt 6
#0  0xffffffff8_______ in PageTable.unmap (this=0xffffffff8_______ <addressSpaces>) at ./src/kernel/ostd/page-table.ts:166
#1  0xffffffff8_______ in AddressSpace.remove (this=0xffffffff8_______ <addressSpaces>, start=140737219915776) at ./src/kernel/mm/address-space.ts:133
#2  0xffffffff8_______ in sysMunmap (process=0xffffffff8_______ <processes+…>, address=<optimized out>, length=<optimized out>) at ./src/kernel/syscalls/memory.ts:115
#3  dispatch (process=0xffffffff8_______ <processes+…>, frame=<optimized out>) at ./src/kernel/syscalls/dispatch.ts:47
#4  0xffffffff8_______ in keel_syscall (frame=0xffffc___________) at ./src/kernel/syscalls/entry.ts:13
#5  <signal handler called>
(gdb) list
161	
162	  /** Takes a page away and gives back its frame, whose count the caller now holds; NO_FRAME where it was not mapped. */
163	  unmap(page: u64): Frame {
164	    const entry = this.find(page);
165	    if ((entry & MAPPED) === 0n) return NO_FRAME;
166	    tableEntries(this.leafTable(page))[indexAt(page, 0n)] = 0n;
167	    this.leaves--;
168	    this.invalidate(page);
169	    return entryFrame(entry);
170	  }
(gdb) delete
(gdb) tbreak page-table.ts:205
Temporary breakpoint 3 at 0xffffffff8_______: file ./src/kernel/ostd/page-table.ts, line 205.
(gdb) continue

Thread 3 "pid 1 unmapped" hit Temporary breakpoint 3, PageTable.invalidate (this=0xffffffff8_______ <addressSpaces>) at ./src/kernel/ostd/page-table.ts:205
205	    if (this.isActive) invlpg(page);
(gdb) x/12i $rip
=> 0xffffffff8_______ <PageTable.invalidate+…>:	mov    %r12,%rdi
   0xffffffff8_______ <PageTable.invalidate+…>:	call   0xffffffff8_______ <PageTable.get_isActive>
   0xffffffff8_______ <PageTable.invalidate+…>:	test   %al,%al
   0xffffffff8_______ <PageTable.invalidate+…>:	je     0xffffffff8_______ <PageTable.invalidate+…>
   0xffffffff8_______ <PageTable.invalidate+…>:	test   %rbx,%rbx
   0xffffffff8_______ <PageTable.invalidate+…>:	jne    0xffffffff8_______ <PageTable.invalidate+…>
   0xffffffff8_______ <PageTable.invalidate+…>:	mov    %rbx,%rax
   0xffffffff8_______ <PageTable.invalidate+…>:	invlpg (%rax)
   0xffffffff8_______ <PageTable.invalidate+…>:	jmp    0xffffffff8_______ <PageTable.invalidate+…>
   0xffffffff8_______ <PageTable.invalidate+…>:	movb   $0x1,0x10(%r12)
   0xffffffff8_______ <PageTable.invalidate+…>:	mov    -0x8(%rbp),%rbx
   0xffffffff8_______ <PageTable.invalidate+…>:	mov    -0x10(%rbp),%r12
(gdb) finish
PageTable.unmap (this=0xffffffff8_______ <addressSpaces>) at ./src/kernel/ostd/page-table.ts:169
169	    return entryFrame(entry);
(gdb) monitor events tlb-flush,stale 1
     #######  stale linear=0x7fffeffff000 access=read cpl=3 rip=0x4010c2 usedFrame=… usedRights=11 nowFrame=0 nowRights=0
