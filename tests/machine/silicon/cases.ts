/** A case: code and the state in which it starts. An outcome: the state in which it ended. What every judged evaluator takes and gives. */

import type { Mode } from '../../../src/machine/isa/operands.ts';

export const CODE_PAGE = 0x1a3c4000n;
/** Where a case's code starts: linear address. */
export const ENTRY = 0x1a3c4800n;
/** The same as an offset in CS. */
export const entryOf = (mode: Mode): bigint => (mode === 16 ? ENTRY - CODE_PAGE : ENTRY);
/** The one page of memory; its neighbours are not mapped. */
export const DATA = 0x20000000n;
export const PAGE = 4096n;
export const FS_BASE = DATA + 0x100n;
export const GS_BASE = DATA + 0x200n;

export interface Case {
  /** 32: compatibility mode, flat. 16: 16-bit segments of 64 KiB, code at CODE_PAGE, data and stack at DATA. */
  readonly mode: Mode;
  readonly code: Uint8Array;
  /** 16, in the SDM's order. */
  readonly gpr: readonly bigint[];
  readonly rflags: bigint;
  readonly mxcsr: number;
  /** What fills the page; null: memory is not touched. */
  readonly memorySeed: number | null;
  /** Written after filling. */
  readonly pokes: readonly { readonly offset: number; readonly value: bigint }[];
  /** 16 of 128 bits; null: zeros, not compared. */
  readonly xmm: readonly bigint[] | null;
}

export interface Outcome {
  readonly gpr: readonly bigint[];
  readonly rflags: bigint;
  readonly rip: bigint;
  readonly mxcsr: number;
  readonly xmm: readonly bigint[] | null;
  readonly memoryHash: number;
  readonly fault: { readonly vector: number; readonly code: number; readonly cr2: bigint } | null;
}

/** What a comparison may not look at. */
export interface Mask {
  /** RFLAGS bits that are defined. */
  readonly flags: bigint;
  /** Not comparable at all: a value is undefined. */
  readonly skip: boolean;
}

/** Something that runs cases: the silicon, the reference evaluator, an interpreter. */
export interface Judged {
  readonly name: string;
  /** What it can run; none: 32- and 64-bit mode. */
  readonly modes?: readonly Mode[];
  run(cases: readonly Case[]): readonly Outcome[];
}

/** The page that a seed gives; the same generator as in silicon.c. */
export function fillPage(page: Uint8Array, seed: number): void {
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  let s = (seed | 1) >>> 0;
  for (let i = 0; i < words.length; i++) {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    words[i] = s;
  }
}

export function hashPage(page: Uint8Array): number {
  const words = new Uint32Array(page.buffer, page.byteOffset, page.length / 4);
  let h = 0x811c9dc5;
  for (const w of words) h = Math.imul(h ^ w, 0x01000193);
  return h >>> 0;
}

/** CF PF AF ZF SF DF OF, and ID: what user code can see and set without side effects on the host. */
export const COMPARED_FLAGS = 0x200cd5n;

/** The first difference, null: none. `width`: bits of general registers that the mode defines. */
export function compareOutcomes(a: Outcome, b: Outcome, mask: Mask, mode: Mode): string | null {
  if (mask.skip) return null;
  const bits = mode === 64 ? 0xffffffffffffffffn : 0xffffffffn;
  if (a.fault?.vector !== b.fault?.vector) return `fault: ${describeFault(a)} against ${describeFault(b)}`;
  if (a.fault !== null && b.fault !== null) {
    if (a.fault.code !== b.fault.code) return `error code: ${a.fault.code} against ${b.fault.code} (vector ${a.fault.vector})`;
    if (a.fault.vector === 14 && a.fault.cr2 !== b.fault.cr2) return `CR2: ${a.fault.cr2.toString(16)} against ${b.fault.cr2.toString(16)}`;
  }
  if (a.rip !== b.rip) return `rip: ${a.rip.toString(16)} against ${b.rip.toString(16)}`;
  for (let i = 0; i < 16; i++) {
    if (mode !== 64 && i >= 8) break;
    const x = (a.gpr[i] ?? 0n) & bits;
    const y = (b.gpr[i] ?? 0n) & bits;
    if (x !== y) return `gpr ${i}: ${x.toString(16)} against ${y.toString(16)}`;
  }
  const flags = mask.flags & COMPARED_FLAGS;
  if ((a.rflags & flags) !== (b.rflags & flags))
    return `flags: ${(a.rflags & flags).toString(16)} against ${(b.rflags & flags).toString(16)}`;
  if (a.mxcsr !== b.mxcsr) return `mxcsr: ${a.mxcsr.toString(16)} against ${b.mxcsr.toString(16)}`;
  if (a.xmm !== null && b.xmm !== null) {
    for (let i = 0; i < (mode === 64 ? 16 : 8); i++)
      if (a.xmm[i] !== b.xmm[i]) return `xmm${i}: ${a.xmm[i]?.toString(16)} against ${b.xmm[i]?.toString(16)}`;
  }
  if (a.memoryHash !== b.memoryHash) return 'memory';
  return null;
}

const describeFault = (o: Outcome): string => (o.fault === null ? 'none' : `vector ${o.fault.vector}`);
