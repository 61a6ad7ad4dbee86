# trace: guest
# Memory by linear address, in several forms, and where nothing is.
x/2xg &pml4
x/s &message
x/3i program
p *(char(*)[2])&message
x/x 0x7fff00000000
p *(int*)0
find &message, +100, 'b'
# --------
(gdb) x/2xg &pml4
0x101000 <pml4>:	0x0000000000103007	0x0000000000000000
(gdb) x/s &message
0x1004c0 <pvh_start+1216>:	"ab"
(gdb) x/3i program
   0x1003f0 <pvh_start+1008>:	mov    $0x18,%rbx
   0x1003f7 <pvh_start+1015>:	mov    $0x3039,%rbp
   0x1003fe <pvh_start+1022>:	imul   $0x41c64e6d,%rbp,%rbp
(gdb) p *(char(*)[2])&message
$1 = "ab"
(gdb) x/x 0x7fff00000000
0x7fff00000000:	0x00
(gdb) p *(int*)0
$2 = 0
(gdb) find &message, +100, 'b'
0x1004c1 <pvh_start+1217>
1 pattern found.
