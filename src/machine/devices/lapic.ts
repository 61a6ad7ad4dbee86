/**
 * The local APIC (SDM Vol. 3, chapter 10): xAPIC by memory, x2APIC by MSRs; timer in one-shot, periodic and TSC-deadline mode, counted
 * in ticks of virtual time (divided as the guest says); interrupts from itself (timer, LINT0 with the 8259 behind it, IPIs to itself).
 * There is one CPU: IPIs that name others go nowhere.
 *
 * Vectors wait in IRR and are served in ISR, 256 bits each. `pending` is the highest requested vector if its class is above PPR's.
 */

import type { InterruptController } from '../cpu/interrupts.ts';
import { bug } from '../isa/bug.ts';
import { LAPIC_BASE, LAPIC_BYTES } from '../platform/memory-map.ts';
import { MSR } from '../platform/msr.ts';
import { MOST_TICKS } from '../platform/time.ts';
import { fieldsOf } from '../snapshot/fields.ts';
import type { Unsupported } from '../unsupported.ts';
import type { Clock } from './device.ts';

/** Register numbers: offset in the page / 16, and x2APIC MSR − 0x800. */
const REG = {
  id: 0x02,
  version: 0x03,
  tpr: 0x08,
  apr: 0x09,
  ppr: 0x0a,
  eoi: 0x0b,
  ldr: 0x0d,
  dfr: 0x0e,
  svr: 0x0f,
  isr: 0x10,
  tmr: 0x18,
  irr: 0x20,
  esr: 0x28,
  icrLow: 0x30,
  icrHigh: 0x31,
  lvtTimer: 0x32,
  lvtError: 0x37,
  initialCount: 0x38,
  currentCount: 0x39,
  divide: 0x3e,
  selfIpi: 0x3f,
} as const;

/** LVT registers 0x32 … 0x37: timer, thermal, performance, LINT0, LINT1, error. */
const LVT = { timer: 0, thermal: 1, performance: 2, lint0: 3, lint1: 4, error: 5 } as const;
const LVT_MASKED = 1 << 16;
/** Writable bits of each LVT entry. */
const LVT_BITS: readonly number[] = [0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff];
const DELIVERY = { fixed: 0, lowest: 1, nmi: 4, init: 5, external: 7 } as const;
/** Version 0x14, five LVT entries above the first. */
const VERSION = 0x50014;
const APIC_BASE = { high: 0xff, bsp: 1 << 8, x2apic: 1 << 10, enable: 1 << 11 } as const;
const TIMER_MODE = { oneShot: 0, periodic: 1, deadline: 2 } as const;
/** Bits that WRMSR may set in x2APIC mode, by register: others are #GP, as is a register that is not here (SDM 10.12.1.2 and 10.12.1.3). */
const X2_WRITABLE: ReadonlyMap<number, number> = new Map([
  [REG.tpr, 0xff],
  [REG.eoi, 0],
  [REG.svr, 0x3ff],
  [REG.esr, 0],
  // Delivery status and remote IRR may be written, to no effect.
  ...LVT_BITS.map((bits, index) => [REG.lvtTimer + index, bits | (index === LVT.lint0 || index === LVT.lint1 ? 0x5000 : 0x1000)] as const),
  [REG.initialCount, 0xffffffff],
  [REG.divide, 0xb],
  [REG.selfIpi, 0xff],
]);
const X2_ICR_RESERVED = 0xfff32000n;
const ESR_ILLEGAL_REGISTER = 1 << 7;
const ESR_SEND_ILLEGAL_VECTOR = 1 << 5;
const ESR_RECEIVE_ILLEGAL_VECTOR = 1 << 6;

/** The 8259 behind LINT0. */
export interface ExternalController {
  readonly isPending: boolean;
  acknowledge(): number;
}

export class Lapic implements InterruptController {
  /** IA32_APIC_BASE, but that bits 7:0, which are 0 there, hold bits 39:32 of the page's address. */
  base = (LAPIC_BASE | APIC_BASE.bsp | APIC_BASE.enable) >>> 0;
  taskPriorityRegister = 0;
  logicalDestination = 0;
  destinationFormat = 0xffffffff;
  spurious = 0xff;
  icrLow = 0;
  icrHigh = 0;
  divide = 0;
  initialCount = 0;
  errors = 0;
  errorsLatched = 0;
  readonly lvt = new Uint32Array(6).fill(LVT_MASKED);
  readonly request = new Uint32Array(8);
  readonly service = new Uint32Array(8);
  nmiPending = false;
  /** The tick at which the timer fires, Infinity: it does not run. */
  timerDue = Number.POSITIVE_INFINITY;
  /** IA32_TSC_DEADLINE. */
  deadline = 0n;

  readonly #clock: Clock;
  readonly #ramBytes: number;
  readonly #changed: () => void;
  readonly #init: () => void;
  #external: ExternalController | null = null;
  #best = -1;

  /** `changed`: what is pending, or the next event in time, may have changed. `init`: the CPU is to be initialised. */
  constructor(clock: Clock, ramBytes: number, changed: () => void, init: () => void) {
    this.#clock = clock;
    this.#ramBytes = ramBytes;
    this.#changed = changed;
    this.#init = init;
  }

  connect(external: ExternalController): void {
    this.#external = external;
  }

  // ---- For the CPU ----------------------------------------------------------------------------------------------------------------------

  pending(): number {
    const best = this.#best;
    if (best >= 0) return best;
    return this.#externalOpen && this.#external?.isPending === true ? 0x100 : -1;
  }

  acknowledge(): number {
    const vector = this.#best;
    if (vector < 0) return this.#external?.acknowledge() ?? bug('no interrupt to acknowledge');
    clearBit(this.request, vector);
    setBit(this.service, vector);
    this.#update();
    return vector;
  }

  takeNmi(): boolean {
    const was = this.nmiPending;
    this.nmiPending = false;
    return was;
  }

  nextEvent(): number {
    return this.timerDue;
  }

  advance(now: number): void {
    if (now < this.timerDue) return;
    const timer = this.lvt[LVT.timer] ?? 0;
    if (this.#timerMode === TIMER_MODE.periodic) {
      const period = this.initialCount * this.#divisor;
      this.timerDue = beforeNever(this.timerDue + period * (Math.floor((now - this.timerDue) / period) + 1));
    } else {
      this.timerDue = Number.POSITIVE_INFINITY;
      this.deadline = 0n;
    }
    if ((timer & LVT_MASKED) === 0) this.#raise(timer & 0xff);
  }

  get taskPriority(): number {
    return this.taskPriorityRegister >>> 4;
  }

  set taskPriority(value: number) {
    this.taskPriorityRegister = value << 4;
    this.#update();
  }

  /** Physical address of the registers' page (SDM 10.4.5). */
  get page(): number {
    return this.base - (this.base % LAPIC_BYTES) + (this.base & APIC_BASE.high) * 2 ** 32;
  }

  get isEnabled(): boolean {
    return (this.base & APIC_BASE.enable) !== 0;
  }

  /** Ticks until the timer interrupts, if nothing keeps it off (0: an interrupt already waits); null: it is not armed or masked. */
  get preemption(): number | null {
    if (this.pending() >= 0) return 0;
    if (this.timerDue === Number.POSITIVE_INFINITY || !this.#isOn || ((this.lvt[LVT.timer] ?? 0) & LVT_MASKED) !== 0) return null;
    return Math.max(0, this.timerDue - this.#clock.now);
  }

  /** The 8259's output changed. */
  externalChanged(): void {
    this.#changed();
  }

  /** After the fields were loaded. RangeError where they contradict each other. */
  reload(): void {
    if (this.#timerMode === TIMER_MODE.periodic && this.timerDue !== Number.POSITIVE_INFINITY && this.initialCount === 0)
      throw new RangeError('a periodic timer has no period');
    this.#best = this.#findBest();
  }

  readMsr(index: number): bigint | null {
    if (index === MSR.IA32_APIC_BASE) return BigInt(this.page + (this.base & 0xf00));
    if (index === MSR.IA32_TSC_DEADLINE) return this.#timerMode === TIMER_MODE.deadline ? this.deadline : 0n;
    if (!this.#isX2 || index < MSR.IA32_X2APIC_FIRST || index > MSR.IA32_X2APIC_LAST) return null;
    const register = index - MSR.IA32_X2APIC_FIRST;
    if (register === REG.icrLow) return BigInt(this.icrLow >>> 0) | (BigInt(this.icrHigh >>> 0) << 32n);
    if (register === REG.icrHigh || register === REG.dfr || register === REG.eoi || register === REG.selfIpi || register === REG.apr)
      return null;
    if (register === REG.ldr) return 1n;
    const value = this.#read(register);
    return value === null ? null : BigInt(value >>> 0);
  }

  writeMsr(index: number, value: bigint): boolean | Unsupported {
    if (index === MSR.IA32_APIC_BASE) return this.#writeBase(value);
    if (index === MSR.IA32_TSC_DEADLINE) {
      this.#writeDeadline(value);
      return true;
    }
    if (!this.#isX2 || index < MSR.IA32_X2APIC_FIRST || index > MSR.IA32_X2APIC_LAST) return false;
    const register = index - MSR.IA32_X2APIC_FIRST;
    if (register === REG.icrLow) {
      if ((value & X2_ICR_RESERVED) !== 0n) return false;
      this.icrHigh = Number((value >> 32n) & 0xffffffffn);
      this.#sendIpi(Number(value & 0xffffffffn));
      return true;
    }
    const writable = X2_WRITABLE.get(register);
    if (writable === undefined || (value & ~BigInt(writable)) !== 0n) return false;
    if (register === REG.selfIpi) this.#raise(Number(value));
    else this.#write(register, Number(value));
    return true;
  }

  // ---- Memory-mapped (xAPIC) --------------------------------------------------------------------------------------------------------------

  /** `offset` in the page. Only aligned 32-bit accesses are defined; others see the word that they lie in. */
  readMemory(offset: number, size: number): number {
    if (!this.isEnabled || this.#isX2) return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
    const within = offset & 15;
    if (within >= 4) return 0;
    let value = this.#read(offset >>> 4);
    if (value === null) {
      this.#error(ESR_ILLEGAL_REGISTER);
      value = 0;
    }
    const shifted = value >>> (8 * within);
    return size === 4 ? shifted : size === 2 ? shifted & 0xffff : shifted & 0xff;
  }

  writeMemory(offset: number, size: number, value: number): void {
    if (!this.isEnabled || this.#isX2 || (offset & 15) !== 0 || size !== 4) return;
    const register = offset >>> 4;
    if (register === REG.icrHigh) this.icrHigh = value & 0xff000000;
    else if (register === REG.icrLow) this.#sendIpi(value);
    else this.#write(register, value);
  }

  // ---- Registers ------------------------------------------------------------------------------------------------------------------------

  /** Null: no such register. */
  #read(register: number): number | null {
    if (register >= REG.isr && register < REG.tmr) return this.service[register - REG.isr] ?? 0;
    // Everything here is edge-triggered: TMR is zero.
    if (register >= REG.tmr && register < REG.irr) return 0;
    if (register >= REG.irr && register < REG.esr) return this.request[register - REG.irr] ?? 0;
    if (register >= REG.lvtTimer && register <= REG.lvtError) return this.lvt[register - REG.lvtTimer] ?? 0;
    switch (register) {
      case REG.id:
      case REG.apr:
      case REG.eoi:
        return 0;
      case REG.version:
        return VERSION;
      case REG.tpr:
        return this.taskPriorityRegister;
      case REG.ppr:
        return this.#processorPriority;
      case REG.ldr:
        return this.logicalDestination;
      case REG.dfr:
        return this.destinationFormat;
      case REG.svr:
        return this.spurious;
      case REG.esr:
        return this.errorsLatched;
      case REG.icrLow:
        return this.icrLow;
      case REG.icrHigh:
        return this.icrHigh;
      case REG.initialCount:
        return this.initialCount;
      case REG.currentCount:
        return this.#currentCount;
      case REG.divide:
        return this.divide;
      default:
        return null;
    }
  }

  #write(register: number, value: number): void {
    if (register >= REG.lvtTimer && register <= REG.lvtError) {
      this.#writeLvt(register - REG.lvtTimer, value);
      return;
    }
    switch (register) {
      case REG.tpr:
        this.taskPriorityRegister = value & 0xff;
        break;
      case REG.eoi:
        clearHighest(this.service);
        break;
      case REG.ldr:
        this.logicalDestination = (value & 0xff000000) >>> 0;
        break;
      case REG.dfr:
        this.destinationFormat = (value | 0x0fffffff) >>> 0;
        break;
      case REG.svr:
        this.spurious = value & 0x1ff;
        // Software-disabled: every LVT entry is masked.
        if ((value & 0x100) === 0) for (let i = 0; i < 6; i++) this.lvt[i] = (this.lvt[i] ?? 0) | LVT_MASKED;
        break;
      case REG.esr:
        this.errorsLatched = this.errors;
        this.errors = 0;
        break;
      case REG.initialCount:
        if (this.#timerMode === TIMER_MODE.deadline) break;
        this.initialCount = value >>> 0;
        this.timerDue = this.initialCount === 0 ? Number.POSITIVE_INFINITY : this.#inTicks(1 + this.initialCount * this.#divisor);
        break;
      case REG.divide: {
        const left = this.#currentCount;
        this.divide = value & 0xb;
        if (left > 0 && this.#timerMode !== TIMER_MODE.deadline) this.timerDue = this.#inTicks(1 + left * this.#divisor);
        break;
      }
      default:
        // One that is there for reading only ignores it.
        if (this.#read(register) === null) this.#error(ESR_ILLEGAL_REGISTER);
    }
    this.#update();
  }

  #writeLvt(index: number, value: number): void {
    const before = this.lvt[index] ?? 0;
    let after = value & (LVT_BITS[index] ?? 0);
    if ((this.spurious & 0x100) === 0) after |= LVT_MASKED;
    this.lvt[index] = after;
    // A change into or out of TSC-deadline mode disarms the timer.
    if (index === LVT.timer && ((before ^ after) & (3 << 17)) !== 0) {
      if ((((before >>> 17) & 3) === TIMER_MODE.deadline) !== (this.#timerMode === TIMER_MODE.deadline)) {
        this.timerDue = Number.POSITIVE_INFINITY;
        this.deadline = 0n;
        this.initialCount = 0;
      }
    }
    this.#update();
  }

  #writeBase(value: bigint): boolean | Unsupported {
    if (value >> 40n !== 0n || (value & 0x2ffn) !== 0n) return false;
    const after = Number(value);
    const mode = after & (APIC_BASE.enable | APIC_BASE.x2apic);
    const before = this.base & (APIC_BASE.enable | APIC_BASE.x2apic);
    // SDM figure 10-27: x2APIC needs the APIC on, is left by switching off only, and off goes to xAPIC first.
    if (mode === APIC_BASE.x2apic) return false;
    if (before === 0 && (mode & APIC_BASE.x2apic) !== 0) return false;
    if ((before & APIC_BASE.x2apic) !== 0 && mode === APIC_BASE.enable) return false;
    const page = after - (after % LAPIC_BYTES);
    if (page < this.#ramBytes) return 'apic-over-ram';
    this.base = (page % 2 ** 32) + Math.floor(page / 2 ** 32) + APIC_BASE.bsp + mode;
    if (mode === 0) this.#reset();
    this.#update();
    return true;
  }

  /** What switching the APIC off does to its registers: they are as after power-up (SDM 10.4.7.1). */
  #reset(): void {
    this.taskPriorityRegister = 0;
    this.logicalDestination = 0;
    this.destinationFormat = 0xffffffff;
    this.icrLow = 0;
    this.icrHigh = 0;
    this.spurious = 0xff;
    this.lvt.fill(LVT_MASKED);
    this.request.fill(0);
    this.service.fill(0);
    this.timerDue = Number.POSITIVE_INFINITY;
    this.deadline = 0n;
    this.initialCount = 0;
    this.divide = 0;
  }

  #writeDeadline(value: bigint): void {
    if (this.#timerMode !== TIMER_MODE.deadline) return;
    this.deadline = value;
    const now = this.#clock.now;
    const left = value - BigInt.asUintN(64, BigInt(now) + this.#clock.tscOffset);
    // Fires once TSC ≥ deadline: at the soonest after the instruction that wrote it, and not at all where no run gets there.
    this.timerDue = value === 0n || left > MOST_TICKS ? Number.POSITIVE_INFINITY : this.#inTicks(Math.max(1, Number(left)));
    this.#update();
  }

  #sendIpi(low: number): void {
    this.icrLow = low & 0xccfff;
    const shorthand = (low >>> 18) & 3;
    if (shorthand === 3 || (shorthand === 0 && !this.#isNamed((low & 0x800) !== 0))) return;
    const vector = low & 0xff;
    switch ((low >>> 8) & 7) {
      case DELIVERY.fixed:
      case DELIVERY.lowest:
        if (vector < 16) {
          this.#error(ESR_SEND_ILLEGAL_VECTOR);
          return;
        }
        this.#raise(vector);
        return;
      case DELIVERY.nmi:
        this.nmiPending = true;
        this.#changed();
        return;
      case DELIVERY.init:
        if ((low & 0xc000) === 0x8000) return; // level de-assert: nothing on these processors
        // With a shorthand it would be an IPI to itself, which INIT cannot be (SDM table 10-3).
        if (shorthand === 0) this.#init();
        return;
      default:
      // A CPU that runs ignores a start-up; there is no system management mode for an SMI; the other modes are reserved for IPIs.
    }
  }

  /** The destination field names this CPU. */
  #isNamed(logical: boolean): boolean {
    const destination = this.#isX2 ? this.icrHigh : this.icrHigh >>> 24;
    if (destination === (this.#isX2 ? 0xffffffff : 0xff)) return true;
    if (!logical) return destination === 0;
    if (this.#isX2) return (destination & 1) !== 0 && destination >>> 16 === 0;
    const mine = this.logicalDestination >>> 24;
    if (this.destinationFormat >>> 28 === 0xf) return (destination & mine) !== 0;
    return destination >>> 4 === mine >>> 4 && (destination & mine & 15) !== 0;
  }

  #inTicks(ticks: number): number {
    return beforeNever(this.#clock.now + ticks);
  }

  // ---- Inside -----------------------------------------------------------------------------------------------------------------------------

  #raise(vector: number): void {
    if (vector < 16) this.#error(ESR_RECEIVE_ILLEGAL_VECTOR);
    else setBit(this.request, vector);
    this.#update();
  }

  /** Notes an error. The first since ESR was written interrupts, where the LVT lets it: the write arms that again (SDM 10.5.3). */
  #error(bit: number): void {
    const isFirst = this.errors === 0;
    this.errors |= bit;
    const entry = this.lvt[LVT.error] ?? 0;
    if (isFirst && (entry & LVT_MASKED) === 0) this.#raise(entry & 0xff);
  }

  #update(): void {
    this.#best = this.#findBest();
    this.#changed();
  }

  #findBest(): number {
    if (!this.#isOn) return -1;
    const vector = highest(this.request);
    return vector >= 0 && vector >>> 4 > this.#processorPriority >>> 4 ? vector : -1;
  }

  get #processorPriority(): number {
    const serving = Math.max(highest(this.service), 0) & 0xf0;
    return this.taskPriorityRegister >>> 4 >= serving >>> 4 ? this.taskPriorityRegister : serving;
  }

  get #isOn(): boolean {
    return this.isEnabled && (this.spurious & 0x100) !== 0;
  }

  get #isX2(): boolean {
    return (this.base & APIC_BASE.x2apic) !== 0;
  }

  /** LINT0 passes the 8259 on: programmed as ExtINT, or the APIC is off altogether. */
  get #externalOpen(): boolean {
    if (!this.isEnabled) return true;
    const lint0 = this.lvt[LVT.lint0] ?? 0;
    return (lint0 & LVT_MASKED) === 0 && ((lint0 >>> 8) & 7) === DELIVERY.external;
  }

  get #timerMode(): number {
    return ((this.lvt[LVT.timer] ?? 0) >>> 17) & 3;
  }

  /** Bits 3, 1, 0 of the divide register: 000 is 2, … 110 is 128, 111 is 1. */
  get #divisor(): number {
    const n = (this.divide & 3) | ((this.divide >>> 1) & 4);
    return n === 7 ? 1 : 2 << n;
  }

  get #currentCount(): number {
    if (this.timerDue === Number.POSITIVE_INFINITY || this.#timerMode === TIMER_MODE.deadline) return 0;
    return Math.max(0, Math.ceil((this.timerDue - this.#clock.now) / this.#divisor));
  }
}

const beforeNever = (due: number): number => (due > MOST_TICKS ? Number.POSITIVE_INFINITY : due);

function setBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31));
}

function clearBit(words: Uint32Array, bit: number): void {
  words[bit >>> 5] = (words[bit >>> 5] ?? 0) & ~(1 << (bit & 31));
}

function highest(words: Uint32Array): number {
  for (let i = 7; i >= 0; i--) {
    const word = words[i] ?? 0;
    if (word !== 0) return 32 * i + 31 - Math.clz32(word);
  }
  return -1;
}

function clearHighest(words: Uint32Array): void {
  const bit = highest(words);
  if (bit >= 0) clearBit(words, bit);
}

export const LAPIC_FIELDS = fieldsOf<Lapic>('lapic', {
  base: 'u32',
  taskPriorityRegister: 'u8',
  logicalDestination: 'u32',
  destinationFormat: 'u32',
  spurious: 'u32',
  icrLow: 'u32',
  icrHigh: 'u32',
  divide: 'u8',
  initialCount: 'u32',
  errors: 'u32',
  errorsLatched: 'u32',
  lvt: 'words',
  request: 'words',
  service: 'words',
  nmiPending: 'flag',
  timerDue: 'due',
  deadline: 'u64',
});
