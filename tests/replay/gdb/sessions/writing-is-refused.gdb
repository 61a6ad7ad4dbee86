# trace: guest
# A recording cannot be changed.
set var $rax = 5
set var *(int*)&ticks = 1
p $rax
# --------
(gdb) set var $rax = 5
Could not write register "rax"; remote failure reply 'E.this is a recording, its registers cannot be changed; "palindrome branch" goes on from a position with others'
(gdb) set var *(int*)&ticks = 1
Cannot access memory at address 0x10604c
(gdb) p $rax
$1 = 0
