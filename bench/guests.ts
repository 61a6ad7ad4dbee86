/** Bare-metal guests of the bench: one PVH image each, for our machine and for QEMU. Each ends by isa-debug-exit. */

/** 64-bit code with an identity map of the first GiB and a stack, that ends by writing EAX to isa-debug-exit. */
const guest = (code: string): string => `import { assembly } from 'palindrome/intrinsics';
assembly(\`
.section .boot, "ax"
.code32
.global pvh_start
pvh_start:
    mov eax, offset boot_tables
    mov ecx, offset boot_tables + 4096 + 3
    mov dword ptr [eax], ecx
    mov ecx, offset boot_tables + 8192 + 3
    mov dword ptr [eax + 4096], ecx
    mov ecx, 0x83
    mov edx, 0
map_next:
    mov dword ptr [eax + edx*8 + 8192], ecx
    mov dword ptr [eax + edx*8 + 8196], 0
    add ecx, 0x200000
    inc edx
    cmp edx, 512
    jne map_next
    mov cr3, eax
    mov eax, cr4
    or eax, 0x620
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x101
    wrmsr
    mov eax, cr0
    or eax, 0x80000001
    and eax, -5
    or eax, 2
    mov cr0, eax
    lgdt [boot_gdt_pointer]
    jmp 0x08:boot_long
.code64
boot_long:
    mov ax, 0x10
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, offset boot_stack_end
${code}
    mov edx, 0xf4
    out dx, eax
.align 8
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
boot_gdt_pointer:
    .short 23
    .long boot_gdt
.section .boot.bss, "aw"
.align 4096
boot_tables:
    .zero 12288
boot_stack:
    .zero 16384
boot_stack_end:
.align 4096
data:
    .zero 4194304
\`);
`;

export const GUESTS: Readonly<Record<string, string>> = {
  'integer loop': guest(`
    mov ecx, 60000000
    mov rax, 0x9e3779b97f4a7c15
    xor ebx, ebx
next:
    mov rdx, rax
    shr rdx, 29
    xor rax, rdx
    imul rax, rax, 1664525
    add rbx, rax
    rol rbx, 7
    lea rax, [rax + rcx*2 + 1]
    dec ecx
    jne next
    mov eax, ebx
    and eax, 63`),
  'memory and branches': guest(`
    mov ebp, 40
again:
    xor ecx, ecx
    xor ebx, ebx
    mov edi, offset data
fill:
    mov eax, ecx
    imul eax, eax, 0x9e3779b1
    mov dword ptr [rdi + rcx*4], eax
    inc ecx
    cmp ecx, 1000000
    jne fill
    xor ecx, ecx
scan:
    mov eax, dword ptr [rdi + rcx*4]
    test eax, 0x800
    je skip
    add ebx, eax
    xor dword ptr [rdi + rcx*4], ebx
skip:
    inc ecx
    cmp ecx, 1000000
    jne scan
    dec ebp
    jne again
    mov eax, ebx
    and eax, 63`),
  calls: guest(`
    mov edi, 35
    call fib
    and eax, 63
    jmp done
fib:
    cmp edi, 2
    jb fib_small
    push rbx
    push rdi
    dec edi
    call fib
    mov ebx, eax
    pop rdi
    sub edi, 2
    call fib
    add eax, ebx
    pop rbx
    ret
fib_small:
    mov eax, edi
    ret
done:`),
};
