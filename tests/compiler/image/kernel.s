# A kernel of a page: PVH entry in 32-bit code at its physical address, long mode, a jump to the higher half, a line on the serial port.
.section .boot.text
.code32
.global pvh_start
pvh_start:
  cli
  mov esp, offset boot_stack_top
  mov dword ptr [level4], offset level3_low + 3
  mov dword ptr [level4 + 511*8], offset level3_high + 3
  mov dword ptr [level3_low], offset level2 + 3
  mov dword ptr [level3_high + 510*8], offset level2 + 3
  mov dword ptr [level2], 0x83
  mov eax, cr4
  or eax, 1 << 5
  mov cr4, eax
  mov eax, offset level4
  mov cr3, eax
  mov ecx, 0xC0000080
  rdmsr
  or eax, 1 << 8
  wrmsr
  mov eax, cr0
  or eax, 1 << 31
  mov cr0, eax
  lgdt [gdt_pointer]
  jmp 0x8:long_mode
.code64
long_mode:
  mov eax, 0x10
  mov ds, eax
  mov es, eax
  mov ss, eax
  mov rax, offset kernel_main
  jmp rax

.section .boot.rodata
.align 8
gdt: .quad 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF
gdt_pointer:
  .short . - gdt - 1
  .long gdt

.section .boot.bss
.align 4096
level4: .zero 4096
level3_low: .zero 4096
level3_high: .zero 4096
level2: .zero 4096
  .zero 4096
boot_stack_top:

.text
.global kernel_main, print
kernel_main:
  mov rsp, offset stack_top
  lea rdi, [rip + greeting]
  mov ecx, greeting_end - greeting
  call print
  mov rdi, [rip + counter]             # data was loaded
  lea rdi, [rdi + greeting - 42]
  mov ecx, 5
  call print
  lea rax, [rip + __bss_start]         # bss is zero
  lea rdx, [rip + stack_bottom]
1: cmp byte ptr [rax], 0
  jne failed
  inc rax
  cmp rax, rdx
  jb 1b
  cmp dword ptr [rip + text_physical], 0x100000
  jb failed
  mov eax, 0x10
  jmp exit
failed:
  mov eax, 0x20
exit:
  mov edx, 0xf4
  out dx, eax
2: hlt
  jmp 2b

print:
  push rbp
  mov rbp, rsp
  mov edx, 0x3f8
1: mov al, [rdi]
  out dx, al
  inc rdi
  dec ecx
  jnz 1b
  leave
  ret

.section .rodata
greeting: .ascii "Hello from the higher half\n"
greeting_end:
text_physical: .long kernel_main - __virtual_offset
.data
counter: .quad 42
.bss
.align 4096
.zero 8192
stack_bottom: .zero 8192
stack_top:
