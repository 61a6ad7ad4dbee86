/**
 * The inline arrays of cpu/state.ts, which generated code asks first: a cache of the architectural TLB, never more. Filled and emptied
 * here, on 32-bit halves; entries that were filled are kept in lists, so that emptying costs what was filled.
 *
 * An entry is *lasting* where its translation is the same for every root and PCID: it outlives a change of root, the others do not.
 */
import {
  type CpuState,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_EXECUTE,
  TLB_EXECUTE_ENTRIES,
  TLB_READ,
  TLB_SETS,
  TLB_WRITE,
} from '../cpu/state.ts';

const DATA_SETS: readonly number[] = [TLB_SETS.supervisor, TLB_SETS.supervisorAc, TLB_SETS.user];
const LIST = 512;

/** Word indexes of entries that were filled; more than LIST: which is not known. */
class Filled {
  readonly items = new Int32Array(LIST);
  length = 0;

  add(at: number): void {
    if (this.length < LIST) this.items[this.length] = at;
    this.length++;
  }

  get isKnown(): boolean {
    return this.length <= LIST;
  }
}

export class SoftTlb {
  readonly #state: CpuState;
  readonly #i32: Int32Array;
  readonly #ramBase: number;
  /** By frame: the write entry last filled for it, 0: none; and whether another may hold it, too. */
  readonly #writeEntry: Int32Array;
  readonly #hasSeveral: Uint8Array;
  /** Since they were last emptied. */
  readonly #passing = new Filled();
  readonly #lasting = new Filled();
  /** Another number whenever a translation may have become invalid: caches of translations elsewhere compare it. */
  stamp = 1;
  /** The same for lasting translations. Never equal to `stamp`. */
  lastingStamp = 2;
  #stamps = 2;

  constructor(state: CpuState, ramBase: number, frames: number) {
    this.#state = state;
    this.#i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
    this.#ramBase = ramBase;
    this.#writeEntry = new Int32Array(frames);
    this.#hasSeveral = new Uint8Array(frames);
  }

  /** Enters a page of RAM for reading into a set of TLB_SETS. */
  enterRead(set: number, low: number, high: number, frame: number, isLasting: boolean): void {
    this.#enter((set + TLB_READ + ((low >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2, low, high, frame, isLasting);
  }

  /** For writing. */
  enterWrite(set: number, low: number, high: number, frame: number, isLasting: boolean): void {
    const at = (set + TLB_WRITE + ((low >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2;
    const before = this.#writeEntry[frame] ?? 0;
    if (before !== at) {
      if (before !== 0 && this.#i32[before + 3] === frame) this.#hasSeveral[frame] = 1;
      this.#writeEntry[frame] = at;
    }
    this.#enter(at, low, high, frame, isLasting);
  }

  #enter(at: number, low: number, high: number, frame: number, isLasting: boolean): void {
    const i32 = this.#i32;
    const page = low & ~0xfff;
    i32[at] = page;
    i32[at + 1] = high;
    i32[at + 2] = this.#ramBase + frame * 4096 - (page >>> 0);
    i32[at + 3] = frame;
    (isLasting ? this.#lasting : this.#passing).add(at);
  }

  /** The interpreter is about to enter this page into the execute array. */
  noteExecute(low: number, isLasting: boolean): void {
    const at = (TLB_EXECUTE + ((low >>> 12) & (TLB_EXECUTE_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2;
    (isLasting ? this.#lasting : this.#passing).add(at);
  }

  /** Empties everything. */
  flush(): void {
    this.#renewStamps();
    if (this.#passing.isKnown && this.#lasting.isKnown) {
      this.#emptyAll(this.#passing);
      this.#emptyAll(this.#lasting);
    } else this.#state.flushTlb();
    this.#passing.length = 0;
    this.#lasting.length = 0;
  }

  /** Empties all but the lasting entries. */
  flushPassing(): void {
    if (!this.#passing.isKnown) {
      this.flush();
      return;
    }
    this.stamp = ++this.#stamps;
    this.#emptyAll(this.#passing);
    this.#passing.length = 0;
  }

  #emptyAll({ items, length }: Filled): void {
    for (let n = 0; n < length; n++) this.#empty(items[n] ?? 0);
  }

  #renewStamps(): void {
    this.stamp = ++this.#stamps;
    this.lastingStamp = ++this.#stamps;
  }

  /** Drops one linear page from every array. `pageLow`: the low 32 bits of linear address / 4096. */
  dropPage(pageLow: number): void {
    this.#renewStamps();
    const data = (pageLow & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES;
    for (let i = 0; i < DATA_SETS.length; i++) {
      const set = DATA_SETS[i] ?? 0;
      this.#empty((set + TLB_READ + data) >> 2);
      this.#empty((set + TLB_WRITE + data) >> 2);
    }
    this.#empty((TLB_EXECUTE + (pageLow & (TLB_EXECUTE_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2);
  }

  /** Stores to this frame must take the slow path from now on. */
  dropWritesTo(frame: number): void {
    const i32 = this.#i32;
    if (this.#hasSeveral[frame] === 0) {
      const at = this.#writeEntry[frame] ?? 0;
      if (at !== 0 && i32[at + 3] === frame) this.#empty(at);
      return;
    }
    this.#hasSeveral[frame] = 0;
    for (const set of DATA_SETS) {
      const start = (set + TLB_WRITE) >> 2;
      for (let at = start; at < start + TLB_ENTRIES * 4; at += 4) if (i32[at + 3] === frame) this.#empty(at);
    }
  }

  /** All stores must take the slow path once more: the dirty lists were emptied. */
  dropWrites(): void {
    for (const set of DATA_SETS) this.#i32.fill(-1, (set + TLB_WRITE) >> 2, (set + TLB_WRITE + TLB_ENTRIES * TLB_ENTRY_BYTES) >> 2);
  }

  #empty(at: number): void {
    this.#i32[at] = -1;
    this.#i32[at + 1] = -1;
  }
}
