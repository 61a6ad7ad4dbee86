/**
 * The CPU as helpers, fault delivery and the machine's loop see it: state, memory, ports and interrupts behind narrow interfaces, and the
 * small operations that all of them need. Nothing here throws for what a guest can do.
 */

import { bug } from '../../isa/bug.ts';
import type { Decoded } from '../../isa/decode.ts';
import { RFLAGS } from '../../isa/flags.ts';
import type { MemoryOperand, Operand } from '../../isa/operands.ts';
import type { Mmu } from '../../memory/mmu.ts';
import type { KernelEntry, Observer, TlbFlushKind, UserEntry } from '../../observer.ts';
import { CR0, CR4, EFER as EFER_BITS } from '../../platform/bits.ts';
import { type Unsupported, vectorOf } from '../../unsupported.ts';
import type { Telling } from '../event-code.ts';
import type { InterruptController } from '../interrupts.ts';
import { HELPER } from '../ports.ts';
import { linearAddress } from '../segment-access.ts';
import {
  ACCESS,
  COUNT_END,
  CPL,
  type CpuState,
  CR0 as CR0_SLOT,
  CR3,
  CR4 as CR4_SLOT,
  EFER,
  GPR,
  LEFT,
  RFLAGS_REST,
  RIP,
  SCRATCH,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SELECTOR,
  TSC_OFFSET,
} from '../state.ts';
import type { TransferCode } from '../transfer-code.ts';

/** Segment registers by their numbers in the state. */
export const SEG = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;

/** Bits of SEGMENT_ATTRIBUTES. */
export const ATTRIBUTE = {
  type: 0xf,
  system: 0x10,
  dpl: 0x60,
  present: 0x80,
  avl: 0x100,
  long: 0x200,
  big: 0x400,
  granular: 0x800,
} as const;

/** I/O space. Sizes are 1, 2 or 4; values are unsigned. */
export interface PortBus {
  read(port: number, size: number): number;
  write(port: number, size: number, value: number): void;
}

/** What the run as a whole can be asked by an instruction. */
export interface Run {
  /** Ticks that HLT skipped: virtual time is the count plus these. */
  skipped: number;
  /** HLT was executed; the loop waits for an interrupt. */
  halted: boolean;
  /** From the delivery of an NMI to the next IRET. */
  nmiBlocked: boolean;
  /** The next value of the run's random sequence. */
  random(): bigint;
}

export type Helper = (cpu: Cpu, decoded: Decoded) => number;

export class Cpu {
  readonly state: CpuState;
  readonly mmu: Mmu;
  readonly bus: PortBus;
  readonly interrupts: InterruptController;
  readonly run: Run;
  /** To be called where somebody observes. */
  readonly events: Telling;
  observer: Observer | null = null;
  /** Reading descriptors is generated code, which comes with the delivery of events. */
  descriptors: Pick<TransferCode, 'readDescriptor' | 'markDescriptor'> | null = null;
  /** The state as signed 32-bit words, indexed by offset >> 2. */
  readonly i32: Int32Array;
  readonly #syscallArguments: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];

  constructor(state: CpuState, mmu: Mmu, bus: PortBus, interrupts: InterruptController, run: Run, events: Telling) {
    this.state = state;
    this.mmu = mmu;
    this.bus = bus;
    this.interrupts = interrupts;
    this.run = run;
    this.events = events;
    this.i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
  }

  // ---- Time ---------------------------------------------------------------------------------------------------------------------------

  /** Retired instructions, as a number. */
  get count(): number {
    return this.number64(COUNT_END) - ((this.i32[LEFT >> 2] ?? 0) >>> 0);
  }

  /** Virtual time in ticks: what the APIC timer counts. */
  get now(): number {
    return this.count + this.run.skipped;
  }

  get tscOffset(): bigint {
    return this.state.get64(TSC_OFFSET);
  }

  /** The time stamp counter. */
  get tsc(): bigint {
    return BigInt.asUintN(64, BigInt(this.now) + this.state.get64(TSC_OFFSET));
  }

  // ---- Registers ------------------------------------------------------------------------------------------------------------------------

  low(offset: number): number {
    return this.i32[offset >> 2] ?? 0;
  }

  high(offset: number): number {
    return this.i32[(offset >> 2) + 1] ?? 0;
  }

  set(offset: number, low: number, high: number): void {
    this.i32[offset >> 2] = low;
    this.i32[(offset >> 2) + 1] = high;
  }

  /** An unsigned 64-bit slot as a number; exact below 2^53. */
  number64(offset: number): number {
    return (this.high(offset) >>> 0) * 2 ** 32 + (this.low(offset) >>> 0);
  }

  copy64(to: number, from: number): void {
    this.i32[to >> 2] = this.i32[from >> 2] ?? 0;
    this.i32[(to >> 2) + 1] = this.i32[(from >> 2) + 1] ?? 0;
  }

  get cpl(): number {
    return this.i32[CPL >> 2] ?? 0;
  }

  get cr0(): number {
    return this.low(CR0_SLOT);
  }

  get cr4(): number {
    return this.low(CR4_SLOT);
  }

  get efer(): number {
    return this.low(EFER);
  }

  /** IA-32e mode: 64-bit or compatibility. */
  get isLong(): boolean {
    return (this.low(EFER) & EFER_BITS.LMA) !== 0;
  }

  /** 64-bit mode. */
  get is64(): boolean {
    return this.isLong && (this.attributes(SEG.CS) & ATTRIBUTE.long) !== 0;
  }

  get isProtected(): boolean {
    return (this.low(CR0_SLOT) & CR0.PE) !== 0;
  }

  attributes(segment: number): number {
    return this.i32[(SEGMENT_ATTRIBUTES >> 2) + segment] ?? 0;
  }

  selector(segment: number): number {
    return this.i32[(SEGMENT_SELECTOR >> 2) + segment] ?? 0;
  }

  limit(segment: number): number {
    return (this.i32[(SEGMENT_LIMIT >> 2) + segment] ?? 0) >>> 0;
  }

  setSegment(segment: number, selector: number, baseLow: number, baseHigh: number, limit: number, attributes: number): void {
    this.i32[(SEGMENT_SELECTOR >> 2) + segment] = selector;
    this.i32[(SEGMENT_LIMIT >> 2) + segment] = limit;
    this.i32[(SEGMENT_ATTRIBUTES >> 2) + segment] = attributes;
    this.set(SEGMENT_BASE + 8 * segment, baseLow, baseHigh);
  }

  /** Writes a general register; a 32-bit write clears the upper half. */
  setGpr(index: number, value: bigint, width: number): void {
    const at = GPR + 8 * index;
    if (width === 64) this.state.set64(at, BigInt.asUintN(64, value));
    else if (width === 32) this.state.set64(at, BigInt.asUintN(32, value));
    else if (width === 16) this.state.view.setUint16(at, Number(BigInt.asUintN(16, value)), true);
    else bug(`a helper wrote ${width} bits of a register`);
  }

  gpr(index: number): bigint {
    return this.state.get64(GPR + 8 * index);
  }

  /** The next instruction's RIP, into the RIP slot: for helpers that end in HELPER.jump or HELPER.stop. */
  advance(decoded: Decoded): void {
    const rip = this.state.get64(RIP) + BigInt(decoded.length);
    this.state.set64(RIP, decoded.mode === 64 ? BigInt.asUintN(64, rip) : BigInt.asUintN(32, rip));
  }

  /** RIP after the instruction. */
  nextRip(decoded: Decoded): bigint {
    const rip = this.state.get64(RIP) + BigInt(decoded.length);
    return decoded.mode === 64 ? BigInt.asUintN(64, rip) : BigInt.asUintN(32, rip);
  }

  // ---- Faults ---------------------------------------------------------------------------------------------------------------------------

  /** Leaves a fault pending and gives the helper's word for it. */
  fault(vector: number, code: number | null): number {
    this.state.raise(vector, code);
    return HELPER.fault;
  }

  /** Likewise for what this PC does not have: the run ends. */
  unsupported(what: Unsupported): number {
    return this.fault(vectorOf(what), null);
  }

  // ---- Memory ---------------------------------------------------------------------------------------------------------------------------

  /** The offset of a memory operand, wrapped to its address size. */
  offsetOf(decoded: Decoded, operand: MemoryOperand): bigint {
    let offset = operand.disp;
    if (operand.base >= 0) offset += this.gpr(operand.base);
    if (operand.index >= 0) offset += this.gpr(operand.index) * BigInt(operand.scale);
    if (operand.ripRelative) offset += this.nextRip(decoded);
    return BigInt.asUintN(operand.addressSize, offset);
  }

  /** segment:[offset] as a linear address, unchecked. */
  linearOf(segment: number, offset: bigint): bigint {
    if (this.is64)
      return segment === SEG.FS || segment === SEG.GS ? BigInt.asUintN(64, offset + this.state.get64(SEGMENT_BASE + 8 * segment)) : offset;
    return BigInt.asUintN(32, offset + this.state.get64(SEGMENT_BASE + 8 * segment));
  }

  /** Checks segment rights and limit (not in 64-bit mode) or canonical form. Gives the linear address, or null with #GP(0) or #SS(0) pending. */
  checkedLinear(segment: number, offset: bigint, size: number, write: boolean): bigint | null {
    const linear = this.linearOf(segment, offset);
    const vector = segment === SEG.SS ? 12 : 13;
    if (this.is64) {
      const last = BigInt.asUintN(64, linear + BigInt(size - 1));
      if (isCanonical64(linear) && isCanonical64(last)) return linear;
      this.state.raise(vector, 0);
      return null;
    }
    return linearAddress(this.state, segment, offset, size | (write ? ACCESS.modify : 0));
  }

  /** Reads up to 8 bytes at a linear address; null: fault pending. `kind` as in mmu.ts. */
  read(linear: bigint, size: number, kind: number): bigint | null {
    if (!this.mmu.readScratch(lowHalf(linear), highHalf(linear), size, kind)) return null;
    return this.state.get64(SCRATCH);
  }

  /** Writes up to 8 bytes; false: fault pending. */
  write(linear: bigint, size: number, value: bigint, kind: number): boolean {
    this.state.set64(SCRATCH, BigInt.asUintN(64, value));
    return this.mmu.writeScratch(lowHalf(linear), highHalf(linear), size, kind);
  }

  /** Reads a memory operand or a register operand's value of `size` bytes. */
  operandValue(decoded: Decoded, operand: Operand | undefined, size: number, kind: number): bigint | null {
    if (operand === undefined) return bug('an operand is missing');
    if (operand.kind === 'imm') return BigInt.asUintN(64, operand.value);
    if (operand.kind === 'reg') return BigInt.asUintN(8 * size, this.gpr(operand.index));
    if (operand.kind !== 'mem') return bug(`a helper cannot read an operand of kind ${operand.kind}`);
    const linear = this.checkedLinear(operand.segment, this.offsetOf(decoded, operand), size, false);
    return linear === null ? null : this.read(linear, size, kind);
  }

  // ---- Changes of mode and privilege ------------------------------------------------------------------------------------------------------

  setCpl(cpl: number): void {
    this.i32[CPL >> 2] = cpl;
    this.state.chooseTlbSet();
  }

  /** After any change of CR0, CR3, CR4 or EFER: the MMU takes them over. The architectural TLB is the caller's. */
  controlChanged(): void {
    this.mmu.globalPages = (this.cr4 & CR4.PGE) !== 0;
    this.mmu.reload(this.cr0, this.low(CR3), this.high(CR3), this.cr4, this.efer);
  }

  /** After RFLAGS was written: AC chooses the TLB set; a due interrupt or TF ends the run after this instruction. */
  flagsChanged(): void {
    this.state.chooseTlbSet();
    const rest = this.low(RFLAGS_REST);
    if ((rest & RFLAGS.tf) !== 0 || ((rest & RFLAGS.if) !== 0 && this.interrupts.pending() >= 0)) this.state.shortenBudget(1);
  }

  /** IRET ends the service of an NMI: one that came meanwhile is delivered after this instruction. */
  endNmi(): void {
    this.run.nmiBlocked = false;
    if (this.interrupts.nmiPending) this.state.shortenBudget(1);
  }

  // ---- Events -----------------------------------------------------------------------------------------------------------------------------

  get at(): bigint {
    return this.state.count;
  }

  enteredUser(how: UserEntry): void {
    this.observer?.enterUser?.(this.at, how);
  }

  enteredKernel(cause: KernelEntry): void {
    this.observer?.enterKernel?.(this.at, cause);
  }

  tellFlush(kind: TlbFlushKind, pcid: number, linear: bigint | null): void {
    this.observer?.tlbFlush?.(this.at, kind, pcid, linear);
  }

  /** SYSCALL's event, before anything changes. */
  tellSyscall(): void {
    const observer = this.observer;
    if (observer?.syscall === undefined) return;
    const args = this.#syscallArguments;
    for (let i = 0; i < 6; i++) args[i] = this.gpr(ARGUMENT_REGISTERS[i] ?? 0);
    observer.syscall(this.at, this.gpr(0), args, this.state.get64(RIP));
  }
}

/** RDI RSI RDX R10 R8 R9. */
const ARGUMENT_REGISTERS: readonly number[] = [7, 6, 2, 10, 8, 9];

export const lowHalf = (value: bigint): number => Number(BigInt.asIntN(32, value));
export const highHalf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

export function isCanonical64(address: bigint): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
}
