/** Faults and their error codes, CR2 and addresses: one guest that provokes them one after the other. Judged by what is expected here and by QEMU. */
import { expectFault, print, user, WINDOW } from './guest.ts';

export interface FaultCase {
  readonly label: string;
  readonly code: string;
  /** What follows the label: `#vector code [cr2]`, a prefix of the line. */
  readonly expected: string;
  readonly atCpl3?: boolean;
  /** Why QEMU 7.2 (TCG) prints something else, where it does: it is left out there. */
  readonly qemu?: string;
}

const map = (entry: string, high = '0') => `
  mov dword ptr [window_pt + 16], offset ${entry}
  mov dword ptr [window_pt + 20], ${high}
  invlpg [${WINDOW + 0x2000}]
`;
const at = `0x${(WINDOW + 0x2000).toString(16)}`;

// biome-ignore format: one case a line
export const FAULT_CASES: readonly FaultCase[] = [
  { label: 'divide by zero',              code: 'xor edx, edx\n mov eax, 1\n xor ecx, ecx\n div ecx', expected: '#0 0' },
  { label: 'divide overflow',             code: 'mov edx, 5\n xor eax, eax\n mov ecx, 2\n div ecx', expected: '#0 0' },
  { label: 'invalid opcode',              code: 'ud2', expected: '#6 0' },
  { label: 'breakpoint',                  code: 'int3', expected: '#3 0' },
  { label: 'non-canonical load',          code: 'mov rax, 0x800000000000\n mov rax, [rax]', expected: '#d 0' },
  { label: 'non-canonical store',         code: 'mov rbx, 0xFFFF7FFFFFFFFFFF\n mov [rbx], al', expected: '#d 0' },
  { label: 'canonical straddle',          code: 'mov rbx, 0x7FFFFFFFFFFC\n mov rax, [rbx]', expected: '#d 0', qemu: 'translates before it looks at the last byte' },
  { label: 'non-canonical stack',         code: 'mov rsp, 0x800000000010\n push rax', expected: '#8 0' },
  { label: 'non-canonical by rbp',        code: 'mov rbp, 0x800000000000\n mov rax, [rbp]', expected: '#c 0', qemu: 'says #GP' },
  { label: 'non-canonical jump',          code: 'mov rax, 0x800000000000\n jmp rax', expected: '#d 0', qemu: 'faults at the target' },
  { label: 'not present read',            code: `mov rax, [${at}]`, expected: '#e 0 40002000' },
  { label: 'not present write',           code: `mov [${at}], rax`, expected: '#e 2 40002000' },
  { label: 'not present modify',          code: `add dword ptr [${at}], 1`, expected: '#e 2 40002000', qemu: 'reads first' },
  { label: 'not present execute',         code: `mov rax, ${at}\n jmp rax`, expected: '#e 10 40002000' },
  { label: 'not present upper',           code: 'mov rax, [0x80000123]', expected: '#e 0 80000123' },
  { label: 'second page of a straddle',   code: `${map('page_c + 3')} mov rax, [${at} + 0xffc]`, expected: '#e 0 40003000' },
  { label: 'write to read-only, WP=1',    code: `${map('page_c + 1')} mov [${at} + 8], rax`, expected: '#e 3 40002008' },
  { label: 'write to read-only, WP=0',    code: `${map('page_c + 1')} mov rax, cr0\n and rax, -65537\n mov cr0, rax\n mov [${at}], rax\n or rax, 65536\n mov cr0, rax`, expected: 'none' },
  { label: 'no execute',                  code: `${map('page_c + 3', '0x80000000')} mov rax, ${at}\n jmp rax`, expected: '#e 11 40002000' },
  { label: 'no execute can be read',      code: `${map('page_c + 3', '0x80000000')} mov rax, [${at}]`, expected: 'none' },
  { label: 'reserved bit',                code: `${map('page_c + 3', '0x00080000')} mov rax, [${at}]`, expected: '#e 9 40002000', qemu: 'leaves P clear' },
  { label: 'SMEP',                        code: `${map('page_c + 7')} mov rax, cr4\n or rax, 0x100000\n mov cr4, rax\n mov rax, ${at}\n jmp rax`, expected: '#e 11 40002000' },
  { label: 'SMAP read',                   code: `${map('page_c + 7')} mov rax, cr4\n or rax, 0x200000\n mov cr4, rax\n mov rax, [${at}]`, expected: '#e 1 40002000' },
  { label: 'SMAP write',                  code: `mov [${at}], rax`, expected: '#e 3 40002000' },
  { label: 'SMAP with AC',                code: `stac\n mov rax, [${at}]\n mov [${at}], rax\n clac`, expected: 'none' },
  { label: 'SMAP after CLAC',             code: `stac\n mov rax, [${at}]\n clac\n mov rax, [${at}]`, expected: '#e 1 40002000' },
  { label: 'SMAP off again',              code: `mov rax, cr4\n and rax, -3145729\n mov cr4, rax\n mov rax, [${at}]`, expected: 'none' },
  { label: 'bad selector',                code: 'mov eax, 0x70\n mov ds, ax', expected: '#d 70' },
  { label: 'system segment in DS',        code: 'mov eax, 0x28\n mov ds, ax', expected: '#d 28' },
  { label: 'LDT selector without LDT',    code: 'mov eax, 0x0c\n mov es, ax', expected: '#d c', qemu: 'allows it' },
  { label: 'user data in SS',             code: 'mov eax, 0x1b\n mov ss, ax', expected: '#d 18' },
  { label: 'null SS at CPL 0',            code: 'xor eax, eax\n mov ss, ax\n mov eax, 0x10\n mov ss, ax', expected: 'none' },
  { label: 'LTR of a busy TSS',           code: 'mov eax, 0x28\n ltr ax', expected: '#d 28' },
  { label: 'gate beyond the IDT',         code: 'int 0x80', expected: '#d 402', qemu: 'counts 16 a vector' },
  { label: 'gate not present',            code: 'and byte ptr [idt + 0x31 * 16 + 5], 0x7f\n int 0x31', expected: '#b 18a', qemu: 'counts 16 a vector' },
  { label: 'gate of a bad type',          code: 'mov byte ptr [idt + 0x32 * 16 + 5], 0x89\n int 0x32', expected: '#d 192', qemu: 'counts 16 a vector' },
  { label: 'unknown MSR read',            code: 'mov ecx, 0x12345\n rdmsr', expected: '#d 0', qemu: 'reads zero' },
  { label: 'non-canonical LSTAR',         code: 'mov ecx, 0xC0000082\n mov edx, 0x8000\n xor eax, eax\n wrmsr', expected: '#d 0', qemu: 'takes it' },
  { label: 'EFER reserved bit',           code: 'mov ecx, 0xC0000080\n rdmsr\n or edx, 1\n wrmsr', expected: '#d 0', qemu: 'takes it' },
  { label: 'EFER.LME under paging',       code: 'mov ecx, 0xC0000080\n rdmsr\n and eax, -257\n wrmsr', expected: '#d 0', qemu: 'takes it' },
  { label: 'CR0 upper half',              code: 'mov rax, 0x180010033\n mov cr0, rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'CR0.PG without PE',           code: 'mov eax, 0x80000030\n mov cr0, rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'CR4 without PAE',             code: 'mov rax, cr4\n and rax, -33\n mov cr4, rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'CR8 above 15',                code: 'mov eax, 16\n mov cr8, rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'device not available',        code: 'mov rax, cr0\n or rax, 8\n mov cr0, rax\n pxor xmm0, xmm0', expected: '#7 0' },
  { label: 'after CLTS',                  code: 'clts\n pxor xmm0, xmm0', expected: 'none' },
  { label: 'misaligned MOVAPS',           code: 'movaps xmm0, [pml4 + 8]', expected: '#d 0' },
  { label: 'double fault',                code: `mov rsp, ${at} - 0x1000\n mov qword ptr [window_pt + 8], 0\n invlpg [0x40001000]\n mov rax, [${at} + 0x5000]`, expected: '#8 0' },
  { label: 'IRET to a bad selector',      code: 'mov eax, 0x10\n push rax\n push rsp\n push 2\n push 0x70\n push 0\n iretq', expected: '#d 70' },
  { label: 'IRET to non-canonical',       code: 'push 0x10\n push rsp\n push 2\n push 8\n mov rax, 0x800000000000\n push rax\n iretq', expected: '#d 0', qemu: 'faults at the target' },
  { label: 'IRET with NT',                code: 'pushfq\n or qword ptr [rsp], 0x4000\n popfq\n iretq', expected: '#d 0' },
  { label: 'user invalid opcode',         code: 'ud2', expected: '#6 0', atCpl3: true },
  { label: 'user system call',            code: 'nop\n syscall', expected: 'syscall 40000003 2 ', atCpl3: true },
  { label: 'user HLT',                    code: 'hlt', expected: '#d 0', atCpl3: true },
  { label: 'user CLI',                    code: 'cli', expected: '#d 0', atCpl3: true },
  { label: 'user IN',                     code: 'in al, dx', expected: '#d 0', atCpl3: true },
  { label: 'user MOV CR',                 code: 'mov rax, cr3', expected: '#d 0', atCpl3: true },
  { label: 'user RDMSR',                  code: 'rdmsr', expected: '#d 0', atCpl3: true },
  { label: 'user SWAPGS',                 code: 'swapgs', expected: '#d 0', atCpl3: true },
  { label: 'user LGDT',                   code: 'lgdt [rsp]', expected: '#d 0', atCpl3: true },
  { label: 'user INT of a DPL 0 gate',    code: 'int 0x20', expected: '#d 102', atCpl3: true, qemu: 'counts 16 a vector' },
  { label: 'user INT3',                   code: 'int3', expected: '#3 0', atCpl3: true },
  { label: 'user SYSRET',                 code: 'sysretq', expected: '#d 0', atCpl3: true },
  { label: 'user read of the kernel',     code: 'mov rax, [0x100000]', expected: '#e 5 100000', atCpl3: true },
  { label: 'user write to the kernel',    code: 'mov [0x100000], rax', expected: '#e 7 100000', atCpl3: true },
  { label: 'user execute of the kernel',  code: 'mov eax, 0x100000\n jmp rax', expected: '#e 15 100000', atCpl3: true },
  { label: 'user not present',            code: `mov [${at} + 0x6000], rax`, expected: '#e 6 40008000', atCpl3: true },
  { label: 'user stack out of bounds',    code: 'mov rsp, 0x40000000 + 0x20000\n push rax', expected: '#e 6 4001fff8', atCpl3: true },
  { label: 'user POPF keeps IF, IOPL',    code: 'push 0x3000\n popfq\n pushfq\n pop r11\n and r11, 0x3200\n mov rax, r11\n push 0x40200\n popfq\n pushfq\n pop r11\n syscall', expected: 'syscall', atCpl3: true },
  { label: 'user without AM',             code: 'push 0x40202\n popfq\n mov eax, [rsp + 1]\n ud2', expected: '#6 0', atCpl3: true },
  { label: 'AM on',                       code: 'mov rax, cr0\n or rax, 0x40000\n mov cr0, rax', expected: 'none' },
  { label: 'user alignment check',        code: 'push 0x40202\n popfq\n mov eax, [rsp + 1]', expected: '#11 0', atCpl3: true, qemu: 'checks no alignment' },
  { label: 'aligned again',               code: 'push 0x40202\n popfq\n mov rax, [rsp]\n ud2', expected: '#6 0', atCpl3: true },
  { label: 'kernel knows no AC',          code: 'push 0x40002\n popfq\n mov eax, [rsp + 1]\n push 2\n popfq', expected: 'none' },
  { label: 'user SGDT without UMIP',      code: 'sgdt [rsp - 16]\n str eax\n ud2', expected: '#6 0', atCpl3: true },
  { label: 'UMIP on',                     code: 'mov rax, cr4\n or rax, 0x800\n mov cr4, rax', expected: 'none' },
  { label: 'user SGDT',                   code: 'sgdt [rsp - 16]', expected: '#d 0', atCpl3: true },
  { label: 'user SIDT',                   code: 'sidt [rsp - 16]', expected: '#d 0', atCpl3: true },
  { label: 'user SLDT',                   code: 'sldt eax', expected: '#d 0', atCpl3: true },
  { label: 'user STR',                    code: 'str eax', expected: '#d 0', atCpl3: true },
  { label: 'user SMSW',                   code: 'smsw eax', expected: '#d 0', atCpl3: true },
  { label: 'kernel SGDT under UMIP',      code: 'sgdt [rsp - 32]', expected: 'none' },
  { label: 'user RDTSC',                  code: 'rdtsc\n ud2', expected: '#6 0', atCpl3: true },
  { label: 'TSD on',                      code: 'mov rax, cr4\n or rax, 4\n mov cr4, rax', expected: 'none' },
  { label: 'user RDTSC under TSD',        code: 'rdtsc', expected: '#d 0', atCpl3: true },
  { label: 'user WRFSBASE, off',          code: 'wrfsbase rax', expected: '#6 0', atCpl3: true },
  { label: 'FSGSBASE on',                 code: 'mov rax, cr4\n or rax, 0x10000\n mov cr4, rax', expected: 'none' },
  { label: 'user WRFSBASE',               code: 'mov eax, 0x40001000\n wrfsbase rax\n mov rax, fs:[0]\n xor eax, eax\n wrfsbase rax\n ud2', expected: '#6 0', atCpl3: true },
  { label: 'non-canonical WRGSBASE',      code: 'mov rax, 0x800000000000\n wrgsbase rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'user XGETBV',                 code: 'xor ecx, ecx\n .byte 0x0f, 0x01, 0xd0', expected: '#6 0', atCpl3: true },
  { label: 'user INVLPG',                 code: 'invlpg [rsp]', expected: '#d 0', atCpl3: true },
  { label: 'user STAC',                   code: 'stac', expected: '#6 0', atCpl3: true },
  { label: 'user MOV DR',                 code: 'mov rax, dr7', expected: '#d 0', atCpl3: true },
  { label: 'user far jump to the kernel', code: 'mov dword ptr [rsp - 16], 0\n mov dword ptr [rsp - 12], 8\n jmp far ptr [rsp - 16]', expected: '#d 8', atCpl3: true },
  { label: 'user IRET to the kernel',     code: 'push 0x10\n push rsp\n push 2\n push 8\n push 0\n iretq', expected: '#d 8', atCpl3: true },
  // The CPU itself has read both for the faults before.
  { label: 'user read of the GDT',        code: 'mov eax, offset gdt\n mov rax, [rax]', expected: '#e 5', atCpl3: true },
  { label: 'user read of the IDT',        code: 'mov eax, offset idt\n mov rax, [rax]', expected: '#e 5', atCpl3: true },
  { label: 'user loads kernel SS',        code: 'mov eax, 0x10\n mov ss, eax', expected: '#d 10', atCpl3: true },
  { label: 'user null SS',                code: 'xor eax, eax\n mov ss, eax', expected: '#d 0', atCpl3: true },
  { label: 'PCIDE with CR3 bits',         code: 'mov rax, cr3\n or rax, 0x18\n mov cr3, rax\n mov rax, cr4\n or rax, 0x20000\n mov cr4, rax', expected: '#d 0', qemu: 'has no PCID' },
  { label: 'INVPCID of a bad type',       code: 'mov eax, 4\n invpcid rax, [pml4]', expected: '#d 0', qemu: 'has no INVPCID' },
  { label: 'CR3 bit 63 without PCIDE',    code: 'mov rax, cr3\n bts rax, 63\n mov cr3, rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'CR3 reserved bits',           code: 'mov rax, cr3\n bts rax, 45\n mov cr3, rax', expected: '#d 0', qemu: 'takes it' },
  { label: 'SYSRET to non-canonical',     code: 'mov rcx, 0x800000000000\n mov r11, 2\n sysretq', expected: '#d 0', qemu: "faults at CPL 3, as AMD's processors do" },
];

/** One guest that tries the cases in order. */
export const faultGuest = (cases: readonly FaultCase[]): string =>
  `${cases.map((c) => (c.atCpl3 ? user(c.label, c.code) : expectFault(c.label, c.code))).join('\n')}\n${print('end\n')}`;
