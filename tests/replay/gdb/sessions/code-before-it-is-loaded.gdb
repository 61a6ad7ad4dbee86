# trace: keel
# Breakpoints in the kernel before paging is on, and in a program before it is loaded: files say what will be there.
x/2i _start
break keel_run
break parent.ts:34
info breakpoints
continue
continue
bt 2
# --------
(gdb) x/2i _start
   0x401410 <_start>:	add    %al,(%rax)
   0x401412 <_start+…>:	add    %al,(%rax)
(gdb) break keel_run
Breakpoint 1 at 0xffffffff8_______: file ./src/kernel/boot/main.ts, line 47.
(gdb) break parent.ts:34
Breakpoint 2 at 0x401031: file ./parent.ts, line 37.
(gdb) info breakpoints
Num     Type           Disp Enb Address            What
1       breakpoint     keep y   0xffffffff8_______ in keel_run at ./src/kernel/boot/main.ts:47
2       breakpoint     keep y   0x0000000000401031 in initialise parent.ts at ./parent.ts:37
(gdb) continue
keel: starting

Breakpoint 1, keel_run () at ./src/kernel/boot/main.ts:47
47	  setPageLimits();
(gdb) continue
[New Thread 2]
[New Thread 3]
[Switching to Thread 2]

Thread 2 "pid 1 parent" hit Breakpoint 2, initialise parent.ts () at ./parent.ts:37
37	account.deposit(20);
(gdb) bt 2
#0  initialise parent.ts () at ./parent.ts:37
#1  0x00000000004013f0 in palindrome_start (at=<optimized out>) at ./palindrome/program.ts:77
