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
  SEGMENT_SELECTOR,
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
 * Indexes (in 64-bit words) of what `machine.captureRegisters(into)` fills in, a RegisterCapture. Copying costs no allocation,
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

/** A place for a capture: 64-bit words at CAPTURE's indexes, and the same as pairs of signed 32-bit halves, which are compared without making a BigInt. */
export class RegisterCapture {
  readonly words: BigUint64Array = new BigUint64Array(CAPTURE.words);
  readonly halves: Int32Array = new Int32Array(this.words.buffer);
}

/** Copies words by their halves. */
export function captureRegisters({ i32, state, cpl }: Cpu, { halves }: RegisterCapture): void {
  copyWords(i32, GPR, halves, CAPTURE.gpr, 16);
  copyWords(i32, RIP, halves, CAPTURE.rip, 1);
  halves[2 * CAPTURE.rflags] = state.rflags;
  halves[2 * CAPTURE.cpl] = cpl;
  copyWords(i32, SEGMENT_BASE + 8 * SEG.FS, halves, CAPTURE.fsBase, 2);
  copyWords(i32, MSR_SLOT.KERNEL_GS_BASE, halves, CAPTURE.kernelGsBase, 1);
  copyWords(i32, CR3, halves, CAPTURE.cr3, 1);
  copyWords(i32, DR, halves, CAPTURE.dr, 4);
  copyWords(i32, DR + 48, halves, CAPTURE.dr + 4, 2);
  halves[2 * CAPTURE.mxcsr] = i32[MXCSR >> 2] ?? 0;
  for (let i = 0; i < CAPTURED_SELECTORS.length; i++)
    halves[2 * (CAPTURE.selectors + i)] = i32[(SEGMENT_SELECTOR >> 2) + (CAPTURED_SELECTORS[i] ?? 0)] ?? 0;
  copyWords(i32, XMM, halves, CAPTURE.xmm, 32);
  halves[2 * CAPTURE.x87Control] = ((i32[FCW >> 2] ?? 0) & 0xffff) | ((i32[FSW >> 2] ?? 0) << 16);
  halves[2 * CAPTURE.x87Control + 1] = (i32[FTW >> 2] ?? 0) & 0xff;
  copyWords(i32, X87 + 32, halves, CAPTURE.x87, 16);
}

/** `at`: an offset of the CPU's state; `to`: an index of CAPTURE. */
function copyWords(from: Int32Array, at: number, into: Int32Array, to: number, words: number): void {
  const first = at >> 2;
  for (let i = 0; i < 2 * words; i++) into[2 * to + i] = from[first + i] ?? 0;
}

const CAPTURED_SELECTORS: readonly number[] = [SEG.CS, SEG.SS, SEG.DS, SEG.ES, SEG.FS, SEG.GS];
