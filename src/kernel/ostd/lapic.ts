/** The local APIC (SDM Vol. 3, ch. 11) as far as keel uses it: the one-shot timer that bounds every stay at CPL 3. The 8259 is masked off. */
import { outb, store32 } from 'palindrome/intrinsics';
import { LAPIC_PAGE } from './virtual-layout.ts';

const TASK_PRIORITY: u64 = 0x80n;
const END_OF_INTERRUPT: u64 = 0xb0n;
const SPURIOUS: u64 = 0xf0n;
const LVT_TIMER: u64 = 0x320n;
const LVT_LINT0: u64 = 0x350n;
const LVT_LINT1: u64 = 0x360n;
const LVT_ERROR: u64 = 0x370n;
const INITIAL_COUNT: u64 = 0x380n;
const DIVIDE: u64 = 0x3e0n;
const DIVIDE_BY_1: u32 = 0b1011;
const MASKED: u32 = 0x1_0000;
const SOFTWARE_ENABLE: u32 = 0x100;

export const TIMER_VECTOR: u32 = 32;
export const SPURIOUS_VECTOR: u32 = 255;

export function initialiseLapic(): void {
  outb(0x21, 0xff);
  outb(0xa1, 0xff);
  store32(LAPIC_PAGE + SPURIOUS, SOFTWARE_ENABLE | SPURIOUS_VECTOR);
  store32(LAPIC_PAGE + TASK_PRIORITY, 0);
  store32(LAPIC_PAGE + LVT_LINT0, MASKED);
  store32(LAPIC_PAGE + LVT_LINT1, MASKED);
  store32(LAPIC_PAGE + LVT_ERROR, MASKED);
  store32(LAPIC_PAGE + DIVIDE, DIVIDE_BY_1);
  store32(LAPIC_PAGE + LVT_TIMER, TIMER_VECTOR);
}

/** One interrupt after `ticks` (1 tick = 1 ns: an instruction on our machine). Replaces what was armed. */
export function armTimer(ticks: u64): void {
  const most: u64 = 0xffff_ffffn;
  const count = ticks === 0n ? 1n : ticks > most ? most : ticks;
  store32(LAPIC_PAGE + INITIAL_COUNT, u32(count));
}

export function endOfInterrupt(): void {
  store32(LAPIC_PAGE + END_OF_INTERRUPT, 0);
}
