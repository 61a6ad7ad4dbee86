/**
 * The registers as programs outside the machine see them: a canonical copy, and a cheap capture for those who look at every switch.
 */

export interface SegmentRegister {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  /** Descriptor bits 40–47 and 52–55 as the SDM's access-rights word: type 0–3, S 4, DPL 5–6, P 7, AVL 12, L 13, D/B 14, G 15; bit 16: unusable. */
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
  /** The 512-byte FXSAVE image's first 160 bytes: x87 control, status, tags, pointers, MXCSR, ST0 … ST7. */
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
  /** The first 160 bytes of the FXSAVE image (x87), MXCSR within it zeroed. */
  x87: 68,
  words: 88,
} as const;
