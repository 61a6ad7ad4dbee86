/**
 * Delivery of interrupts and exceptions (SDM Vol. 3, chapter 6). In IA-32e mode it is generated code (transfer-code.ts), and so is the nesting of
 * faults; here are protected and real mode. A delivery either commits all of its register changes or none, and then leaves the
 * fault that stopped it.
 */
import { RFLAGS } from '../isa/flags.ts';
import { IMPLICIT, READ, WRITE } from '../memory/mmu-control.ts';
import { VECTOR } from '../platform/vectors.ts';
import { vectorOf } from '../unsupported.ts';
import { FOUND } from './descriptor-code.ts';
import { ATTRIBUTE, type Cpu, SEG } from './helpers/cpu.ts';
import { Descriptor, setFromDescriptor } from './helpers/descriptors.ts';
import { updateMode } from './mode.ts';
import { GPR, IDTR_BASE, IDTR_LIMIT, RIP, SCRATCH, SEGMENT_BASE } from './state.ts';
import { CLEARED, SOURCE, TRAPS, type TransferCode } from './transfer-code.ts';

const RSP = GPR + 8 * 4;

export class Delivery {
  /** The generated part. */
  readonly code: TransferCode;
  readonly #cpu: Cpu;
  readonly #code = new Descriptor();
  readonly #stack = new Descriptor();
  /** The frame's words, from the lowest address up. */
  readonly #frame = new Int32Array(8);
  #words = 0;

  /** `module`: made by transfer-code.ts. `died`: told of a triple fault. */
  constructor(cpu: Cpu, module: WebAssembly.Module, died: () => void) {
    this.#cpu = cpu;
    const { memory } = cpu.mmu.physical;
    const { readScratch, writeScratch } = cpu.mmu.code;
    const env = {
      ...{ memory, base: cpu.state.base, readScratch, writeScratch, died },
      deliverLegacy: (vector: number, code: number, source: number, rip: number) => this.#deliverLegacy(vector, code, source, rip),
      attend: () => cpu.flagsChanged(),
      endNmi: () => cpu.endNmi(),
      updateMode: () => updateMode(cpu.state),
      ...cpu.events,
    };
    this.code = new WebAssembly.Instance(module, { env }).exports as unknown as TransferCode;
    cpu.descriptors = this.code;
  }

  /** Delivers the pending fault. False: triple fault, the CPU has shut down. */
  fault(): boolean {
    return this.code.fault() !== 0;
  }

  /** Delivers an external interrupt (or a trap that is told as an exception) at the present RIP. False: triple fault. */
  event(vector: number, source: number): boolean {
    const cpu = this.#cpu;
    if (this.deliver(vector, -1, source, cpu.low(RIP), cpu.high(RIP))) return true;
    return this.fault();
  }

  /** One attempt. `code` −1: none. RIP is what the frame holds. False: the fault that stopped it is pending. */
  deliver(vector: number, code: number, source: number, ripLow: number, ripHigh: number): boolean {
    return this.code.deliver(vector, code, source, ripLow, ripHigh) !== 0;
  }

  #deliverLegacy(vector: number, code: number, source: number, rip: number): number {
    const isDelivered = this.#cpu.isProtected ? this.#deliver32(vector, code, source, rip) : this.#deliverReal(vector, source, rip);
    updateMode(this.#cpu.state);
    return isDelivered ? 1 : 0;
  }

  #deliver32(vector: number, code: number, source: number, rip: number): boolean {
    const cpu = this.#cpu;
    const ext = source === SOURCE.software ? 0 : 1;
    const inIdt = vector * 8 + 2 + ext;
    if (vector * 8 + 7 > cpu.low(IDTR_LIMIT)) return this.#fail(VECTOR.GP, inIdt);
    if (!this.#readAt(cpu.low(IDTR_BASE), vector * 8, 8)) return false;
    const gate0 = cpu.low(SCRATCH);
    const gate1 = cpu.high(SCRATCH);
    const type = (gate1 >>> 8) & 0x1f;
    const cpl = cpu.cpl;
    if (type === 5) return this.#fail(vectorOf('task-switch'), -1);
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
      if (!this.#readAt(cpu.low(SEGMENT_BASE + 8 * SEG.TR), slot, 8)) return false;
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
    if (code >= 0) this.#push(code);
    this.#push(rip);
    this.#push(cpu.selector(SEG.CS));
    this.#push(source === SOURCE.exception && (TRAPS & (1 << vector)) === 0 ? flags | RFLAGS.rf : flags);
    if (newCpl < cpl) {
      this.#push(cpu.low(RSP));
      this.#push(cpu.selector(SEG.SS));
    }
    const newEsp = big ? (esp - wordSize * this.#words) | 0 : (esp & ~0xffff) | ((esp - wordSize * this.#words) & 0xffff);
    const bottom = (base + (big ? newEsp : newEsp & 0xffff)) | 0;
    if (!this.#writeFrame(bottom, wordSize, newCpl < 3 ? WRITE | IMPLICIT : WRITE)) return false;
    if (!target.mark(cpu, selector, 8)) return false;
    if (newCpl < cpl && !stack.mark(cpu, stackSelector, 8)) return false;

    if (cpu.observer !== null) cpu.events.tellDelivery(vector, code, source, eip, 0, rip, 0);
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
    if (!this.#readAt(cpu.low(IDTR_BASE), vector * 4, 4)) return false;
    const target = cpu.low(SCRATCH);
    const flags = cpu.state.rflags;
    const sp = ((cpu.low(RSP) & 0xffff) - 6) & 0xffff;
    // each word has its place in the segment: they may lie on both ends of it
    const places = [sp, (sp + 2) & 0xffff, (sp + 4) & 0xffff];
    if (places.some((at) => at + 1 > cpu.limit(SEG.SS))) return this.#fail(VECTOR.SS, -1);
    for (const [i, word] of [rip, cpu.selector(SEG.CS), flags].entries()) {
      this.#words = 0;
      this.#push(word);
      if (!this.#writeFrame((cpu.low(SEGMENT_BASE + 8 * SEG.SS) + (places[i] ?? 0)) | 0, 2, WRITE)) return false;
    }
    if (cpu.observer !== null) cpu.events.tellDelivery(vector, -1, source, target & 0xffff, 0, rip, 0);
    cpu.setSegment(SEG.CS, target >>> 16, (target >>> 16) << 4, 0, 0xffff, 0x9b);
    cpu.set(RSP, (cpu.low(RSP) & ~0xffff) | sp, 0);
    cpu.set(RIP, target & 0xffff, 0);
    cpu.state.rflags = flags & ~(RFLAGS.if | RFLAGS.tf | RFLAGS.ac | RFLAGS.rf);
    this.#entered(0, 0, source);
    return true;
  }

  #push(word: number): void {
    this.#frame[this.#words++] = word;
  }

  /** Writes the frame's words of `size` bytes from `low` up: its pages are translated before any byte is written. */
  #writeFrame(low: number, size: number, kind: number): boolean {
    const { state, mmu } = this.#cpu;
    for (let i = 0; i < this.#words; i++) {
      const word = this.#frame[i] ?? 0;
      if (size === 4) state.set32(SCRATCH + 4 * i, word);
      else state.view.setUint16(SCRATCH + 2 * i, word, true);
    }
    return mmu.writeScratch(low, 0, size * this.#words, kind);
  }

  /** Reads into SCRATCH from a system table. */
  #readAt(base: number, offset: number, size: number): boolean {
    return this.#cpu.mmu.readScratch((base + offset) | 0, 0, size, READ | IMPLICIT);
  }

  #fail(vector: number, code: number): boolean {
    this.#cpu.state.raise(vector, code < 0 ? null : code);
    return false;
  }

  #entered(before: number, after: number, source: number): void {
    const cpu = this.#cpu;
    cpu.setCpl(after);
    if (after < before && cpu.observer !== null) cpu.events.tellEntered(source);
  }
}
