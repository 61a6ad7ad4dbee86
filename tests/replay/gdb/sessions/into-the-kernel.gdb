# trace: keel
# at: process:parent
# A breakpoint in a function of the kernel that a program calls, and out of it backwards.
break exitProcess
continue
print process->pid
print status
up
info locals
reverse-finish
# --------
(gdb) break exitProcess
Breakpoint 1 at 0xffffffff8_______: file ./src/kernel/task/exit.ts, line 42.
(gdb) continue
3
[New Thread 4]
[Switching to Thread 3]

Thread 3 "pid 2 crash" hit Breakpoint 1, exitProcess (process=0xffffffff8_______ <processes+…>, status=11) at ./src/kernel/task/exit.ts:42
42	export function exitProcess(process: Process, status: i32): never {
(gdb) print process->pid
$1 = 2
(gdb) print status
$2 = 11
(gdb) up
#1  0xffffffff8_______ in keel_return_to_user (frame=0xffffc___________) at ./src/kernel/task/return.ts:49
49	    if (action.handler === 0n || !startHandler(process, frame, signal)) exitProcess(process, signalled(signal));
(gdb) info locals
signal = <optimized out>
action = <optimized out>
process = 0xffffffff8_______ <processes+…>
(gdb) reverse-finish
0xffffffff8_______ in keel_return_to_user (frame=0xffffc___________) at ./src/kernel/task/return.ts:49
49	    if (action.handler === 0n || !startHandler(process, frame, signal)) exitProcess(process, signalled(signal));
