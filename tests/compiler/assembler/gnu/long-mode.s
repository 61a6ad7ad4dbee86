start:
mov rax, cr3
mov cr3, rax
mov eax, 5
mov rax, -1
mov rax, 0x123456789abcdef0
movabs rbx, 5
mov al, 0xff
mov byte ptr [rdi], 7
mov dword ptr [rdi + rcx*4 + 16], 0x12345678
mov qword ptr [rsp - 8], -1
mov rax, gs:[0]
mov rax, qword ptr gs:[8]
mov qword ptr gs:[0x10], rsp
mov rdx, fs:[rax + 8]
lea rdi, [rip + message]
lea rsi, [rax + rax*2 - 4]
lea r12, [r13]
lea r12, [r12 + 8]
add rax, 8
add eax, 1000
sub rsp, 128
add rsp, -128
xor eax, eax
test al, 1
test rdi, rdi
cmp qword ptr [rip + message], 0
cmp eax, 0xffffffff
push rbp
push 5
push 1000
push qword ptr [rax]
pop r15
pushfq
popfq
jmp start
je start
jne far1
call start
call rax
call qword ptr [rip + message]
jmp qword ptr [rax*8 + message]
ret
iretq
swapgs
syscall
sysretq
rdmsr
wrmsr
cpuid
rep movsb
rep stosq
repne scasb
lock cmpxchg qword ptr [rdi], rsi
lock xadd [rdi], eax
xchg rax, rbx
xchg [rdi], al
inb:
in al, dx
out dx, al
in eax, dx
out dx, eax
out 0x80, al
cli
sti
hlt
nop
ud2
int3
int 0x80
invlpg [rax]
lgdt [rip + message]
lidt [rdi]
lidt [rdi + 16]
ltr ax
mov ds, ax
mov ax, ss

movzx eax, byte ptr [rsi]
movzx eax, al
movsx rax, word ptr [rsi]
movsxd rax, edi
shl rax, 12
shr eax, cl
sar byte ptr [rax], 1
rol rdx, 5
imul rax, rbx
imul rax, rbx, 10
imul eax, [rdi], 1000
mul rcx
div qword ptr [rsp]
neg rax
not rdx
bsf rax, rdi
bt rax, 5
bts qword ptr [rdi], 3
popcnt rax, rdi
cmovne rax, rdi
setne al
cqo
cdqe
cdq
fxsave [rdi]
fxrstor64 [rdi]
clac
stac
leave
mov rax, [rsp]
mov rax, [rbp]
mov rax, [r12]
mov rax, [r13 + r14*8]
mov eax, [rax]
mov [rax], ah
1: dec rax
jnz 1b
jmp 1f
.align 16
1: loop 1b
jrcxz 1b
far1:
wbinvd
rdtsc
lfence
mfence
pause
bswap rax
movq xmm0, rax
movsd xmm1, qword ptr [rdi]
addsd xmm0, xmm1
cvtsi2sd xmm0, rax
ud2
message: .quad start, far1 - start
.long external, external - .
mov rax, offset message
mov edi, offset message + 4
mov rax, [message]
mov rax, message[rdi*8]
mov r8, external[rip]
call external
jmp external
jz external
retfq
retf
retfw
