# trace: keel
# at: syscall:write:1
# One instruction into the kernel and one back; or past all of it, both ways.
monitor kernel into
x/i $rip
stepi
info registers cs
reverse-stepi
x/i $rip
monitor kernel past
stepi
x/i $rip
info registers rax cs
reverse-stepi
x/i $rip
monitor kernel
# --------
(gdb) monitor kernel into
stepi, reverse-stepi, reverse-step and reverse-next in user mode go into the kernel.
(gdb) x/i $rip
=> 0x4010bb <initialise parent.ts+187>:	syscall
(gdb) stepi
<signal handler called>
(gdb) info registers cs
cs             0x10                16
(gdb) reverse-stepi
0x00000000004010bb in write (fd=<optimized out>, bytes=...) at ./palindrome/program.ts:181
181	  return i32(syscall(NR.write, wrapping.u64(fd), addressOf(bytes), u64(bytes.length)));
(gdb) x/i $rip
=> 0x4010bb <initialise parent.ts+187>:	syscall
(gdb) monitor kernel past
stepi, reverse-stepi, reverse-step and reverse-next in user mode go past the kernel.
(gdb) stepi
0x00000000004010bd	181	  return i32(syscall(NR.write, wrapping.u64(fd), addressOf(bytes), u64(bytes.length)));
(gdb) x/i $rip
=> 0x4010bd <initialise parent.ts+189>:	mov    %rax,%rcx
(gdb) info registers rax cs
rax            0x8                 8
cs             0x33                51
(gdb) reverse-stepi
0x00000000004010bb	181	  return i32(syscall(NR.write, wrapping.u64(fd), addressOf(bytes), u64(bytes.length)));
(gdb) x/i $rip
=> 0x4010bb <initialise parent.ts+187>:	syscall
(gdb) monitor kernel
stepi, reverse-stepi, reverse-step and reverse-next in user mode go past the kernel.
