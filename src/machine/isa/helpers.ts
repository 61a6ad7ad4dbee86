/**
 * Helpers: instructions whose meaning is code, not a term. A row says `c.helper('IRET')`, the system part implements each name once, and every
 * reader (interpreter, translator, reference evaluator) calls that implementation with the decoded instruction.
 *
 * Conventions for an implementation:
 *  - It does the whole instruction: privilege and mode checks that need more than a fault step, memory accesses, register writes. It commits nothing
 *    if it ends in a fault.
 *  - `nextRip` (RIP after the instruction) is given; a helper that transfers control writes RIP itself, otherwise RIP becomes `nextRip`.
 *  - Operands are those of `Decoded.operands`, in the order of `operands` below; `operandSize`, `addressSize`, `mode`, `segment`, `rep` come from `Decoded`.
 *  - String I/O (INS OUTS) does ONE iteration, without touching rCX: the reader does the counting, as for every REP.
 *  - Fault steps of the row (CPL, IOPL, LOCK) have run before; what stands under `checks` here is for the helper.
 */

export interface HelperInfo {
  /** Operands in the order of `Decoded.operands`, in the manual's words. */
  readonly operands: string;
  readonly reads: string;
  readonly writes: string;
  readonly raises: string;
  /** What the helper itself must check, beyond memory accesses. */
  readonly checks: string;
}

const h = (operands: string, reads: string, writes: string, raises: string, checks: string): HelperInfo => ({
  operands,
  reads,
  writes,
  raises,
  checks,
});

// biome-ignore format: one helper a line
export const HELPERS = {
  // Control transfer by gates, stacks and far pointers
  'IRET':        h('-', 'stack at operandSize', 'RIP CS RFLAGS (RSP SS)', '#GP #SS #NP #TS', 'the whole of SDM IRET: NT, VM, return to outer level; in 64-bit mode RSP and SS always popped'),
  'RETF':        h('Iw bytes to release, or none', 'stack at operandSize', 'RIP CS RSP (SS)', '#GP #SS #NP', 'SDM RET far'),
  'CALLF':       h('far pointer: far, or mem (width 32 48 80)', 'descriptor tables', 'RIP CS RSP, stack', '#GP #SS #NP #TS', 'SDM CALL far; call gates, task gates and TSS'),
  'JMPF':        h('far pointer: far, or mem (width 32 48 80)', 'descriptor tables', 'RIP CS', '#GP #NP', 'SDM JMP far; call gates, task gates and TSS'),
  'INT':         h('Ib vector', 'IDT', 'RIP CS RFLAGS RSP SS', 'the vector as a software interrupt', 'DPL of the gate'),
  'INT3':        h('-', 'IDT', 'as INT', '#BP as a trap (vector 3, software exception)', 'DPL of the gate'),
  'INT1':        h('-', 'IDT', 'as INT', '#DB as a privileged software exception', '-'),
  'INTO':        h('-', 'OF, IDT', 'as INT', '#OF as a trap if OF = 1; else nothing', 'DPL of the gate'),
  'SYSCALL':     h('-', 'EFER STAR LSTAR CSTAR FMASK', 'RIP CS SS RCX R11 RFLAGS', '#UD', 'EFER.SCE'),
  'SYSRET':      h('-', 'EFER STAR RCX R11', 'RIP CS SS RFLAGS', '#UD #GP', 'EFER.SCE (#UD), then CPL 0 (#GP(0)); non-canonical RCX with operandSize 64: #GP(0)'),
  'HLT':         h('-', '-', '-', '-', 'CPL 0 has been checked'),
  // Segments and descriptor tables
  'MOV_SEG':     h('Sw, Ew', 'GDT LDT', 'segment register', '#GP #SS #NP #UD', 'loading CS is #UD (done by the decoder); interrupt shadow after SS'),
  'POP_SEG':     h('Sw', 'stack at operandSize, GDT LDT', 'segment register, RSP', '#GP #SS #NP', 'interrupt shadow after SS'),
  'LOAD_FAR':    h('Gv, Mp; the row name gives the segment: LES LDS LSS LFS LGS', 'memory, GDT LDT', 'segment register, Gv', '#GP #SS #NP', 'offset first, then selector'),
  'LGDT':        h('Ms: 16-bit limit, then base (64-bit mode: 64 bits; else 32, 24 with operandSize 16)', 'memory', 'GDTR', '#GP', 'canonical base'),
  'LIDT':        h('Ms as LGDT', 'memory', 'IDTR', '#GP', 'canonical base'),
  'SGDT':        h('Ms as LGDT', 'GDTR', 'memory', '-', 'UMIP has been checked'),
  'SIDT':        h('Ms as LGDT', 'IDTR', 'memory', '-', 'UMIP has been checked'),
  'LLDT':        h('Ew', 'GDT', 'LDTR', '#GP #NP', 'CPL 0 and protected mode have been checked'),
  'LTR':         h('Ew', 'GDT', 'TR, busy bit', '#GP #NP', 'CPL 0 and protected mode have been checked'),
  'LAR':         h('Gv, Ew', 'GDT LDT', 'Gv, ZF', '-', '-'),
  'LSL':         h('Gv, Ew', 'GDT LDT', 'Gv, ZF', '-', '-'),
  'VERR':        h('Ew', 'GDT LDT', 'ZF', '-', '-'),
  'VERW':        h('Ew', 'GDT LDT', 'ZF', '-', '-'),
  'SWAPGS':      h('-', 'GS base, KernelGSBase', 'both', '-', 'CPL 0 has been checked'),
  // Control and debug registers, MSRs, caches
  'MOV_FROM_CR': h('Ry, Cy', 'CRn', 'Ry', '#UD', 'CR8 is the TPR'),
  'MOV_TO_CR':   h('Cy, Ry', '-', 'CRn, TLB', '#GP #UD', 'reserved bits, legal combinations'),
  'MOV_FROM_DR': h('Ry, Dy', 'DRn, CR4.DE, DR7.GD', 'Ry', '#UD #DB', '-'),
  'MOV_TO_DR':   h('Dy, Ry', 'CR4.DE, DR7.GD', 'DRn', '#UD #DB #GP', 'upper halves of DR6 DR7'),
  'LMSW':        h('Ew', 'CR0', 'CR0 bits 3:0', '#GP', 'PE cannot be cleared'),
  'CLTS':        h('-', '-', 'CR0.TS', '-', 'CPL 0 has been checked'),
  'RDMSR':       h('-', 'ECX', 'EDX:EAX', '#GP', 'the MSR exists'),
  'WRMSR':       h('-', 'ECX EDX:EAX', 'MSR', '#GP', 'the MSR exists, reserved bits'),
  'INVLPG':      h('M', '-', 'TLB', '-', 'offset of the operand with its segment base; non-canonical: nothing'),
  'INVPCID':     h('Gy type, Mdq descriptor', 'memory', 'TLB', '#GP', 'type, reserved bits, CR4.PCIDE'),
  'CPUID':       h('-', 'EAX ECX', 'EAX EBX ECX EDX', '-', '-'),
  'RDTSC':       h('-', 'TSC, CR4.TSD', 'EDX:EAX', '-', 'TSD has been checked'),
  'RDTSCP':      h('-', 'TSC, TSC_AUX, CR4.TSD', 'EDX:EAX ECX', '-', 'TSD has been checked'),
  'RDRAND':      h('Ev register', 'the seed', 'register, CF = 1, OF SF ZF AF PF = 0', '-', '-'),
  'RDSEED':      h('Ev register', 'the seed', 'register, CF = 1, OF SF ZF AF PF = 0', '-', '-'),
  // Interrupt flag: an interrupt shadow is state that terms do not have
  'STI':         h('-', 'RFLAGS', 'RFLAGS.IF, interrupt shadow if IF was 0', '#GP', 'CPL and IOPL have been checked (no VME, no PVI)'),
  // Ports: CPL ≤ IOPL or the I/O permission bitmap
  'IN':          h('AL AX EAX, then Ib or DX', 'port', 'accumulator', '#GP', 'I/O permission (CPL > IOPL: the TSS bitmap)'),
  'OUT':         h('Ib or DX, then AL AX EAX', 'accumulator', 'port', '#GP', 'I/O permission'),
  'INS':         h('Yb Yw Yd (es:[rDI]), DX', 'port, DF', 'memory, rDI', '#GP', 'I/O permission; memory is checked before the port is read'),
  'OUTS':        h('DX, Xb Xw Xd (segment:[rSI])', 'memory, DF', 'port, rSI', '#GP', 'I/O permission'),
  // Floating-point state
  'FXSAVE':      h('M512', 'x87, XMM, MXCSR; operandSize 64: FIP and FDP as 64 bits', 'memory', '#GP', '16-byte alignment (#GP(0)); CR0.TS and EM have been checked'),
  'FXRSTOR':     h('M512', 'memory', 'x87, XMM, MXCSR', '#GP', '16-byte alignment; reserved MXCSR bits #GP(0); CR0.TS and EM have been checked'),
} as const satisfies Record<string, HelperInfo>;

export type HelperName = keyof typeof HELPERS;
/** Numbers for generated code: the index in this list. */
export const HELPER_NAMES = Object.keys(HELPERS) as readonly HelperName[];
