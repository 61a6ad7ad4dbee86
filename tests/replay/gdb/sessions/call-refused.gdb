# trace: keel
# at: process:parent
# A function of the debugged program cannot be called: that would change the recording.
break sum
continue
print sum(values, 1)
print keel_syscall(0)
info registers rip
# --------
(gdb) break sum
Breakpoint 1 at 0x401128: file ./parent.ts, line 23.
(gdb) continue
3
child: 150
parent: 42
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Breakpoint 1, sum (values=..., count=2) at ./parent.ts:23
23	  for (let i = 0; i < count; i++) total += values[i];
(gdb) print sum(values, 1)
Cannot access memory at address 0x7ffffffdde4f
(gdb) print keel_syscall(0)
Cannot access memory at address 0x7ffffffdde4f
(gdb) info registers rip
rip            0x401128            0x401128 <initialise parent.ts+296>
