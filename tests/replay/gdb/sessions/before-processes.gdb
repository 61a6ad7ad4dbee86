# trace: keel
# at: 5000
# Before keel has processes, and before it has page tables, there is its own thread.
info threads
bt
info registers cr3
# --------
(gdb) info threads
  Id   Target Id                Frame 
* 1    Thread 1 "kernel" (runs) 0xffffffff8_______ in AddressSpace.new (this=0xffffffff8_______ <addressSpaces+…>) at ./src/kernel/mm/address-space.ts:28
(gdb) bt
#0  0xffffffff8_______ in AddressSpace.new (this=0xffffffff8_______ <addressSpaces+…>) at ./src/kernel/mm/address-space.ts:28
#1  initialise src/kernel/mm/address-space.ts () at ./src/kernel/mm/address-space.ts:210
#2  0xffffffff8_______ in keel_start (startInfoAddress=24576, loader=0) at ./src/kernel/boot/main.ts:30
#3  0x00000000001000bc in multiboot_start () at ./src/kernel/ostd/boot-entry.ts:75
(gdb) info registers cr3
cr3            0x102000            [ PCID=0 PDBR=… ]
