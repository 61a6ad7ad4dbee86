/** Guests (for guest.ts) that store into pages that they execute. Each prints a sum; `stores` is how many stores it makes to code pages. */

/** A counter in the page of the loop that counts. */
const sharing = (stores: number): string => `
  jmp 1f
.balign 4096
shared: .zero 64
1:
  mov rbx, offset shared
  mov ecx, ${stores}
2:
  add qword ptr [rbx + 8], rcx
  dec ecx
  jnz 2b
  mov rax, [rbx + 8]
  call puthex
  jmp finish
.balign 4096
`;

/** The immediate of the very next instruction. */
const patching = (stores: number): string => `
  jmp 1f
.balign 4096
1:
  mov ecx, ${stores}
  xor edx, edx
2:
  mov dword ptr [rip + patched + 1], ecx
patched:
  mov eax, 0x11223344
  add rdx, rax
  dec ecx
  jnz 2b
  mov rax, rdx
  call puthex
  jmp finish
.balign 4096
`;

/** A function at the next place of a page (in the end, at the first again; none of them is a multiple of the others' length), called once. */
const compiling = (stores: number): string => `
  mov r8d, ${Math.ceil(stores / 2)}
  xor edx, edx
  mov rbx, offset page_a
  mov rdi, rbx
2:
  # MOV EAX, imm32; ADD RDX, RAX; RET
  mov eax, r8d
  shl rax, 8
  mov al, 0xB8
  mov rcx, 0x01480000000000
  or rax, rcx
  mov [rdi], rax
  mov word ptr [rdi + 7], 0xC3C2
  call rdi
  add rdi, 13
  lea rax, [rbx + 4000]
  cmp rdi, rax
  cmova rdi, rbx
  dec r8d
  jnz 2b
  mov rax, rdx
  call puthex
  jmp finish
`;

export const SELF_MODIFYING = { sharing, patching, compiling } as const;
