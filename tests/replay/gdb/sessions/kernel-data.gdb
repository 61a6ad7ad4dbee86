# trace: keel
# at: syscall:exit_group:1+100
# keel's own data by the names of its source.
print scheduler.running
print processes[1].pid
print processes[1].state
ptype scheduler
print *processes[1].space
info line keel_syscall
# --------
(gdb) print scheduler.running
$1 = 3
(gdb) print processes[1].pid
$2 = 1
(gdb) print processes[1].state
$3 = 2 '\002'
(gdb) ptype scheduler
type = struct Scheduler {
    i32 running;
    u64 quantum;
}
(gdb) print *processes[1].space
$4 = {table = {root = 1139, pcid = 1, isStale = false, tables = 7, leaves = 5, recent = 1148, recentSpan = 67108863}, regions = {list = {{start = 4194304, end = 4198400, rights = 1, isShared = false}, {start = 4198400, end = 4202496, rights = 5, isShared = false}, {start = 4202496, end = 4206592, rights = 3, isShared = false}, {start = 140737479958528, end = 140737488347136, rights = 3, isShared = false}, {start = 0, end = 0, rights = 0, isShared = false} <repeats 60 times>}, count = 4}, isUsed = true, charged = 12, domain = 0xffffffff8_______ <domains>, heapStart = 4206592, heapEnd = 4206592}
(gdb) info line keel_syscall
Line 10 of "./src/kernel/syscalls/entry.ts" starts at address 0xffffffff8_______ <keel_syscall> and ends at 0xffffffff8_______ <keel_syscall+…>.
