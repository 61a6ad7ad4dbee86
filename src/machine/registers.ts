/**
 * The registers as programs outside the machine see them: a canonical copy, and a cheap capture for those who look at every switch.
 */
import { type Cpu, SEG } from './cpu/helpers/cpu.ts';
import { readMsr } from './cpu/helpers/msr.ts';
import {
  CR0,
  CR2,
  CR3,
  CR4,
  DR,
  EFER,
  FCW,
  FSW,
  FTW,
  GDTR_BASE,
  GDTR_LIMIT,
  GPR,
  IDTR_BASE,
  IDTR_LIMIT,
  MSR_SLOT,
  MXCSR,
  RIP,
  SEGMENT_BASE,
  X87,
  XMM,
} from './cpu/state.ts';
import { MSR } from './platform/msr.ts';

export interface SegmentRegister {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  /** From the descriptor: type 0–3, S 4, DPL 5–6, P 7, AVL 8, L 9, D/B 10, G 11; bit 16: unusable (null). */
  readonly attributes: number;
}

export type SegmentName = 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs' | 'ldtr' | 'tr';

export interface Registers {
  /** RAX RCX RDX RBX RSP RBP RSI RDI R8 … R15: the SDM's numbers. */
  readonly gpr: readonly bigint[];
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly cpl: number;
  readonly cr0: bigint;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly cr8: bigint;
  readonly efer: bigint;
  readonly segments: Readonly<Record<SegmentName, SegmentRegister>>;
  readonly gdtr: { readonly base: bigint; readonly limit: number };
  readonly idtr: { readonly base: bigint; readonly limit: number };
  /** DR0 … DR7 (4 and 5 are 0). */
  readonly dr: readonly bigint[];
  readonly mxcsr: number;
  /** XMM0 … XMM15, 16 bytes each. */
  readonly xmm: Uint8Array;
  /** FCW, FSW, FTW (abridged: a bit a register, 1 is not empty). */
  readonly x87Control: readonly number[];
  /** Bytes 0 … 159 of the FXSAVE image, of which 6 … 23 (FOP, FIP, FDP) and 32 … 159 (ST0 … ST7) count. */
  readonly x87: Uint8Array;
  /** By the SDM's names: IA32_STAR, IA32_LSTAR, IA32_FMASK, IA32_KERNEL_GS_BASE, IA32_TSC_AUX … */
  readonly msr: Readonly<Record<string, bigint>>;
  /** What RDTSC would read. */
  readonly tsc: bigint;
}

/**
 * Indexes (in 64-bit words) of `machine.captureRegisters(into)`: `into` is a BigUint64Array of CAPTURE.words. Copying costs no allocation,
 * so that a judge can take one at every entry and exit (INV-15, INV-19, INV-20).
 */
export const CAPTURE = {
  gpr: 0,
  rip: 16,
  rflags: 17,
  cpl: 18,
  fsBase: 19,
  gsBase: 20,
  kernelGsBase: 21,
  cr3: 22,
  /** DR0 DR1 DR2 DR3 DR6 DR7. */
  dr: 23,
  mxcsr: 29,
  /** Selectors CS SS DS ES FS GS, one a word. */
  selectors: 30,
  /** 16 × 2 words. */
  xmm: 36,
  /** FCW | FSW << 16 | FTW << 32. */
  x87Control: 68,
  /** ST0 … ST7, 16 bytes each. */
  x87: 69,
  words: 85,
} as const;

/** The MSRs that `Registers.msr` shows. */
const SHOWN = [
  'IA32_STAR',
  'IA32_LSTAR',
  'IA32_CSTAR',
  'IA32_FMASK',
  'IA32_KERNEL_GS_BASE',
  'IA32_TSC_AUX',
  'IA32_PAT',
  'IA32_SPEC_CTRL',
  'IA32_APIC_BASE',
  'IA32_TSC_DEADLINE',
] as const;

export function readRegisters(cpu: Cpu): Registers {
  const { state } = cpu;
  const segment = (n: number): SegmentRegister => ({
    selector: cpu.selector(n),
    base: state.get64(SEGMENT_BASE + 8 * n),
    limit: cpu.limit(n),
    attributes: cpu.attributes(n),
  });
  const bytes = (at: number, length: number) => new Uint8Array(state.view.buffer, state.view.byteOffset + at, length).slice();
  return {
    gpr: Array.from({ length: 16 }, (_, i) => cpu.gpr(i)),
    rip: state.get64(RIP),
    rflags: state.readRflags(),
    cpl: cpu.cpl,
    cr0: state.get64(CR0),
    cr2: state.get64(CR2),
    cr3: state.get64(CR3),
    cr4: state.get64(CR4),
    cr8: BigInt(cpu.interrupts.taskPriority),
    efer: state.get64(EFER),
    segments: {
      es: segment(SEG.ES),
      cs: segment(SEG.CS),
      ss: segment(SEG.SS),
      ds: segment(SEG.DS),
      fs: segment(SEG.FS),
      gs: segment(SEG.GS),
      ldtr: segment(SEG.LDTR),
      tr: segment(SEG.TR),
    },
    gdtr: { base: state.get64(GDTR_BASE), limit: state.get32(GDTR_LIMIT) },
    idtr: { base: state.get64(IDTR_BASE), limit: state.get32(IDTR_LIMIT) },
    dr: Array.from({ length: 8 }, (_, i) => state.get64(DR + 8 * i)),
    mxcsr: state.get32(MXCSR),
    xmm: bytes(XMM, 256),
    x87Control: [state.get32(FCW) & 0xffff, state.get32(FSW) & 0xffff, state.get32(FTW) & 0xff],
    x87: bytes(X87, 160),
    msr: Object.fromEntries(SHOWN.map((name) => [name, readMsr(cpu, MSR[name]) ?? 0n])),
    tsc: cpu.tsc,
  };
}

/** Copies 64-bit words by their halves: no BigInt is made. */
export function captureRegisters(cpu: Cpu, into: BigUint64Array): void {
  const from = cpu.i32;
  const to = new Int32Array(into.buffer, into.byteOffset, into.length * 2);
  const copy = (word: number, at: number, words: number) => {
    for (let i = 0; i < 2 * words; i++) to[2 * word + i] = from[(at >> 2) + i] ?? 0;
  };
  const set = (word: number, low: number, high: number) => {
    to[2 * word] = low;
    to[2 * word + 1] = high;
  };
  copy(CAPTURE.gpr, GPR, 16);
  copy(CAPTURE.rip, RIP, 1);
  set(CAPTURE.rflags, cpu.state.rflags, 0);
  set(CAPTURE.cpl, cpu.cpl, 0);
  copy(CAPTURE.fsBase, SEGMENT_BASE + 8 * SEG.FS, 1);
  copy(CAPTURE.gsBase, SEGMENT_BASE + 8 * SEG.GS, 1);
  copy(CAPTURE.kernelGsBase, MSR_SLOT.KERNEL_GS_BASE, 1);
  copy(CAPTURE.cr3, CR3, 1);
  copy(CAPTURE.dr, DR, 4);
  copy(CAPTURE.dr + 4, DR + 48, 2);
  set(CAPTURE.mxcsr, cpu.low(MXCSR), 0);
  for (const [i, segment] of CAPTURED_SELECTORS.entries()) set(CAPTURE.selectors + i, cpu.selector(segment), 0);
  copy(CAPTURE.xmm, XMM, 32);
  set(CAPTURE.x87Control, (cpu.low(FCW) & 0xffff) | (cpu.low(FSW) << 16), cpu.low(FTW) & 0xff);
  copy(CAPTURE.x87, X87 + 32, 16);
}

const CAPTURED_SELECTORS: readonly number[] = [SEG.CS, SEG.SS, SEG.DS, SEG.ES, SEG.FS, SEG.GS];
