# trace: keel
# at: process:kernel:4-400
# Who wrote a process's state last: instruction, line, and values.
print processes[1].state
monitor last-write 0x402000:4
monitor seek previous:syscall
continue
monitor last-write 0x402000:4
# --------
(gdb) print processes[1].state
$1 = 1 '\001'
(gdb) monitor last-write 0x402000:4
Position #######, in pid 1 parent, 4 bytes at 0x402000, physical 0x489000:
0x40123a mov [rdi], ecx  (Account.deposit+0x…, parent.ts:10:5)
0x00000014 became 0x0000002a
(gdb) monitor seek previous:syscall
The next continue leads to position #######.
(gdb) continue

Thread 2 "pid 1 parent" stopped.
0x0000000000401211 in exit (status=0) at ./palindrome/program.ts:84
84	  syscall(NR.exit_group, u64(status & 0xff));
(gdb) monitor last-write 0x402000:4
Position #######, in pid 1 parent, 4 bytes at 0x402000, physical 0x489000:
0x40123a mov [rdi], ecx  (Account.deposit+0x…, parent.ts:10:5)
0x00000014 became 0x0000002a
