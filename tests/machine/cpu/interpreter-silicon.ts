/**
 * Tiers 0 and 1 as candidates of the silicon campaign: the same cases, the same one page of data and one of code, in ring 3.
 *
 *     node tests/machine/silicon/campaign.ts --cases 1000000 --also tests/machine/cpu/interpreter-silicon.ts
 */
import { Interpreter } from '../../../src/machine/cpu/interpreter.ts';
import { FAULTED, HELPER, type Ports } from '../../../src/machine/cpu/ports.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import {
  ACCESS,
  CODE_BASE,
  CPL,
  CpuState,
  CR0,
  CR4,
  EFER,
  FAULT_CODE,
  FAULT_CR2,
  FAULT_VECTOR,
  FCW,
  FETCH_PHYSICAL,
  layoutMemory,
  MXCSR,
  SCRATCH,
  SEGMENT_ATTRIBUTES,
  SEGMENT_BASE,
  SEGMENT_LIMIT,
  SEGMENT_SELECTOR,
  TLB_EXECUTE,
  TLB_READ,
  TLB_SET,
  TLB_SETS,
  TLB_WRITE,
  tlbIndex,
} from '../../../src/machine/cpu/state.ts';
import { TraceLog } from '../../../src/machine/cpu/trace-log.ts';
import { bug } from '../../../src/machine/isa/bug.ts';
import type { Decoded } from '../../../src/machine/isa/decode.ts';
import { HELPER_NAMES } from '../../../src/machine/isa/helpers.ts';
import type { Mode } from '../../../src/machine/isa/operands.ts';
import { FormLibrary } from '../../../src/machine/translator/form-library.ts';
import {
  type Case,
  CODE_PAGE,
  DATA,
  ENTRY,
  entryOf,
  FS_BASE,
  fillPage,
  GS_BASE,
  hashPage,
  type Judged,
  type Outcome,
} from '../silicon/cases.ts';

const PAGE = 4096;
const DATA_LOW = Number(DATA);
const USER = 4;
const WRITE = 2;
const INT3 = 0xcc;
/** More than any case retires. */
const BUDGET = 100_000;

const CODE_ATTRIBUTES = { 16: 0xfb, 32: 0xcfb, 64: 0xafb } as const;

function segmentBase(mode: Mode, segment: number): bigint {
  if (mode === 16) return segment === 1 ? CODE_PAGE : segment < 4 ? DATA : 0n;
  return segment === 4 ? FS_BASE : segment === 5 ? GS_BASE : 0n;
}

/** RAM is two pages: 0 holds the code, 1 the data. */
class Candidate implements Judged, Ports {
  readonly name: string;
  readonly modes = [16, 32, 64] as const;
  readonly #state: CpuState;
  readonly #interpreter: Interpreter;
  readonly #code: Uint8Array;
  readonly #data: Uint8Array;
  readonly #dataAt: number;
  #leftCode = false;

  constructor(library: FormLibrary, tier: Tier) {
    this.name = `tier ${tier}${library.hasPath ? ' with path' : ''}`;
    const layout = layoutMemory(16 * PAGE, 16 << 20);
    const memory = new WebAssembly.Memory({ initial: layout.totalBytes >> 16 });
    this.#dataAt = layout.ramBase + PAGE;
    this.#code = new Uint8Array(memory.buffer, layout.ramBase, PAGE);
    this.#data = new Uint8Array(memory.buffer, this.#dataAt, PAGE);
    this.#state = new CpuState(memory, layout.cpuBase);
    this.#state.clear();
    const log = new TraceLog(memory, layout.logBase, library.log);
    this.#interpreter = new Interpreter({ memory, layout, state: this.#state, ports: this, log, library, tier });
  }

  run(cases: readonly Case[]): readonly Outcome[] {
    return cases.map((c) => this.#run(c));
  }

  readonly load = (low: number, high: number, access: number): number => {
    const size = access & ACCESS.size;
    const at = this.#place(low, high, access, (access & ACCESS.modify) !== 0);
    if (at < 0) return 1;
    for (let i = 0; i < 16; i++) this.#state.view.setUint8(SCRATCH + i, i < size ? (this.#data[at + i] ?? 0) : 0);
    this.#state.fillTlb(TLB_SETS.user, TLB_READ, DATA, this.#dataAt);
    return 0;
  };

  readonly store = (low: number, high: number, access: number): number => {
    const at = this.#place(low, high, access, true);
    if (at < 0) return 1;
    for (let i = 0; i < (access & ACCESS.size); i++) this.#data[at + i] = this.#state.view.getUint8(SCRATCH + i);
    this.#state.fillTlb(TLB_SETS.user, TLB_WRITE, DATA, this.#dataAt);
    return 0;
  };

  readonly probe = (low: number, high: number, access: number): number => {
    return this.#place(low, high, access, true) < 0 ? 1 : 0;
  };

  readonly refill = (low: number, high: number, access: number): number => {
    const at = (low >>> 0) - DATA_LOW;
    if (high !== 0 || at < 0 || at + (access & ACCESS.size) > PAGE) return 1;
    this.#state.fillTlb(TLB_SETS.user, (access & ACCESS.modify) !== 0 ? TLB_WRITE : TLB_READ, DATA, this.#dataAt);
    return 0;
  };

  readonly stored = (): number => bug('there are no page tables');

  /** Control outside of the code page ends the case. */
  fetch(low: number, high: number): number {
    this.#leftCode = high !== 0 || (low & ~0xfff) >>> 0 !== Number(CODE_PAGE);
    if (this.#leftCode) return 1;
    this.#state.set64(FETCH_PHYSICAL, 0n);
    return 0;
  }

  watchCode(): void {}

  dropCode(): void {
    this.#state.set64(TLB_SETS.user + TLB_EXECUTE + tlbIndex(Number(CODE_PAGE >> 12n)), -1n);
  }

  faulted(): number {
    return FAULTED.pending;
  }

  iret(): number {
    return -1;
  }

  writeCr3(): number {
    throw new Error('nothing here writes CR3');
  }

  attend(): void {}

  tell(): void {}

  helper(number: number, decoded: Decoded): number {
    const name = HELPER_NAMES[number];
    if (name !== 'INT3') throw new Error(`a case runs the helper ${name} (${decoded.row.name})`);
    return HELPER.stop;
  }

  /** Offset in the data page, or −1 with the fault pending. */
  #place(low: number, high: number, access: number, isWrite: boolean): number {
    const size = access & ACCESS.size;
    const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    const isCanonical = (a: bigint) => BigInt.asUintN(64, BigInt.asIntN(48, a)) === BigInt.asUintN(64, a);
    if (!isCanonical(address) || !isCanonical(address + BigInt(size - 1))) {
      this.#state.raise((access & ACCESS.stack) !== 0 ? 12 : 13, 0);
      return -1;
    }
    const at = (low >>> 0) - DATA_LOW;
    const isInside = high === 0 && at >= 0 && at < PAGE;
    if (isInside && at + size <= PAGE) return at;
    this.#state.raise(14, USER | (isWrite ? WRITE : 0), isInside ? DATA + BigInt(PAGE) : address);
    return -1;
  }

  #run(c: Case): Outcome {
    const state = this.#state;
    this.#begin(c);
    this.#leftCode = false;
    const reason = this.#interpreter.run(BUDGET);
    this.#interpreter.drainPath();
    if (reason === 'budget' || reason === 'path-full') throw new Error(`a case did not end (${reason})`);
    const fault = reason === 'fault' && !this.#leftCode;
    state.clearFault();
    return {
      gpr: [...state.gpr],
      rflags: state.readRflags(),
      // At INT3 the instruction has retired for us, with RIP as it was.
      rip: state.rip,
      mxcsr: state.get32(MXCSR),
      xmm: c.xmm === null ? null : Array.from({ length: 16 }, (_, i) => state.xmm(i)),
      memoryHash: c.memorySeed === null ? 0 : hashPage(this.#data),
      fault: fault ? { vector: state.get32(FAULT_VECTOR), code: state.get32(FAULT_CODE), cr2: state.get64(FAULT_CR2) } : null,
    };
  }

  /** Registers and memory of the case, in the surroundings that Linux gives a process of this host. */
  #begin(c: Case): void {
    const state = this.#state;
    this.#code.fill(INT3);
    this.#code.set(c.code, Number(ENTRY - CODE_PAGE));
    this.#interpreter.codeCache.written(0);
    if (c.memorySeed !== null) fillPage(this.#data, c.memorySeed);
    const view = new DataView(this.#data.buffer, this.#data.byteOffset, PAGE);
    for (const p of c.pokes) view.setBigUint64(p.offset, BigInt.asUintN(64, p.value), true);
    state.clearFault();
    for (let i = 0; i < 16; i++) {
      state.gpr[i] = BigInt.asUintN(64, c.gpr[i] ?? 0n);
      state.setXmm(i, c.xmm?.[i] ?? 0n);
    }
    state.writeRflags(c.rflags | 0x202n);
    state.rip = entryOf(c.mode);
    state.set32(MXCSR, c.mxcsr);
    state.set32(FCW, 0x37f);
    state.set64(CR0, 0x8005_0033n);
    state.set64(CR4, 0x35_0ef0n);
    state.set64(EFER, 0xd01n);
    state.set64(CODE_BASE, 0n);
    state.set32(CPL, 3);
    state.set32(TLB_SET, TLB_SETS.user);
    const data = c.mode === 64 ? 0 : c.mode === 32 ? 0x2b : 0xf;
    const code = c.mode === 64 ? 0x33 : c.mode === 32 ? 0x23 : 7;
    const stack = c.mode === 16 ? 0xf : 0x2b;
    for (const [segment, selector] of [data, code, stack, data, 0, 0, 0, 0x40].entries()) {
      state.set32(SEGMENT_SELECTOR + 4 * segment, selector);
      state.set32(SEGMENT_LIMIT + 4 * segment, c.mode === 16 ? 0xffff : 0xffff_ffff);
      state.set32(SEGMENT_ATTRIBUTES + 4 * segment, segment === 1 ? CODE_ATTRIBUTES[c.mode] : c.mode === 16 ? 0xf3 : 0xcf3);
      state.set64(SEGMENT_BASE + 8 * segment, segmentBase(c.mode, segment));
    }
  }
}

export const candidate = (library: FormLibrary, tier: Tier = 0): Judged => new Candidate(library, tier);

/** The campaign's door. RECORD=1: with the path recorded. TIER=1: all in tier 1. */
export const judged = (): Judged =>
  candidate(new FormLibrary({ hasPath: process.env['RECORD'] === '1' }), process.env['TIER'] === '1' ? 1 : 0);
