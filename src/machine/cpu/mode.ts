/**
 * Execution modes as the code cache and the execute TLB number them.
 *
 *      3   2        1 0
 *     ┌───┬────────┬──────────────────────┐
 *     │CPL│segments│ 0: 16 · 1: 32 · 2: 64 │   CPL: 1 in user mode (CPL 3) · segments: 1 if ES SS DS are flat (32-bit modes)
 *     └───┴────────┴──────────────────────┘
 *
 * Bits 2:0 decide what decoded code means, bit 3 only whose execute rights the TLB's entry has.
 */
import { bug } from '../isa/bug.ts';
import { CS, DS, ES, SS } from '../isa/registers.ts';
import type { Segmentation } from '../translator/emit.ts';
import {
  CODE_BASE, CODE_MASK, CPL, type CpuState, CR0, EFER, MODE_INDEX, SEGMENT_ATTRIBUTES, SEGMENT_BASE, SEGMENT_LIMIT, SEGMENT_UNUSABLE,
} from './state.ts'; // biome-ignore format: one list

export const USER = 8;
/** Of 64-bit code, without USER. */
export const MODE_64 = 2;
const FLAT = 4;
const LMA = 1 << 10;
/** Attribute bits of a segment (as `SEGMENT_ATTRIBUTES`). */
const L = 1 << 9;
const D = 1 << 10;

/** Renews what is derived from control registers and segments: MODE_INDEX, CODE_BASE and CODE_MASK. */
export function updateMode(state: CpuState): void {
  const attributes = state.get32(SEGMENT_ATTRIBUTES + 4 * CS);
  const user = state.get32(CPL) === 3 ? USER : 0;
  if ((state.get32(EFER) & LMA) !== 0 && (attributes & L) !== 0) {
    state.set32(MODE_INDEX, MODE_64 | user);
    state.setHalves(CODE_BASE, 0, 0);
    state.setHalves(CODE_MASK, -1, -1);
    return;
  }
  const isProtected = (state.get32(CR0) & 1) !== 0;
  const size = isProtected && (attributes & D) !== 0 ? 1 : 0;
  const flat = isProtected && isFlat(state, ES) && isFlat(state, SS) && isFlat(state, DS) ? FLAT : 0;
  state.set32(MODE_INDEX, size | flat | user);
  state.setHalves(CODE_BASE, state.get32(SEGMENT_BASE + 8 * CS), state.get32(SEGMENT_BASE + 8 * CS + 4));
  state.setHalves(CODE_MASK, -1, 0);
}

/** Base 0, limit 4 GiB − 1, and a writable data segment that grows upwards. */
function isFlat(state: CpuState, segment: number): boolean {
  const attributes = state.get32(SEGMENT_ATTRIBUTES + 4 * segment);
  // Present, not a system segment, data, not expand-down, writable.
  if ((attributes & SEGMENT_UNUSABLE) !== 0 || (attributes & 0x9e) !== 0x92) return false;
  return state.number64(SEGMENT_BASE + 8 * segment) === 0 && state.get32(SEGMENT_LIMIT + 4 * segment) === 0xffff_ffff;
}

export function codeMode(modeIndex: number): { size: 16 | 32 | 64; segmentation: Segmentation } {
  const size = ([16, 32, 64] as const)[modeIndex & 3] ?? bug(`no mode ${modeIndex}`);
  return { size, segmentation: size === 64 ? 'long' : (modeIndex & FLAT) !== 0 ? 'flat' : 'segmented' };
}
