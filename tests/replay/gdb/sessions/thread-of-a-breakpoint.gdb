# trace: keel
# at: process:parent
# A breakpoint that is one process's: the other executes the same function in between.
break keel_syscall thread 2
continue
monitor process
continue 5
monitor process
# --------
(gdb) break keel_syscall thread 2
Breakpoint 1 at 0xffffffff8_______: file ./src/kernel/syscalls/entry.ts, line 10.
(gdb) continue
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Breakpoint 1, keel_syscall (frame=0xffffc___________) at ./src/kernel/syscalls/entry.ts:10
10	export function enterSyscall(frame: TrapFrame): boolean {
(gdb) monitor process
* thread 2   pid 1 parent             ready  CR3 0x…001
  thread 3   pid 2 crash              ready  CR3 0x…002
(gdb) continue 5
3
[New Thread 4]
child: 150

Thread 2 "pid 1 parent" hit Breakpoint 1, keel_syscall (frame=0xffffc___________) at ./src/kernel/syscalls/entry.ts:10
10	export function enterSyscall(frame: TrapFrame): boolean {
(gdb) monitor process
* thread 2   pid 1 parent             ready  CR3 0x…001
Thread-specific breakpoint 1 deleted - thread 2 no longer in the thread list.
