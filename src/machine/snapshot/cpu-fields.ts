/**
 * The CPU's architectural state as it is saved, loaded and hashed: ranges of cpu/state.ts, with RFLAGS in canonical form instead of its
 * carriers, and without what is derived (modes, software TLB, what is left of a run).
 */
import { CR0_BITS, CR4_BITS } from '../cpu/helpers/control.ts';
import {
  CF, CPL, CPU_STATE_BYTES, type CpuState, CR0, CR3, CR4, DR, EFER, FCW, FSW, FTW, GPR, GPR_ZERO, INTERRUPT_SHADOW, MSR, MSR_SLOTS, MXCSR,
  RETURN_DEPTH, RETURN_SLOTS, RETURN_STACK, SEGMENT_BASE, TSC_AUX, TSC_OFFSET, X87, XCR0, XMM,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { CR0 as CR0_BIT, CR4 as CR4_BIT, EFER as EFER_BIT } from '../platform/bits.ts';
import { PHYSICAL_BITS } from '../platform/memory-map.ts';
import { MOST_TICKS } from '../platform/time.ts';
import type { StateReader, StateWriter } from './fields.ts';

/** Of SEGMENT_BASE: the base of "no segment". */
const NO_SEGMENT = 8;

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

/** Loads everything that saveCpu wrote; the caller renews what is derived. RangeError where it contradicts itself. */
export function loadCpu(state: CpuState, from: StateReader): void {
  const bytes = bytesOf(state);
  for (const range of RANGES) bytes.set(from.bytes(range.to - range.from), range.from);
  state.writeRflags(from.u64());
  const count = from.u64();
  const shadow = from.u64();
  if (count > MOST_TICKS) throw new RangeError(`a count of ${count} instructions`);
  state.setCount(Number(count));
  state.set64(INTERRUPT_SHADOW, shadow);
  state.clearFault();
  const wrong = CONTRADICTIONS.find(({ is }) => is(state));
  if (wrong !== undefined) throw new RangeError(wrong.name);
}

const has = (state: CpuState, register: number, bit: number): boolean => (state.get32(register) & bit) !== 0;

/** States that no CPU comes to, and that nothing which runs is made for: who stored them went wrong, or is an enemy. */
// biome-ignore format: one a line
const CONTRADICTIONS: readonly { readonly name: string; readonly is: (state: CpuState) => boolean }[] = [
  { name: 'a constant is not zero', is: (s) => s.get64(GPR_ZERO) !== 0n || s.get64(SEGMENT_BASE + 8 * NO_SEGMENT) !== 0n },
  { name: 'interrupts are held off for long', is: (s) => s.get64(INTERRUPT_SHADOW) > s.count + 1n },
  { name: 'CR0 has bits that do not exist', is: (s) => s.get32(CR0 + 4) !== 0 || has(s, CR0, ~CR0_BITS) },
  { name: 'CR4 has bits that do not exist', is: (s) => s.get32(CR4 + 4) !== 0 || has(s, CR4, ~CR4_BITS) },
  { name: 'CR3 is beyond the physical addresses', is: (s) => s.get64(CR3) >> BigInt(PHYSICAL_BITS) !== 0n },
  { name: 'there is paging without protection', is: (s) => has(s, CR0, CR0_BIT.PG) && !has(s, CR0, CR0_BIT.PE) },
  { name: 'there is paging that is not that of long mode', is: (s) => has(s, CR0, CR0_BIT.PG) !== has(s, EFER, EFER_BIT.LMA) },
  { name: 'there is long mode without PAE', is: (s) => has(s, EFER, EFER_BIT.LMA) && !(has(s, CR4, CR4_BIT.PAE) && has(s, EFER, EFER_BIT.LME)) },
  { name: 'there are PCIDs outside of long mode', is: (s) => has(s, CR4, CR4_BIT.PCIDE) && !has(s, EFER, EFER_BIT.LMA) },
  { name: 'the privilege level is above 3', is: (s) => s.get32(CPL) > 3 },
];

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
  // RETURN_TOP counts on and on: its slot is that modulo RETURN_SLOTS.
  if (state.get32(RETURN_DEPTH) > RETURN_SLOTS) throw new RangeError('a return stack beyond its slots');
}
