# trace: guest
# A kernel whose processes nobody knows is one thread.
info threads
monitor process
monitor program
monitor context kernel
monitor context nothing
# --------
(gdb) info threads
  Id   Target Id             Frame 
* 1    Thread 1 "cpu" (runs) pvh_start () at ./guest.s:6
(gdb) monitor process
keel has no processes now
(gdb) monitor program
the trace has no programs
(gdb) monitor context kernel
Threads that do not run have the registers with which they go on in the kernel; gdb asks for them at its next stop.
(gdb) monitor context nothing
user or kernel: with which registers a thread goes on there
Protocol error with Rcmd
