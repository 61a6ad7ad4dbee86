/**
 * Delivery of interrupts and exceptions through the IDT (SDM Vol. 3, chapter 6): gates, stack switch by TSS and IST, frames, the nesting
 * of faults up to the triple fault. A delivery either commits all of its register changes or none, and then leaves the fault that stopped it.
 *
 * The frame of 64-bit mode, from RSP up: [error code] RIP CS RFLAGS RSP SS.
 */
import { bug } from '../isa/bug.ts';
import { RFLAGS } from '../isa/flags.ts';
import { isCanonical } from '../memory/linear.ts';
import { IMPLICIT, READ, WRITE } from '../memory/mmu-control.ts';
import { VECTOR } from '../platform/vectors.ts';
import { ATTRIBUTE, type Cpu, SEG } from './helpers/cpu.ts';
import { Descriptor, FOUND, setFromDescriptor } from './helpers/descriptors.ts';
import {
  CR2,
  FAULT_CODE,
  FAULT_CR2,
  FAULT_HAS_CODE,
  FAULT_VECTOR,
  GPR,
  IDTR_BASE,
  IDTR_LIMIT,
  RIP,
  SCRATCH,
  SEGMENT_BASE,
  SEGMENT_UNUSABLE,
} from './state.ts';

/** Where an event comes from. `software`: INT n, INT3, INTO. `privileged`: INT1. */
export const SOURCE = { external: 0, exception: 1, software: 2, privileged: 3 } as const;

const RSP = GPR + 8 * 4;
/** Flags that delivery clears besides IF. */
const CLEARED = RFLAGS.tf | RFLAGS.nt | RFLAGS.rf | RFLAGS.vm;

export class Delivery {
  readonly #cpu: Cpu;
  readonly #code = new Descriptor();
  readonly #stack = new Descriptor();
  /** The frame's words, from the lowest address up, as pairs of halves. */
  readonly #frame = new Int32Array(16);
  #words = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** Delivers the pending fault. False: triple fault, the CPU has shut down. */
  fault(): boolean {
    const cpu = this.#cpu;
    let previous = -1;
    for (;;) {
      cpu.state.clearFault();
      let vector = cpu.low(FAULT_VECTOR);
      if (vector === VECTOR.PF) cpu.copy64(CR2, FAULT_CR2);
      if (previous >= 0) {
        if (previous === VECTOR.DF) return false;
        if (makesDoubleFault(previous, vector)) vector = VECTOR.DF;
      }
      const code = vector === VECTOR.DF ? 0 : cpu.low(FAULT_HAS_CODE) !== 0 ? cpu.low(FAULT_CODE) : -1;
      if (this.deliver(vector, code, SOURCE.exception, cpu.low(RIP), cpu.high(RIP))) return true;
      previous = vector;
    }
  }

  /** Delivers an external interrupt (or a trap that is told as an exception) at the present RIP. False: triple fault. */
  event(vector: number, source: number): boolean {
    const cpu = this.#cpu;
    if (this.deliver(vector, -1, source, cpu.low(RIP), cpu.high(RIP))) return true;
    return this.fault();
  }

  /** One attempt. `code` −1: none. RIP is what the frame holds. False: the fault that stopped it is pending. */
  deliver(vector: number, code: number, source: number, ripLow: number, ripHigh: number): boolean {
    const cpu = this.#cpu;
    cpu.state.clearReturnStack();
    if (cpu.isLong) return this.#deliver64(vector, code, source, ripLow, ripHigh);
    if (cpu.isProtected) return this.#deliver32(vector, code, source, ripLow);
    return this.#deliverReal(vector, source, ripLow);
  }

  #deliver64(vector: number, code: number, source: number, ripLow: number, ripHigh: number): boolean {
    const cpu = this.#cpu;
    const ext = source === SOURCE.software ? 0 : 1;
    const inIdt = vector * 8 + 2 + ext;
    if (vector * 16 + 15 > cpu.low(IDTR_LIMIT)) return this.#fail(VECTOR.GP, inIdt);
    if (!this.#readAt(cpu.low(IDTR_BASE), cpu.high(IDTR_BASE), vector * 16, 16)) return false;
    const gate0 = cpu.low(SCRATCH);
    const gate1 = cpu.high(SCRATCH);
    const targetHigh = cpu.low(SCRATCH + 8);
    const type = (gate1 >>> 8) & 0x1f;
    const cpl = cpu.cpl;
    if (type !== 0xe && type !== 0xf) return this.#fail(VECTOR.GP, inIdt);
    if (source === SOURCE.software && ((gate1 >>> 13) & 3) < cpl) return this.#fail(VECTOR.GP, inIdt);
    if ((gate1 & 0x8000) === 0) return this.#fail(VECTOR.NP, inIdt);

    const selector = gate0 >>> 16;
    const inTable = (selector & 0xfffc) | ext;
    if ((selector & 0xfffc) === 0) return this.#fail(VECTOR.GP, ext);
    const target = this.#code;
    const found = target.read(cpu, selector);
    if (found === FOUND.fault) return false;
    if (found === FOUND.outside || !target.isCode || !target.isLong || target.isBig || target.dpl > cpl)
      return this.#fail(VECTOR.GP, inTable);
    if (!target.isPresent) return this.#fail(VECTOR.NP, inTable);
    const newCpl = target.isConforming ? cpl : target.dpl;

    const ist = gate1 & 7;
    let rspLow = cpu.low(RSP);
    let rspHigh = cpu.high(RSP);
    if (ist !== 0 || newCpl < cpl) {
      const slot = ist !== 0 ? 36 + (ist - 1) * 8 : 4 + newCpl * 8;
      if (slot + 7 > cpu.limit(SEG.TR)) return this.#fail(VECTOR.TS, (cpu.selector(SEG.TR) & 0xfffc) | ext);
      if (!this.#readAt(cpu.low(SEGMENT_BASE + 8 * SEG.TR), cpu.high(SEGMENT_BASE + 8 * SEG.TR), slot, 8)) return false;
      rspLow = cpu.low(SCRATCH);
      rspHigh = cpu.high(SCRATCH);
      if (!isCanonical(rspHigh)) return this.#fail(VECTOR.SS, ext);
    }
    rspLow &= ~15;

    const flags = cpu.state.rflags;
    this.#words = 0;
    if (code >= 0) this.#push(code, 0);
    this.#push(ripLow, ripHigh);
    this.#push(cpu.selector(SEG.CS), 0);
    this.#push(source === SOURCE.exception && isFault(vector) ? flags | RFLAGS.rf : flags, 0);
    this.#push(cpu.low(RSP), cpu.high(RSP));
    this.#push(cpu.selector(SEG.SS), 0);
    const bottom = (rspLow >>> 0) - 8 * this.#words;
    const bottomHigh = bottom < 0 ? (rspHigh - 1) | 0 : rspHigh;
    const newLow = bottom | 0;
    if (!isCanonical(bottomHigh)) return this.#fail(VECTOR.SS, ext);
    const targetLow = (gate0 & 0xffff) | (gate1 & 0xffff0000);
    if (!isCanonical(targetHigh)) return this.#fail(VECTOR.GP, ext);
    if (!this.#writeFrame(newLow, bottomHigh, 8, newCpl < 3 ? WRITE | IMPLICIT : WRITE)) return false;
    if (!target.mark(cpu, selector, 8)) return false;

    this.#tell(vector, code, source, targetLow, targetHigh, ripLow, ripHigh);
    setFromDescriptor(cpu, SEG.CS, (selector & 0xfffc) | newCpl, target);
    if (newCpl !== cpl) cpu.setSegment(SEG.SS, newCpl, 0, 0, 0, SEGMENT_UNUSABLE | (newCpl << 5));
    cpu.set(RSP, newLow, bottomHigh);
    cpu.set(RIP, targetLow, targetHigh);
    cpu.state.rflags = flags & ~CLEARED & ~(type === 0xe ? RFLAGS.if : 0);
    this.#entered(cpl, newCpl, source);
    return true;
  }

  #deliver32(vector: number, code: number, source: number, rip: number): boolean {
    const cpu = this.#cpu;
    const ext = source === SOURCE.software ? 0 : 1;
    const inIdt = vector * 8 + 2 + ext;
    if (vector * 8 + 7 > cpu.low(IDTR_LIMIT)) return this.#fail(VECTOR.GP, inIdt);
    if (!this.#readAt(cpu.low(IDTR_BASE), cpu.high(IDTR_BASE), vector * 8, 8)) return false;
    const gate0 = cpu.low(SCRATCH);
    const gate1 = cpu.high(SCRATCH);
    const type = (gate1 >>> 8) & 0x1f;
    const cpl = cpu.cpl;
    if (type === 5) return bug('task gates are not built');
    if (type !== 0xe && type !== 0xf && type !== 6 && type !== 7) return this.#fail(VECTOR.GP, inIdt);
    if (source === SOURCE.software && ((gate1 >>> 13) & 3) < cpl) return this.#fail(VECTOR.GP, inIdt);
    if ((gate1 & 0x8000) === 0) return this.#fail(VECTOR.NP, inIdt);
    const wordSize = (type & 8) !== 0 ? 4 : 2;

    const selector = gate0 >>> 16;
    const inTable = (selector & 0xfffc) | ext;
    if ((selector & 0xfffc) === 0) return this.#fail(VECTOR.GP, ext);
    const target = this.#code;
    const found = target.read(cpu, selector);
    if (found === FOUND.fault) return false;
    if (found === FOUND.outside || !target.isCode || target.dpl > cpl) return this.#fail(VECTOR.GP, inTable);
    if (!target.isPresent) return this.#fail(VECTOR.NP, inTable);
    const newCpl = target.isConforming ? cpl : target.dpl;
    const eip = wordSize === 4 ? (gate0 & 0xffff) | (gate1 & 0xffff0000) : gate0 & 0xffff;
    if (eip >>> 0 > target.limit) return this.#fail(VECTOR.GP, ext);

    const stack = this.#stack;
    let stackSelector = cpu.selector(SEG.SS);
    let esp = cpu.low(RSP);
    let base = cpu.low(SEGMENT_BASE + 8 * SEG.SS);
    let big = (cpu.attributes(SEG.SS) & ATTRIBUTE.big) !== 0;
    if (newCpl < cpl) {
      const inTss = (cpu.selector(SEG.TR) & 0xfffc) | ext;
      const is32 = (cpu.attributes(SEG.TR) & 8) !== 0;
      const slot = is32 ? 4 + 8 * newCpl : 2 + 4 * newCpl;
      const size = is32 ? 6 : 4;
      if (slot + size - 1 > cpu.limit(SEG.TR)) return this.#fail(VECTOR.TS, inTss);
      if (!this.#readAt(cpu.low(SEGMENT_BASE + 8 * SEG.TR), 0, slot, 8)) return false;
      esp = is32 ? cpu.low(SCRATCH) : cpu.low(SCRATCH) & 0xffff;
      stackSelector = is32 ? cpu.high(SCRATCH) & 0xffff : cpu.low(SCRATCH) >>> 16;
      const inStack = (stackSelector & 0xfffc) | ext;
      if ((stackSelector & 0xfffc) === 0) return this.#fail(VECTOR.TS, ext);
      const stackFound = stack.read(cpu, stackSelector);
      if (stackFound === FOUND.fault) return false;
      if (stackFound === FOUND.outside || (stackSelector & 3) !== newCpl || stack.dpl !== newCpl || !stack.isWritableData)
        return this.#fail(VECTOR.TS, inStack);
      if (!stack.isPresent) return this.#fail(VECTOR.SS, inStack);
      base = stack.base;
      big = stack.isBig;
    }

    const flags = cpu.state.rflags;
    this.#words = 0;
    if (code >= 0) this.#push(code, 0);
    this.#push(rip, 0);
    this.#push(cpu.selector(SEG.CS), 0);
    this.#push(source === SOURCE.exception && isFault(vector) ? flags | RFLAGS.rf : flags, 0);
    if (newCpl < cpl) {
      this.#push(cpu.low(RSP), 0);
      this.#push(cpu.selector(SEG.SS), 0);
    }
    const newEsp = big ? (esp - wordSize * this.#words) | 0 : (esp & ~0xffff) | ((esp - wordSize * this.#words) & 0xffff);
    const bottom = (base + (big ? newEsp : newEsp & 0xffff)) | 0;
    if (!this.#writeFrame(bottom, 0, wordSize, newCpl < 3 ? WRITE | IMPLICIT : WRITE)) return false;
    if (!target.mark(cpu, selector, 8)) return false;
    if (newCpl < cpl && !stack.mark(cpu, stackSelector, 8)) return false;

    this.#tell(vector, code, source, eip, 0, rip, 0);
    setFromDescriptor(cpu, SEG.CS, (selector & 0xfffc) | newCpl, target);
    if (newCpl < cpl) setFromDescriptor(cpu, SEG.SS, stackSelector, stack);
    cpu.set(RSP, newEsp, 0);
    cpu.set(RIP, eip, 0);
    cpu.state.rflags = flags & ~CLEARED & ~((type & 1) === 0 ? RFLAGS.if : 0);
    this.#entered(cpl, newCpl, source);
    return true;
  }

  /** The interrupt vector table of real mode: 4 bytes a vector, offset then segment. */
  #deliverReal(vector: number, source: number, rip: number): boolean {
    const cpu = this.#cpu;
    if (vector * 4 + 3 > cpu.low(IDTR_LIMIT)) return this.#fail(VECTOR.GP, -1);
    if (!this.#readAt(cpu.low(IDTR_BASE), 0, vector * 4, 4)) return false;
    const target = cpu.low(SCRATCH);
    const flags = cpu.state.rflags;
    this.#words = 0;
    this.#push(rip, 0);
    this.#push(cpu.selector(SEG.CS), 0);
    this.#push(flags, 0);
    const sp = ((cpu.low(RSP) & 0xffff) - 6) & 0xffff;
    if (!this.#writeFrame((cpu.low(SEGMENT_BASE + 8 * SEG.SS) + sp) | 0, 0, 2, WRITE)) return false;
    this.#tell(vector, -1, source, target & 0xffff, 0, rip, 0);
    cpu.setSegment(SEG.CS, target >>> 16, (target >>> 16) << 4, 0, 0xffff, 0x9b);
    cpu.set(RSP, (cpu.low(RSP) & ~0xffff) | sp, 0);
    cpu.set(RIP, target & 0xffff, 0);
    cpu.state.rflags = flags & ~(RFLAGS.if | RFLAGS.tf | RFLAGS.ac | RFLAGS.rf);
    this.#entered(0, 0, source);
    return true;
  }

  #push(low: number, high: number): void {
    this.#frame[2 * this.#words] = low;
    this.#frame[2 * this.#words + 1] = high;
    this.#words++;
  }

  /** Writes the frame's words of `size` bytes from `low` up: its pages are translated before any byte is written. */
  #writeFrame(low: number, high: number, size: number, kind: number): boolean {
    const cpu = this.#cpu;
    const { mmu } = cpu;
    const bytes = size * this.#words;
    const to = size === 8 ? mmu.window(low, high, bytes, kind) : -1;
    if (to >= 0) {
      for (let i = 0; i < 2 * this.#words; i++) mmu.physical.i32[to + i] = this.#frame[i] ?? 0;
      return true;
    }
    const offset = low & 0xfff;
    const inFirst = Math.min(bytes, 4096 - offset);
    const first = mmu.translate(low, high, inFirst, kind);
    if (first < 0) return false;
    let second = 0;
    if (inFirst < bytes) {
      const next = (low + inFirst) | 0;
      second = mmu.translate(next, next === 0 && cpu.isLong ? (high + 1) | 0 : high, bytes - inFirst, kind);
      if (second < 0) return false;
    }
    const physical = mmu.physical;
    for (let i = 0; i < this.#words; i++) {
      const at = i * size;
      const wordLow = this.#frame[2 * i] ?? 0;
      const address = at < inFirst ? first + at : second + at - inFirst;
      if (size === 8) physical.write64(address, wordLow, this.#frame[2 * i + 1] ?? 0);
      else if (at + size <= inFirst || at >= inFirst) physical.write(address, size, size === 4 ? wordLow >>> 0 : wordLow & 0xffff);
      else
        for (let b = 0; b < size; b++)
          physical.write(at + b < inFirst ? first + at + b : second + at + b - inFirst, 1, (wordLow >>> (8 * b)) & 0xff);
    }
    return true;
  }

  /** Reads into SCRATCH from a system table. */
  #readAt(baseLow: number, baseHigh: number, offset: number, size: number): boolean {
    const sum = (baseLow >>> 0) + offset;
    return this.#cpu.mmu.readScratch(sum | 0, sum >= 2 ** 32 && this.#cpu.isLong ? (baseHigh + 1) | 0 : baseHigh, size, READ | IMPLICIT);
  }

  #fail(vector: number, code: number): boolean {
    this.#cpu.state.raise(vector, code < 0 ? null : code);
    return false;
  }

  /** The event, once delivery is certain and before registers change. */
  #tell(vector: number, code: number, source: number, targetLow: number, targetHigh: number, ripLow: number, ripHigh: number): void {
    const cpu = this.#cpu;
    const { observer } = cpu;
    if (observer === null) return;
    const target = address(targetLow, targetHigh);
    if (source === SOURCE.external) observer.irq?.(cpu.at, vector, target);
    else if (source === SOURCE.exception) {
      const cr2 = vector === VECTOR.PF ? cpu.state.get64(CR2) : null;
      observer.exception?.(cpu.at, vector, code < 0 ? null : code, cr2, address(ripLow, ripHigh), target);
    } else observer.softwareInterrupt?.(cpu.at, vector, cpu.state.rip, target);
  }

  #entered(before: number, after: number, source: number): void {
    const cpu = this.#cpu;
    cpu.setCpl(after);
    if (after < before) cpu.enteredKernel(source === SOURCE.external ? 'irq' : source === SOURCE.exception ? 'exception' : 'int');
  }
}

function address(low: number, high: number): bigint {
  return BigInt.asUintN(64, (BigInt(high) << 32n) | BigInt(low >>> 0));
}

/** SDM table 6-5: contributory after contributory, or contributory or page fault after a page fault. */
function makesDoubleFault(first: number, second: number): boolean {
  const isContributory = (vector: number) => vector === VECTOR.DE || (vector >= VECTOR.TS && vector <= VECTOR.GP);
  if (first === VECTOR.PF) return second === VECTOR.PF || isContributory(second);
  return isContributory(first) && isContributory(second);
}

/** Fault-class exceptions push RF=1 (SDM Vol. 3, 17.3.1.1): all but the traps #BP, #OF, #DB (as a trap), and the aborts. */
function isFault(vector: number): boolean {
  return (
    vector !== VECTOR.BP &&
    vector !== VECTOR.OF &&
    vector !== VECTOR.DB &&
    vector !== VECTOR.NMI &&
    vector !== VECTOR.DF &&
    vector !== VECTOR.MC
  );
}
