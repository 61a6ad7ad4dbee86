/** Specials that lie in plain slots of the CPU's state. */
import { CPL, CR0, CR2, CR3, CR4, FCW, FSW, FTW, MSR_SLOT, MXCSR, RFLAGS_REST, SEGMENT_BASE, SEGMENT_SELECTOR } from '../cpu/state.ts';
import type { Width } from '../isa/ops.ts';
import { FS, GS, SEGMENTS } from '../isa/registers.ts';
import type { Special } from '../isa/term.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

/** Offset and bits. */
export const SLOTS: Partial<Readonly<Record<Special, readonly [offset: number, bits: 16 | 32 | 64]>>> = {
  cr0: [CR0, 64],
  cr2: [CR2, 64],
  cr3: [CR3, 64],
  cr4: [CR4, 64],
  cpl: [CPL, 32],
  mxcsr: [MXCSR, 32],
  fcw: [FCW, 32],
  fsw: [FSW, 32],
  ftw: [FTW, 32],
  fsBase: [SEGMENT_BASE + 8 * FS, 64],
  gsBase: [SEGMENT_BASE + 8 * GS, 64],
  rflagsRest: [RFLAGS_REST, 64],
  lstar: [MSR_SLOT.LSTAR, 64],
  fmask: [MSR_SLOT.FMASK, 64],
};
const SELECTORS: readonly string[] = [...SEGMENTS, 'ldtr', 'tr'];

/** Leaves the value of a special that is a slot or a selector. False: it is neither. */
export function readSlot(f: FunctionBuilder, base: number, name: Special, width: Width): boolean {
  const slot = SLOTS[name];
  const selector = SELECTORS.indexOf(name);
  if (slot === undefined && selector < 0) return false;
  f.get(base);
  if (slot === undefined) f.load('i32_16u', SEGMENT_SELECTOR + 4 * selector);
  else if (slot[1] === 64) f.load('i64', slot[0]);
  else {
    f.load('i32', slot[0]);
    if (width === 64) f.op(OP.i64.extend_i32_u);
  }
  return true;
}
