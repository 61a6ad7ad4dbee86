# trace: guest
# What monitor knows, and what it says to what it does not.
monitor help
monitor wen
monitor
monitor seek nowhere
monitor events no-such
monitor process 12
monitor last-write here
monitor mark 1+1
monitor kernel never
# --------
(gdb) monitor help
monitor help                                   this list
monitor when                                   the position: how many instructions have retired
monitor seek POSITION                          where the next continue leads: 123, +1, end, MARK, next:irq, previous:syscall:write …
monitor mark [NAME]                            gives this position a name; without one, lists them
monitor events [KIND,…] [COUNT]                the next events (the last ones, where COUNT is negative), of these kinds
monitor process [PID]                          the processes of keel; of one of them, its registers in user mode
monitor context user|kernel                    which registers threads have that do not run
monitor kernel into|past                       whether single steps of user mode go into the kernel, or past it (at first)
monitor program [NAME|auto]                    which one gdb means, of programs that lie at the same addresses
monitor last-write ADDRESS[:LENGTH]            who wrote this memory last before now
monitor translate ADDRESS                      the page tables’ way to a linear address
monitor registers                              all of the CPU’s registers, those that gdb does not know among them
Physical memory lies at 0x0100000000000000: x/gx, watch and the like reach it there.
(gdb) monitor wen
there is no monitor command "wen"; "monitor help" lists them
Protocol error with Rcmd
(gdb) monitor
there is no monitor command ""; "monitor help" lists them
Protocol error with Rcmd
(gdb) monitor seek nowhere
"nowhere" is no position: there is no mark, and there are no events, of this name
Protocol error with Rcmd
(gdb) monitor events no-such
there is no event "no-such"; kinds: irq exception software-interrupt syscall sysret enter-user enter-kernel control-register msr debug-register descriptor-table tlb-flush stale supervisor-user-access page-table-write port-in port-out mmio input output harness halt context-switch
Protocol error with Rcmd
(gdb) monitor process 12
there is no process 12 now; "monitor process" lists those that there are
Protocol error with Rcmd
(gdb) monitor last-write here
"here" is no address: 0x… or a number, and :LENGTH up to 4096 where it is not 8 bytes
Protocol error with Rcmd
(gdb) monitor mark 1+1
"1+1" cannot be the name of a mark: letters, digits, _ and . (up to 64), a letter first
Protocol error with Rcmd
(gdb) monitor kernel never
into or past: what single steps of user mode do with the kernel
Protocol error with Rcmd
