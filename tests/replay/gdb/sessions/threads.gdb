# trace: keel
# at: syscall:exit_group:1+100
# Processes of keel are threads; those that do not run have the registers with which they go on in user mode.
info threads
monitor process
thread 2
info registers rip rsp rax cr3 cs
thread 3
bt 3
monitor process 1
monitor process 17
# --------
(gdb) info threads
  Id   Target Id                         Frame 
  1    Thread 1 "kernel" (idle)          InterruptGuard.[Symbol.dispose] (this=0xffffc___________) at ./src/kernel/ostd/interrupts.ts:13
  2    Thread 2 "pid 1 parent" (blocked) 0x00000000004010f3 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
* 3    Thread 4 "pid 17 parent" (runs)   0xffffffff8_______ in exitProcess (process=0xffffffff8_______ <processes+…>, status=1792) at ./src/kernel/task/exit.ts:47
(gdb) monitor process
  thread 2   pid 1 parent             blocked  CR3 0x…001
* thread 4   pid 17 parent            ready  CR3 0x…003
(gdb) thread 2
[Switching to thread 2 (Thread 2)]
#0  0x00000000004010f3 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
243	  return i32(syscall(NR.wait4, wrapping.u64(i64(pid)), addressOf(status), 0n, 0n));
(gdb) info registers rip rsp rax cr3 cs
rip            0x4010f3            0x4010f3 <initialise parent.ts+243>
rsp            0x7ffffffdded0      0x7ffffffdded0
rax            0x3d                61
cr3            0x473001            [ PCID=1 PDBR=… ]
cs             0x33                51
(gdb) thread 3
[Switching to thread 3 (Thread 4)]
#0  0xffffffff8_______ in exitProcess (process=0xffffffff8_______ <processes+…>, status=1792) at ./src/kernel/task/exit.ts:47
47	  for (let left = process.descriptors.used; left !== 0n; left &= left - 1n) closeDescriptor(process, lowestBit(left));
(gdb) bt 3
#0  0xffffffff8_______ in exitProcess (process=0xffffffff8_______ <processes+…>, status=1792) at ./src/kernel/task/exit.ts:47
#1  0xffffffff8_______ in sysExitGroup (process=0xffffffff8_______ <processes+…>, status=<optimized out>) at ./src/kernel/syscalls/process.ts:32
#2  dispatch (process=0xffffffff8_______ <processes+…>, frame=<optimized out>) at ./src/kernel/syscalls/dispatch.ts:151
(gdb) monitor process 1
pid 1 parent (thread 2), blocked; as it entered the kernel:
rax    0x000000000000003d  rbx    0x0000000000000000  rcx    0x00000000004010f3
rdx    0x0000000000000000  rsi    0x0000000000402028  rdi    0xffffffffffffffff
rbp    0x00007ffffffddee0  rsp    0x00007ffffffdded0  r8     0x0000000000000000
r9     0x0000000000000000  r10    0x0000000000000000  r11    0x0000000000000246
r12    0x0000000000000000  r13    0x0000000000000000  r14    0x0000000000000000
r15    0x0000000000000000  rip    0x00000000004010f3  eflags 0x0000000000000246
cs     0x0000000000000033  ss     0x000000000000002b  fs_base 0x0000000000000000
gs_base 0x0000000000000000
(gdb) monitor process 17
pid 17 parent (thread 4), ready; as it entered the kernel:
rax    0x00000000000000e7  rbx    0x0000000000000000  rcx    0x00000000004011ed
rdx    0x0000000000000001  rsi    0x0000000000400128  rdi    0x0000000000000007
rbp    0x00007ffffffddee0  rsp    0x00007ffffffdded0  r8     0x00007ffffffdde9d
r9     0x0000000000000011  r10    0x0000000000000000  r11    0x0000000000000246
r12    0x0000000000000000  r13    0x0000000000000000  r14    0x0000000000000000
r15    0x0000000000000000  rip    0x00000000004011ed  eflags 0x0000000000000246
cs     0x0000000000000033  ss     0x000000000000002b  fs_base 0x0000000000000000
gs_base 0x0000000000000000
