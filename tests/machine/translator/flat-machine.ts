/**
 * The least machine around the interpreter: 64-bit mode, linear = physical, no devices, no paging. An access beyond RAM is a page fault,
 * and pages can be made read-only. Helpers are a table given by the test.
 */
import { ADDRESS_LOG_BYTES } from '../../../src/machine/cpu/address-log.ts';
import { Interpreter } from '../../../src/machine/cpu/interpreter.ts';
import { FAULTED, HELPER, type Ports } from '../../../src/machine/cpu/ports.ts';
import type { Tier } from '../../../src/machine/cpu/regions.ts';
import {
  ACCESS,
  CPL,
  CpuState,
  CR0,
  CR4,
  EFER,
  FETCH_PHYSICAL,
  layoutMemory,
  MXCSR,
  SCRATCH,
  SEGMENT_ATTRIBUTES,
  SEGMENT_LIMIT,
  TLB_EXECUTE,
  TLB_READ,
  TLB_SETS,
  TLB_WRITE,
  tlbIndex,
} from '../../../src/machine/cpu/state.ts';
import { TraceLog } from '../../../src/machine/cpu/trace-log.ts';
import { bug } from '../../../src/machine/isa/bug.ts';
import type { Decoded } from '../../../src/machine/isa/decode.ts';
import { HELPER_NAMES } from '../../../src/machine/isa/helpers.ts';
import type { FormLibrary } from '../../../src/machine/translator/form-library.ts';

export interface FlatOptions {
  readonly library: FormLibrary;
  readonly tier?: Tier;
  readonly ramBytes?: number;
  readonly codeBytes?: number;
  /** False: every access takes the slow path. */
  readonly hasTlb?: boolean;
  /** Told of each access that generated code hands over. */
  readonly missed?: (how: 'load' | 'store' | 'refill', low: number, machine: FlatMachine) => void;
  readonly helper?: (name: string, decoded: Decoded, machine: FlatMachine) => number;
}

export class FlatMachine implements Ports {
  readonly state: CpuState;
  readonly interpreter: Interpreter;
  readonly ram: Uint8Array;
  readonly readOnly = new Set<number>();
  /** For fetches only: linear page → physical page. */
  readonly mapped = new Map<number, number>();
  /** Linear pages that user mode may not fetch from. */
  readonly supervisorOnly = new Set<number>();
  readonly #view: DataView;
  readonly #ramBase: number;
  readonly #watched = new Set<number>();
  readonly #options: FlatOptions;

  constructor(options: FlatOptions) {
    this.#options = options;
    const layout = layoutMemory(
      options.ramBytes ?? 1 << 20,
      options.codeBytes ?? 8 << 20,
      options.library.hasAddresses ? ADDRESS_LOG_BYTES : 0,
    );
    const memory = new WebAssembly.Memory({ initial: layout.totalBytes >> 16 });
    this.ram = new Uint8Array(memory.buffer, layout.ramBase, layout.ramBytes);
    this.#view = new DataView(memory.buffer, layout.ramBase, layout.ramBytes);
    this.#ramBase = layout.ramBase;
    this.state = new CpuState(memory, layout.cpuBase);
    this.state.clear();
    this.setMode(64);
    this.state.set32(MXCSR, 0x1f80);
    this.state.set64(CR4, 0x600n);
    this.interpreter = new Interpreter({
      memory,
      layout,
      state: this.state,
      ports: this,
      log: new TraceLog(memory, layout.logBase, options.library.log),
      library: options.library,
      tier: options.tier ?? 0,
    });
  }

  /** Protected mode with flat segments; 64: long mode. */
  setMode(mode: 16 | 32 | 64): void {
    const { state } = this;
    state.set64(CR0, 0x11n);
    state.set64(EFER, mode === 64 ? 0x500n : 0n);
    for (let segment = 0; segment < 6; segment++) {
      state.set32(SEGMENT_LIMIT + 4 * segment, 0xffff_ffff);
      state.set32(
        SEGMENT_ATTRIBUTES + 4 * segment,
        segment === 1 ? (mode === 64 ? 0xa9b : mode === 32 ? 0xc9b : 0x89b) : mode === 16 ? 0x893 : 0xc93,
      );
    }
  }

  readonly load = (low: number, high: number, access: number): number => {
    this.#options.missed?.('load', low, this);
    const size = access & ACCESS.size;
    const at = this.#physical(low, high, size, (access & ACCESS.modify) !== 0, (access & ACCESS.stack) !== 0);
    if (at < 0) return 1;
    for (let i = 0; i < 16; i++) this.state.view.setUint8(SCRATCH + i, i < size ? this.#view.getUint8(at + i) : 0);
    this.#fill(at, size, TLB_READ);
    return 0;
  };

  readonly store = (low: number, high: number, access: number): number => {
    this.#options.missed?.('store', low, this);
    const size = access & ACCESS.size;
    const at = this.#physical(low, high, size, true, (access & ACCESS.stack) !== 0);
    if (at < 0) return 1;
    for (let i = 0; i < size; i++) this.#view.setUint8(at + i, this.state.view.getUint8(SCRATCH + i));
    for (const page of new Set([at >> 12, (at + size - 1) >> 12])) {
      if (!this.#watched.has(page)) continue;
      const from = Math.max(at, page << 12);
      const length = Math.min(at + size, (page + 1) << 12) - from;
      if (!this.interpreter.codeCache.stored(page, from & 0xfff, length)) this.#watched.delete(page);
    }
    if (!this.#watched.has(at >> 12)) this.#fill(at, size, TLB_WRITE);
    return 0;
  };

  readonly probe = (low: number, high: number, access: number): number => {
    return this.#physical(low, high, access & ACCESS.size, true, (access & ACCESS.stack) !== 0) < 0 ? 1 : 0;
  };

  readonly refill = (low: number, high: number, access: number): number => {
    this.#options.missed?.('refill', low, this);
    const size = access & ACCESS.size;
    const isWrite = (access & ACCESS.modify) !== 0;
    if (this.#options.hasTlb === false || (low & 0xfff) + size > 4096) return 1;
    const at = this.#place(low, high, size, isWrite);
    if (at < 0 || (isWrite && this.#watched.has(at >> 12))) return 1;
    this.#fill(at, size, isWrite ? TLB_WRITE : TLB_READ);
    return 0;
  };

  fetch(low: number, high: number): number {
    if (this.#physical(low & ~0xfff, high, 4096, false) < 0) return 1;
    const page = low >>> 12;
    if (this.supervisorOnly.has(page) && this.state.get32(CPL) === 3) {
      this.state.raise(14, 0x15, BigInt(low >>> 0));
      return 1;
    }
    this.state.set64(FETCH_PHYSICAL, BigInt(this.mapped.get(page) ?? page) << 12n);
    return 0;
  }

  watchCode(physicalPage: number): void {
    this.#watched.add(physicalPage);
    for (const array of [TLB_READ, TLB_WRITE, TLB_EXECUTE]) this.state.set64(TLB_SETS.supervisor + array + tlbIndex(physicalPage), -1n);
  }

  dropCode(): void {
    this.state.flushExecuteTlb();
  }

  readonly stored = (): number => bug('there are no page tables');

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
    return this.#options.helper?.(HELPER_NAMES[number] ?? '', decoded, this) ?? HELPER.stop;
  }

  /** Whether an access would succeed; if not, its fault is left pending. */
  check(low: number, high: number, size: number, isWrite: boolean): boolean {
    return this.#physical(low, high, size, isWrite) >= 0;
  }

  /** The offset in RAM; −1: the access would fault. */
  #place(low: number, high: number, size: number, isWrite: boolean): number {
    const at = low >>> 0;
    const isReadOnly = isWrite && (this.readOnly.has(at >> 12) || this.readOnly.has((at + size - 1) >> 12));
    return high === 0 && at + size <= this.ram.length && !isReadOnly ? at : -1;
  }

  #physical(low: number, high: number, size: number, isWrite: boolean, isStack = false): number {
    const at = low >>> 0;
    if (this.#place(low, high, size, isWrite) >= 0) return at;
    const address = (BigInt(high >>> 0) << 32n) | BigInt(at);
    const isCanonical = (a: bigint) => BigInt.asUintN(64, BigInt.asIntN(48, a)) === BigInt.asUintN(64, a);
    if (!isCanonical(address) || !isCanonical(address + BigInt(size - 1))) this.state.raise(isStack ? 12 : 13, 0);
    else this.state.raise(14, isWrite ? 2 : 0, address);
    return -1;
  }

  #fill(at: number, size: number, kind: number): void {
    if (this.#options.hasTlb === false || (at & 0xfff) + size > 4096) return;
    this.state.fillTlb(TLB_SETS.supervisor, kind, BigInt(at), this.#ramBase + (at & ~0xfff));
  }
}
