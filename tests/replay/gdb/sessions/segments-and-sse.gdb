# trace: guest
# Segment registers and those of SSE and the x87.
monitor seek 800
continue
info registers cs ss ds es fs gs fs_base gs_base k_gs_base
p $xmm0.uint128
p $mxcsr
info float
# --------
(gdb) monitor seek 800
The next continue leads to position 800.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) info registers cs ss ds es fs gs fs_base gs_base k_gs_base
cs             0x23                35
ss             0x1b                27
ds             0x10                16
es             0x10                16
fs             0x10                16
gs             0x10                16
fs_base        0x0                 0
gs_base        0x0                 0
k_gs_base      0x0                 0
(gdb) p $xmm0.uint128
$1 = 0
(gdb) p $mxcsr
$2 = [ IM DM ZM OM UM PM RC=0 ]
(gdb) info float
  R7: Empty   0x00000000000000000000
  R6: Empty   0x00000000000000000000
  R5: Empty   0x00000000000000000000
  R4: Empty   0x00000000000000000000
  R3: Empty   0x00000000000000000000
  R2: Empty   0x00000000000000000000
  R1: Empty   0x00000000000000000000
=>R0: Empty   0x00000000000000000000

Status Word:         0x0000                                            
                       TOP: 0
Control Word:        0x037f   IM DM ZM OM UM PM
                       PC: Extended Precision (64-bits)
                       RC: Round to nearest
Tag Word:            0xffff
Instruction Pointer: 0x00:0x00000000
Operand Pointer:     0x00:0x00000000
Opcode:              0x0000
