# trace: guest
# From the kernel's entry back into user mode, and the other way.
monitor kernel into
break *system_call
continue
info registers rip cs rcx rax
reverse-stepi
info registers rip cs rcx rax
x/i $rip
stepi
info registers rip cs rcx
# --------
(gdb) monitor kernel into
stepi, reverse-stepi, reverse-step and reverse-next in user mode go into the kernel.
(gdb) break *system_call
Breakpoint 1 at 0x10013b: file ./guest.s, line 85.
(gdb) continue

Breakpoint 1, pvh_start () at ./guest.s:85
85	  mov r12, rsp
(gdb) info registers rip cs rcx rax
rip            0x10013b            0x10013b <pvh_start+315>
cs             0x8                 8
rcx            0x100471            1049713
rax            0x1                 1
(gdb) reverse-stepi
317	  syscall
(gdb) info registers rip cs rcx rax
rip            0x10046f            0x10046f <pvh_start+1135>
cs             0x23                35
rcx            0x0                 0
rax            0x1                 1
(gdb) x/i $rip
=> 0x10046f <pvh_start+1135>:	syscall
(gdb) stepi

Breakpoint 1, pvh_start () at ./guest.s:85
85	  mov r12, rsp
(gdb) info registers rip cs rcx
rip            0x10013b            0x10013b <pvh_start+315>
cs             0x8                 8
rcx            0x100471            1049713
