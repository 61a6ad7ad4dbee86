# trace: keel
# at: fault:PF:3
# From the crash to the write that caused it: the process that was killed followed a pointer; who wrote it?
monitor program crash
sharedlibrary
info sharedlibrary
monitor events exception 1
x/i $rip
bt
print/x at
print/x first
watch first.next
reverse-continue
bt
info locals
list
# --------
(gdb) monitor program crash
  /bin/parent
* /bin/crash
"sharedlibrary" makes gdb read its symbols.
(gdb) sharedlibrary
(gdb) info sharedlibrary
From                To                  Syms Read   Shared Object Library
0x0000000000400000  0x0000000000402028  Yes         target:/bin/crash
(gdb) monitor events exception 1
     #######  exception #PF code=0x4 read of 0x112233440001 by user, page not present at 0x4010af
(gdb) x/i $rip
=> 0x4010af <initialise crash.ts+175>:	mov    (%rcx),%rax
(gdb) bt
#0  walk (start=4202496) at ./crash.ts:20
#1  initialise crash.ts () at ./crash.ts:30
#2  0x0000000000401220 in palindrome_start (at=<optimized out>) at ./palindrome/program.ts:77
#3  0x000000000040124e in _start () at ./palindrome/program.ts:64
(gdb) print/x at
$1 = 0x112233440001
(gdb) print/x first
$2 = {value = 0x112233440000, next = 0x112233440001}
(gdb) watch first.next
Hardware watchpoint 1: first.next
(gdb) reverse-continue

Thread 3 "pid 2 crash" hit Hardware watchpoint 1: first.next

Old value = 18838586654721
New value = 4202512
fill (address=4202496, words=1) at ./crash.ts:15
15	  for (let word: u64 = 0n; word <= words; word++) store64(address + 8n * word, 0x1122_3344_0000n + word);
(gdb) bt
#0  fill (address=4202496, words=1) at ./crash.ts:15
#1  initialise crash.ts () at ./crash.ts:29
#2  0x0000000000401220 in palindrome_start (at=<optimized out>) at ./palindrome/program.ts:77
#3  0x000000000040124e in _start () at ./palindrome/program.ts:64
(gdb) info locals
word = 1
(gdb) list
10	const first = new Node();
11	const second = new Node();
12	
13	/** Fills a node's value, and one word too many. */
14	function fill(address: u64, words: u64): void {
15	  for (let word: u64 = 0n; word <= words; word++) store64(address + 8n * word, 0x1122_3344_0000n + word);
16	}
17	
18	function walk(start: u64): u64 {
19	  let total: u64 = 0n;
