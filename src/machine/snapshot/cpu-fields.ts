/**
 * The CPU's architectural state as it is saved, loaded and hashed: ranges of cpu/state.ts, with RFLAGS in canonical form instead of its
 * carriers, and without what is derived (modes, software TLB, what is left of a run).
 */
import {
  CF,
  CPL,
  CPU_STATE_BYTES,
  type CpuState,
  DR,
  FCW,
  FSW,
  FTW,
  GPR,
  INTERRUPT_SHADOW,
  MSR,
  MSR_SLOTS,
  MXCSR,
  RETURN_DEPTH,
  RETURN_SLOTS,
  RETURN_STACK,
  SEGMENT_BASE,
  TSC_AUX,
  TSC_OFFSET,
  X87,
  XCR0,
  XMM,
} from '../cpu/state.ts';
import type { StateReader, StateWriter } from './fields.ts';

interface Range {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Saved as they are. */
const RANGES: readonly Range[] = [
  { name: 'general registers and RIP', from: GPR, to: CF },
  { name: 'segments, tables, control and debug registers', from: SEGMENT_BASE, to: DR + 64 },
  { name: 'XCR0', from: XCR0, to: XCR0 + 8 },
  { name: 'MSRs', from: MSR, to: MSR + 8 * MSR_SLOTS },
  { name: 'CPL', from: CPL, to: CPL + 4 },
  { name: 'TSC_AUX', from: TSC_AUX, to: TSC_AUX + 8 },
  { name: 'MXCSR', from: MXCSR, to: MXCSR + 4 },
  { name: 'TSC offset', from: TSC_OFFSET, to: TSC_OFFSET + 8 },
  { name: 'x87 control', from: FCW, to: FCW + 4 },
  { name: 'x87 status', from: FSW, to: FSW + 4 },
  { name: 'x87 tags', from: FTW, to: FTW + 4 },
  { name: 'XMM', from: XMM, to: XMM + 256 },
  { name: 'x87', from: X87, to: X87 + 160 },
];

/** The calls made, for the path: kept in a snapshot, not hashed, since only a recorded run has them. */
const UNHASHED: readonly Range[] = [{ name: 'return stack', from: RETURN_DEPTH, to: RETURN_STACK + 8 * RETURN_SLOTS }];

function bytesOf(state: CpuState): Uint8Array {
  return new Uint8Array(state.view.buffer, state.view.byteOffset, CPU_STATE_BYTES);
}

export function saveCpu(state: CpuState, to: StateWriter): void {
  const bytes = bytesOf(state);
  for (const range of RANGES) to.bytes(bytes.subarray(range.from, range.to));
  to.u64(state.readRflags());
  to.u64(state.count);
  const shadow = state.get64(INTERRUPT_SHADOW);
  to.u64(shadow > state.count ? shadow : 0n);
}

/** Loads everything that saveCpu wrote; the caller renews what is derived. */
export function loadCpu(state: CpuState, from: StateReader): void {
  const bytes = bytesOf(state);
  for (const range of RANGES) bytes.set(from.bytes(range.to - range.from), range.from);
  state.writeRflags(from.u64());
  state.setCount(Number(from.u64()));
  state.set64(INTERRUPT_SHADOW, from.u64());
  state.clearFault();
}

/** The count in a saved state. RangeError where it is too short. */
export function savedCount(state: Uint8Array): bigint {
  const at = RANGES.reduce((sum, { from, to }) => sum + to - from, 0) + 8;
  return new DataView(state.buffer, state.byteOffset, state.byteLength).getBigUint64(at, true);
}

export function saveUnhashed(state: CpuState, to: StateWriter): void {
  const bytes = bytesOf(state);
  for (const range of UNHASHED) to.bytes(bytes.subarray(range.from, range.to));
}

export function loadUnhashed(state: CpuState, from: StateReader): void {
  const bytes = bytesOf(state);
  for (const range of UNHASHED) bytes.set(from.bytes(range.to - range.from), range.from);
}
