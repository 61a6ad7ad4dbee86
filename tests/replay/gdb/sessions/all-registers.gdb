# trace: guest
monitor seek 800
continue
monitor registers
info registers
# --------
(gdb) monitor seek 800
The next continue leads to position 800.
(gdb) continue

Program stopped.
pvh_start () at ./guest.s:308
308	  ror rbp, 3
(gdb) monitor registers
CPL                 0x0000000000000003  TSC                 0x0000000000000320  CR0                 0x0000000080000011
CR2                 0x0000000000000000  CR3                 0x0000000000101000  CR4                 0x0000000000000020
CR8                 0x0000000000000000  EFER                0x0000000000000501  GDTR                0x0000000000106000
IDTR                0x00000000001060d0  TR                  0x0000000000106060  LDTR                0x0000000000000000
DR0                 0x0000000000000000  DR1                 0x0000000000000000  DR2                 0x0000000000000000
DR3                 0x0000000000000000  DR6                 0x00000000ffff0ff0  DR7                 0x0000000000000400
IA32_STAR           0x0010000800000000  IA32_LSTAR          0x000000000010013b  IA32_CSTAR          0x0000000000000000
IA32_FMASK          0x0000000000000200  IA32_KERNEL_GS_BASE 0x0000000000000000  IA32_TSC_AUX        0x0000000000000000
IA32_PAT            0x0007040600070406  IA32_SPEC_CTRL      0x0000000000000000  IA32_APIC_BASE      0x00000000fee00900
IA32_TSC_DEADLINE   0x0000000000000000
(gdb) info registers
rax            0xc63d3dbe64c       13622895699532
rbx            0x18                24
rcx            0x14                20
rdx            0x1004a8            1049768
rsi            0x0                 0
rdi            0x1064f5            1074421
rbp            0xc63d3dbe64f0      0xc63d3dbe64f0
rsp            0x107510            0x107510
r8             0x0                 0
r9             0x0                 0
r10            0x0                 0
r11            0x202               514
r12            0x0                 0
r13            0x0                 0
r14            0x0                 0
r15            0x0                 0
rip            0x100446            0x100446 <pvh_start+1094>
eflags         0x202               [ IF IOPL=0 ]
cs             0x23                35
ss             0x1b                27
ds             0x10                16
es             0x10                16
fs             0x10                16
gs             0x10                16
fs_base        0x0                 0
gs_base        0x0                 0
k_gs_base      0x0                 0
cr0            0x80000011          [ PE ET PG ]
cr2            0x0                 0
cr3            0x101000            [ PCID=0 PDBR=257 ]
cr4            0x20                [ PAE ]
cr8            0x0                 0
efer           0x501               [ SCE LME LMA ]
