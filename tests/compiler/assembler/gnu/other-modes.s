.code32
start: cli
mov esp, offset stack_top
mov eax, cr0
or eax, 1 << 31 | 1
mov cr0, eax
mov ecx, 0xC0000080
rdmsr
or eax, 0x100
wrmsr
lgdt [gdtr]
mov edi, offset tables
xor eax, eax
rep stosd
mov dword ptr [tables], offset tables + 0x1003
mov [tables + 4], eax
mov eax, [esp + 4]
mov al, [ebx + ecx*4]
mov byte ptr [ebx], 4
push 8
push eax
push offset start
call start
jmp 0x8:far_label
jmp fword ptr [pointer]
jmp 0x10:start
lret
retf
pushad
popad
int 0x10
inc eax
dec ebx
in al, 0x60
out 0x20, al
mov ds, ax
mov ax, 0x10
mov fs, eax
lea eax, [ebp - 4]
1: jecxz 1b
enter 16, 0
pushf
iret
pusha
push es
pop ds
les eax, [ebx]
far_label: nop
.code64
mov rax, offset start
movabs rax, offset start
mov eax, offset start
.code16
mov ax, 5
mov eax, 5
mov ax, [bx + si]
mov ax, [bp + di + 4]
mov al, [si]
mov [0x7c00], ax
lgdt [gdtr16 - start]
jmp 0x8:0x7c00
mov eax, cr0
or al, 1
mov cr0, eax
int 0x13
lret
retf
retf 4
iret
call far16
jmp far16
jc far16
push ax
popf
lea bx, [si + 4]
loop far16
mov eax, [ebx + ecx*4]
far16: hlt
gdtr: .word 23
.long start
gdtr16: .word 1
pointer: .long start
.word 8
tables: .zero 16
stack_top:
