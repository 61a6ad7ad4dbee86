/**
 * External interrupts as the CPU sees them: what is due, and whether it may come in now.
 *
 * The interrupt controller is a device; the CPU knows it by this interface alone. Time is in ticks (retired instructions plus what HLT skipped).
 */
import { RFLAGS } from '../isa/flags.ts';
import type { Unsupported } from '../unsupported.ts';
import type { CpuState } from './state.ts';
import { INTERRUPT_SHADOW, RFLAGS_REST } from './state.ts';

export interface InterruptController {
  /** The vector that would be delivered now, by priority; −1: none. Does not ask RFLAGS. */
  pending(): number;
  /** Takes the vector that `pending` gave: it is in service from now on. */
  acknowledge(): number;
  /** A non-maskable interrupt waits. */
  readonly nmiPending: boolean;
  /** Takes it. */
  takeNmi(): boolean;
  /** The tick of the next event by time; Infinity: none. */
  nextEvent(): number;
  /** Lets events happen that are due at `now`. */
  advance(now: number): void;
  /** Task priority, bits 7:4 of TPR: CR8. */
  taskPriority: number;
  /** IA32_APIC_BASE says that the APIC is on: CPUID shows it. */
  readonly isEnabled: boolean;
  /** APIC_BASE, TSC_DEADLINE and the x2APIC's registers. Null, false: there is no such MSR or value; a name: it would need that. */
  readMsr(index: number): bigint | null;
  writeMsr(index: number, value: bigint): boolean | Unsupported;
}

/** Interrupts are open: IF=1, and no STI, MOV SS or POP SS just before. */
export function mayInterrupt(state: CpuState): boolean {
  return (state.get32(RFLAGS_REST) & RFLAGS.if) !== 0 && !inShadow(state);
}

/** One instruction after STI, MOV SS and POP SS runs first. */
export function inShadow(state: CpuState): boolean {
  return state.retired < state.number64(INTERRUPT_SHADOW);
}
