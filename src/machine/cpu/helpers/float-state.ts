/**
 * FXSAVE and FXRSTOR (SDM Vol. 1, 10.5): the 512-byte image.
 *
 *     0 FCW · 2 FSW · 4 FTW (abridged: a bit a register, 1 is not empty) · 6 FOP · 8 FIP · 16 FDP · 24 MXCSR · 28 MXCSR_MASK · 32 ST0 … ST7 · 160 XMM0 … XMM15 · 416 … not written
 */
import { bug } from '../../isa/bug.ts';
import type { Decoded } from '../../isa/decode.ts';
import { READ, WRITE } from '../../memory/mmu-control.ts';
import { VECTOR } from '../../platform/vectors.ts';
import { HELPER } from '../ports.ts';
import { FCW, FSW, FTW, MXCSR, X87, XMM } from '../state.ts';
import { type Cpu, type Helper, highHalf, lowHalf } from './cpu.ts';

export const MXCSR_MASK = 0xffff;
const IMAGE_BYTES = 416;
/** Only the first eight XMM registers exist outside of 64-bit mode. */
const XMM_BYTES_32 = 128;

/** The operand's linear address; null: fault pending. */
function imageAddress(cpu: Cpu, decoded: Decoded, write: boolean): bigint | null {
  const [operand] = decoded.operands;
  if (operand?.kind !== 'mem') return bug('FXSAVE and FXRSTOR need memory');
  const linear = cpu.checkedLinear(operand.segment, cpu.offsetOf(decoded, operand), 512, write);
  if (linear === null) return null;
  if ((linear & 15n) === 0n) return linear;
  cpu.state.raise(VECTOR.GP, 0);
  return null;
}

/** Physical addresses of the image's two parts; null: fault pending. The second begins `split` bytes in. */
function locate(cpu: Cpu, linear: bigint, kind: number): { first: number; second: number; split: number } | null {
  const low = lowHalf(linear);
  const high = highHalf(linear);
  const split = Math.min(512, 4096 - (low & 0xfff));
  const first = cpu.mmu.translate(low, high, split, kind);
  if (first < 0) return null;
  if (split === 512) return { first, second: 0, split };
  const next = (low + split) | 0;
  const second = cpu.mmu.translate(next, next === 0 ? (high + 1) | 0 : high, 512 - split, kind);
  return second < 0 ? null : { first, second, split };
}

/** `bytes` bytes of the image are about to be read or written. */
function tell(
  cpu: Cpu,
  linear: bigint,
  bytes: number,
  kind: number,
  { first, second, split }: NonNullable<ReturnType<typeof locate>>,
): void {
  const { watchpoints } = cpu.mmu;
  watchpoints.access(lowHalf(linear), highHalf(linear), Math.min(bytes, split), kind, Math.floor(first / 4096));
  const next = linear + BigInt(split);
  if (bytes > split) watchpoints.access(lowHalf(next), highHalf(next), bytes - split, kind, Math.floor(second / 4096));
}

/** Where the image begins in PhysicalMemory.i32, if it lies in one frame of RAM; −1: it does not. */
function wordOf(cpu: Cpu, { first, split }: { readonly first: number; readonly split: number }): number {
  return split === 512 && first + 512 <= cpu.mmu.physical.bytes ? first >> 2 : -1;
}

export const fxsave: Helper = (cpu, decoded) => {
  const linear = imageAddress(cpu, decoded, true);
  if (linear === null) return HELPER.fault;
  const place = locate(cpu, linear, WRITE);
  if (place === null) return HELPER.fault;
  const { physical } = cpu.mmu;
  const bytes = decoded.mode === 64 ? IMAGE_BYTES : 160 + XMM_BYTES_32;
  tell(cpu, linear, bytes, WRITE, place);
  const to = wordOf(cpu, place);
  const isQuick = to >= 0 && physical.mayCacheWrites(place.first >>> 12);
  for (let at = 0; at < bytes; at += 8) {
    let low = 0;
    let high = 0;
    if (at === 0) {
      low = (cpu.low(FCW) & 0xffff) | (cpu.low(FSW) << 16);
      high = (cpu.low(FTW) & 0xff) | (cpu.high(X87) & ~0xffff);
    } else if (at === 24) {
      low = cpu.low(MXCSR);
      high = MXCSR_MASK;
    } else {
      const from = at < 160 ? X87 + at : XMM + at - 160;
      low = cpu.low(from);
      high = cpu.high(from);
    }
    if (isQuick) {
      physical.i32[to + (at >> 2)] = low;
      physical.i32[to + (at >> 2) + 1] = high;
    } else physical.write64(at < place.split ? place.first + at : place.second + at - place.split, low, high);
  }
  return HELPER.next;
};

export const fxrstor: Helper = (cpu, decoded) => {
  const linear = imageAddress(cpu, decoded, false);
  if (linear === null) return HELPER.fault;
  const place = locate(cpu, linear, READ);
  if (place === null) return HELPER.fault;
  const { physical } = cpu.mmu;
  const bytes = decoded.mode === 64 ? IMAGE_BYTES : 160 + XMM_BYTES_32;
  tell(cpu, linear, bytes, READ, place);
  const from = wordOf(cpu, place);
  const word = (at: number): number =>
    from >= 0
      ? (physical.i32[from + (at >> 2)] ?? 0)
      : physical.read(at < place.split ? place.first + at : place.second + at - place.split, 4);
  const mxcsr = word(24);
  if ((mxcsr & ~MXCSR_MASK) !== 0) return cpu.fault(VECTOR.GP, 0);
  for (let at = 8; at < bytes; at += 4) {
    if (at !== 24 && at !== 28) cpu.i32[(at < 160 ? X87 + at : XMM + at - 160) >> 2] = word(at);
  }
  cpu.state.view.setUint16(X87 + 6, word(4) >>> 16, true);
  const control = word(0);
  cpu.i32[FCW >> 2] = (control & 0xffff) | 0x40;
  cpu.i32[FSW >> 2] = control >>> 16;
  cpu.i32[FTW >> 2] = word(4) & 0xff;
  cpu.i32[MXCSR >> 2] = mxcsr;
  return HELPER.next;
};
