/**
 * GDT, IDT, TSS and the SYSCALL registers. Selectors: 0x10 kernel code, 0x18 kernel data, 0x28 user data, 0x30 user code, 0x40 TSS (two entries).
 * 0x20 (32-bit user code) is not present: there is no compatibility mode. GDT and IDT lie in one page that kernel-space.ts maps read-only.
 */
import { addressOf, asm, assembly, load64, rdmsr, store16, store64, symbol, wrmsr } from 'palindrome/intrinsics';

assembly(`
.section .bss
.align 4096
.global descriptor_tables
.global interrupt_table
descriptor_tables:
    .zero 4096
interrupt_table:
    .zero 4096
.global task_state
task_state:
    .zero 104
.align 16
fault_stack:
    .zero 8192
.global fault_stack_end
fault_stack_end:
`);

const STAR: u32 = 0xc000_0081;
const LSTAR: u32 = 0xc000_0082;
const FMASK: u32 = 0xc000_0084;
const GS_BASE: u32 = 0xc000_0101;
const KERNEL_GS_BASE: u32 = 0xc000_0102;
/** TF IF DF IOPL NT RF AC ID: cleared when SYSCALL enters. */
const MASKED_FLAGS: u64 = 0x25_7700n;

const PRESENT_INTERRUPT_GATE: u64 = 0x8e00n;
const DPL_3: u64 = 0x6000n;
const SPURIOUS = 255;
/** Entries of trap_stub_table; the last is the spurious vector's. */
const STUBS = 35;
const BREAKPOINT = 3;
const NMI = 2;
const DOUBLE_FAULT = 8;
const MACHINE_CHECK = 18;

export function loadDescriptors(): void {
  const gdt = symbol('descriptor_tables');
  const tss = symbol('task_state');
  store64(gdt + 0x10n, 0x00af_9b00_0000_ffffn);
  store64(gdt + 0x18n, 0x00cf_9300_0000_ffffn);
  store64(gdt + 0x28n, 0x00cf_f300_0000_ffffn);
  store64(gdt + 0x30n, 0x00af_fb00_0000_ffffn);
  store64(gdt + 0x40n, 0x0000_8900_0000_0067n | ((tss & 0xff_ffffn) << 16n) | (((tss >> 24n) & 0xffn) << 56n));
  store64(gdt + 0x48n, tss >> 32n);
  store64(tss + 0x24n, symbol('fault_stack_end'));
  store16(tss + 0x66n, 0x68);

  for (let vector = 0; vector < STUBS; vector++) {
    const stub = load64(symbol('trap_stub_table') + u64(vector) * 8n);
    const stack: u64 = vector === NMI || vector === DOUBLE_FAULT || vector === MACHINE_CHECK ? 1n : 0n;
    setGate(vector === STUBS - 1 ? SPURIOUS : vector, stub, vector === BREAKPOINT ? DPL_3 : 0n, stack);
  }

  asm('lgdt [rdi]', { rdi: pseudo(gdt, 0x4fn) });
  asm('lidt [rdi]', { rdi: pseudo(symbol('interrupt_table'), 0xfffn) });
  // CS and SS keep the selectors that boot-entry.ts gave them: the early table has the kernel's segments at the same places.
  asm('xor eax, eax\nmov ds, ax\nmov es, ax\nmov fs, ax\nmov gs, ax\nlldt ax\nmov eax, 0x40\nltr ax');
  wrmsr(GS_BASE, symbol('cpu_local'));
  wrmsr(KERNEL_GS_BASE, 0n);
  wrmsr(STAR, (0x23n << 48n) | (0x10n << 32n));
  wrmsr(LSTAR, symbol('syscall_entry'));
  wrmsr(FMASK, MASKED_FLAGS);
}

function setGate(vector: i32, target: u64, privilege: u64, stack: u64): void {
  const gate = symbol('interrupt_table') + u64(vector) * 16n;
  const middle = (target >> 16n) & 0xffffn;
  store64(gate, (target & 0xffffn) | (0x10n << 16n) | (stack << 32n) | ((PRESENT_INTERRUPT_GATE | privilege) << 32n) | (middle << 48n));
  store64(gate + 8n, target >> 32n);
}

/** Ten bytes, limit and base, at +6 so that the base is aligned. */
const pseudoDescriptor = new BigUint64Array(2);

/** The operand of LGDT or LIDT; returns its address. */
function pseudo(base: u64, limit: u64): u64 {
  const at = addressOf(pseudoDescriptor) + 6n;
  store16(at, u16(limit));
  store64(at + 2n, base);
  return at;
}

/** Where the CPU and the system-call entry find the current task's kernel stack. */
export function setKernelStack(top: u64): void {
  store64(symbol('task_state') + 4n, top);
  store64(symbol('cpu_local'), top);
}

export function userFsBase(): u64 {
  return rdmsr(0xc000_0100);
}

export function setUserFsBase(base: u64): void {
  wrmsr(0xc000_0100, base);
}

/** At CPL 0 the user's GS base waits in KERNEL_GS_BASE for SWAPGS. */
export function userGsBase(): u64 {
  return rdmsr(KERNEL_GS_BASE);
}

export function setUserGsBase(base: u64): void {
  wrmsr(KERNEL_GS_BASE, base);
}
