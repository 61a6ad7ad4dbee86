# trace: keel
# at: syscall:exit_group:1+100
# One address in two processes: memory is the selected thread's.
print account.balance
print account.changes
thread 2
print account.balance
print account.changes
print account.history
# --------
(gdb) print account.balance
$1 = 142
(gdb) print account.changes
$2 = 3
(gdb) thread 2
[Switching to thread 2 (Thread 2)]
#0  0x00000000004010f3 in wait (pid=-1, status=...) at ./palindrome/program.ts:243
243	  return i32(syscall(NR.wait4, wrapping.u64(i64(pid)), addressOf(status), 0n, 0n));
(gdb) print account.balance
$3 = 42
(gdb) print account.changes
$4 = 2
(gdb) print account.history
$5 = {20, 22, 0, 0}
