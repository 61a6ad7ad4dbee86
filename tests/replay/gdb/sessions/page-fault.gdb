# trace: keel
# at: fault:PF:1-1
# A store to a page that is not there yet: into the kernel's handler and back over the fault.
monitor kernel into
stepi
info registers rip cr2
info symbol $rip
stepi
reverse-stepi
reverse-stepi
info registers rip cr2
x/i $rip
# --------
(gdb) monitor kernel into
stepi, reverse-stepi, reverse-step and reverse-next in user mode go into the kernel.
(gdb) stepi
77	  stack = at;
(gdb) info registers rip cr2
rip            0x4013e4            0x4013e4 <palindrome_start+…>
cr2            0x0                 0
(gdb) info symbol $rip
palindrome_start + 4 in section .text of target:/bin/parent
(gdb) stepi
<signal handler called>
(gdb) reverse-stepi
palindrome_start (at=140737488215808) at ./palindrome/program.ts:77
77	  stack = at;
(gdb) reverse-stepi
0x00000000004013e1	76	function _start(at: u64): never {
(gdb) info registers rip cr2
rip            0x4013e1            0x4013e1 <palindrome_start+…>
cr2            0x0                 0
(gdb) x/i $rip
=> 0x4013e1 <palindrome_start+…>:	mov    %rsp,%rbp
