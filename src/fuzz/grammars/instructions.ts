/** Instructions that user mode may not execute, or that are odd: privileged ones, descriptor tables, far transfers, forged return frames, flags. */
import fc from 'fast-check';
import { type Act, type ActArbitrary, act, literal, weighted } from '../grammar/act.ts';
import { address, border, hostileAddress } from './values.ts';

/** What the SDM names as privileged, sensitive (UMIP), or reserved; RDI and RSI hold values of the grammar, memory operands lie in `scratch` or where RDI says. */
const PRIVILEGED = [
  'cli', 'sti', 'hlt', 'clts', 'invd', 'wbinvd', 'swapgs', 'sysretq', 'stac', 'clac',
  'mov rax, cr0', 'mov rax, cr2', 'mov rax, cr3', 'mov rax, cr4', 'mov cr0, rdi', 'mov cr3, rdi', 'mov cr4, rdi', 'mov cr8, rdi',
  'mov rax, dr0', 'mov rax, dr7', 'mov dr0, rdi', 'mov dr7, rdi',
  'lgdt [rdi]', 'lidt [rdi]', 'lldt si', 'ltr si', 'lmsw si', 'sgdt [rdi]', 'sidt [rdi]', 'sldt eax', 'str eax', 'smsw eax',
  'invlpg [rdi]', 'invpcid rsi, [rdi]', 'rdmsr', 'wrmsr', 'rdpmc', 'in al, dx', 'in eax, dx', 'out dx, al', 'out dx, eax',
  'rdfsbase rax', 'rdgsbase rax', 'wrfsbase rdi', 'wrgsbase rdi',
]; // biome-ignore format: a family a line

/** Unprivileged instructions at the edges of what a kernel must survive. */
const ODD = [
  'ud2', 'int3', 'int 0x80', 'int 3', 'int 8', 'int 14', 'int 0x20', 'int 0xff', '.byte 0xf1', '.byte 0x0f, 0x34', '.byte 0x0f, 0x01, 0xc1', '.byte 0x0f, 0xff',
  'mov ss, si', 'mov ds, si', 'mov es, si', 'mov fs, si', 'mov gs, si', 'lar eax, si', 'lsl eax, si', 'verr si', 'verw si',
  'mov eax, dword ptr [rdi]', 'mov dword ptr [rdi], esi', 'add qword ptr [rdi], rsi', 'lock xadd qword ptr [rdi], rsi', 'movaps xmm0, [rdi]', 'ldmxcsr [rdi]', 'fxrstor [rdi]', 'fxsave [rdi]',
  'xor eax, eax\ndiv eax', 'mov rax, rdi\ncqo\nidiv rsi', 'jmp rdi', 'call rdi', 'mov rsp, rdi\npush rsi', 'mov rsp, rdi\nret', 'mov rsp, rdi\niretq', 'mov rsp, rdi\nretfq',
  'rdtsc', 'cpuid', 'rdrand rax', 'rdseed rax', 'pause', 'mfence', 'fninit', 'clflush [rdi]', 'prefetcht0 [rdi]', '.byte 0xf0, 0x48, 0x01, 0xf8',
]; // biome-ignore format: a family a line

const one = (texts: readonly string[], tries: string): ActArbitrary =>
  fc.tuple(fc.constantFrom(...texts), address, border).map(([text, rdi, rsi]): Act => {
    const shown = text.replaceAll('\n', '; ');
    return act(`${tries}: ${shown}`, `asm(${JSON.stringify(text)}, { rdi: ${rdi}, rsi: ${rsi} }, 'rax');`);
  });

/** MSR and port numbers that matter. */
const numbered: ActArbitrary = fc
  .tuple(
    fc.constantFrom('rdmsr', 'wrmsr', 'in al, dx', 'in eax, dx', 'out dx, al', 'out dx, eax', 'xor ecx, ecx\nrdpmc'),
    fc.constantFrom(
      0xc000_0080n,
      0xc000_0081n,
      0xc000_0082n,
      0xc000_0084n,
      0xc000_0100n,
      0xc000_0101n,
      0xc000_0102n,
      0x1bn,
      0x10n,
      0xf4n,
      0x3f8n,
      0x20n,
      0x6a0n,
      0x6a8n,
      0xcf8n,
    ),
  )
  .map(([text, number]) =>
    act(
      `privileged by number: ${text.replaceAll('\n', '; ')} ${literal(number)}`,
      `asm(${JSON.stringify(`mov rcx, rdi\nmov rdx, rdi\nmov rax, rdi\n${text}`)}, { rdi: ${literal(number)} }, 'rax');`,
    ),
  );

/** A frame for IRET or RETF on the program's own memory, with selectors and flags of a higher privilege. */
const forgedFrame: ActArbitrary = fc
  .tuple(
    fc.constantFrom('iretq', 'retfq', '.byte 0xcf'),
    fc.constantFrom(0x8n, 0xbn, 0x10n, 0x13n, 0x18n, 0x1bn, 0x20n, 0x23n, 0x28n, 0x2bn, 0x30n, 0x33n, 0x38n, 0x40n, 0n, 3n, 0xffffn),
    fc.constantFrom(0x202n, 0x2n, 0x3202n, 0x4202n, 0x20202n, 0x302n, 0x100202n, 0x3_7fd7n, 0xffff_ffffn),
    fc.constantFrom(0x10n, 0x13n, 0x18n, 0x1bn, 0x20n, 0x23n, 0x2bn, 0n, 3n),
    hostileAddress,
  )
  .map(([text, cs, flags, ss, rip]) =>
    act(
      `a forged frame for ${text}: CS ${literal(cs)}, RFLAGS ${literal(flags)}, SS ${literal(ss)}`,
      `store64(base + 4096n, ${rip});`,
      `store64(base + 4104n, ${literal(cs)});`,
      `store64(base + 4112n, ${literal(flags)});`,
      'store64(base + 4120n, base + 8192n);',
      `store64(base + 4128n, ${literal(ss)});`,
      `asm(${JSON.stringify(`mov rsp, rdi\n${text}`)}, { rdi: base + 4096n }, 'rax');`,
    ),
  );

/** SYSCALL in a forged context: flags, stack pointer and registers that the kernel must not trust. */
const forgedCall: ActArbitrary = fc
  .tuple(
    fc.constantFrom(0x202n, 0x602n, 0x4202n, 0x40202n, 0x302n, 0x3202n, 0x200202n, 0x44e02n, 0x8d5n),
    weighted([2, hostileAddress], [2, fc.constant('0n')], [2, fc.constant('base + 4096n')], [1, border]),
    fc.constantFrom(39n, 24n, 0xffff_ffff_ffff_ffffn, 0x1_0000_0027n, 231n << 32n, 102n, 63n),
  )
  .map(([flags, stack, nr]) =>
    act(
      `SYSCALL with RFLAGS ${literal(flags)} and a forged RSP`,
      `asm('mov rbx, rsp\\npush rdi\\nmov rsp, rsi\\nmov rax, rdx\\nxchg rbx, rsp\\npopfq\\nxchg rbx, rsp\\nsyscall\\nmov rsp, rbx\\nadd rsp, 8\\npushfq\\nand qword ptr [rsp], 0xfffffffffffbbaff\\npopfq', { rdi: ${literal(flags)}, rsi: ${stack}, rdx: ${literal(nr)} }, 'rax');`.replace(
        'xchg rbx, rsp\\npopfq\\nxchg rbx, rsp',
        'push rdi\\npopfq',
      ),
    ),
  );

/** SYSCALL as the last instruction of the user half: its return address is not canonical (CVE-2012-0217). */
const lastInstruction: ActArbitrary = fc
  .constantFrom('0x7ffffffff000n', '0x7fffffffe000n')
  .map((page) =>
    act(
      'SYSCALL as the last bytes below the end of the user half',
      `r0 = syscall(9n, ${page}, 4096n, 3n, 0x32n, ALL, 0n);`,
      'if (r0 > 0n) {',
      '  store8(wrapping.u64(r0) + 4094n, 0x0f);',
      '  store8(wrapping.u64(r0) + 4095n, 0x05);',
      '  syscall(10n, wrapping.u64(r0), 4096n, 5n);',
      "  asm('mov rax, 39\\njmp rdi', { rdi: wrapping.u64(r0) + 4094n }, 'rax');",
      '}',
    ),
  );

/** Instructions after which the program is expected to be dead. */
export const deadly: ActArbitrary = weighted(
  [4, one(PRIVILEGED, 'privileged')],
  [3, one(ODD, 'odd')],
  [2, numbered],
  [2, forgedFrame],
  [1, forgedCall],
  [1, lastInstruction],
);
