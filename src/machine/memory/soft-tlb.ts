/**
 * The inline arrays of cpu/state.ts, which generated code asks first: a cache of the architectural TLB, never more. Filled and emptied
 * here, on 32-bit halves; entries that were filled are kept in a list, so that emptying costs what was filled.
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

export class SoftTlb {
  readonly #state: CpuState;
  readonly #i32: Int32Array;
  readonly #ramBase: number;
  /** By frame: the write entry last filled for it, 0: none; and whether another may hold it, too. */
  readonly #writeEntry: Int32Array;
  readonly #hasSeveral: Uint8Array;
  /** Word indexes of entries filled since the last `flush`; more than LIST: all are emptied. */
  readonly #filled = new Int32Array(LIST);
  #length = 0;
  /** Counts whatever may have made a translation invalid: caches of translations elsewhere compare it. */
  stamp = 1;

  constructor(state: CpuState, ramBase: number, frames: number) {
    this.#state = state;
    this.#i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
    this.#ramBase = ramBase;
    this.#writeEntry = new Int32Array(frames);
    this.#hasSeveral = new Uint8Array(frames);
  }

  /** Enters a page of RAM for reading into a set of TLB_SETS. */
  enterRead(set: number, low: number, high: number, frame: number): void {
    this.#enter((set + TLB_READ + ((low >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2, low, high, frame);
  }

  /** For writing. */
  enterWrite(set: number, low: number, high: number, frame: number): void {
    const at = (set + TLB_WRITE + ((low >>> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2;
    const before = this.#writeEntry[frame] ?? 0;
    if (before !== at) {
      if (before !== 0 && this.#i32[before + 3] === frame) this.#hasSeveral[frame] = 1;
      this.#writeEntry[frame] = at;
    }
    this.#enter(at, low, high, frame);
  }

  #enter(at: number, low: number, high: number, frame: number): void {
    const i32 = this.#i32;
    const page = low & ~0xfff;
    i32[at] = page;
    i32[at + 1] = high;
    i32[at + 2] = this.#ramBase + frame * 4096 - (page >>> 0);
    i32[at + 3] = frame;
    this.#note(at);
  }

  /** The interpreter is about to enter this page into the execute array. */
  noteExecute(low: number): void {
    this.#note((TLB_EXECUTE + ((low >>> 12) & (TLB_EXECUTE_ENTRIES - 1)) * TLB_ENTRY_BYTES) >> 2);
  }

  #note(at: number): void {
    if (this.#length < LIST) this.#filled[this.#length] = at;
    this.#length++;
  }

  /** Empties everything. */
  flush(): void {
    this.stamp++;
    if (this.#length > LIST) {
      this.#state.flushTlb();
    } else {
      const i32 = this.#i32;
      for (let n = 0; n < this.#length; n++) {
        const at = this.#filled[n] ?? 0;
        i32[at] = -1;
        i32[at + 1] = -1;
      }
    }
    this.#length = 0;
  }

  /** Drops one linear page from every array. `pageLow`: the low 32 bits of linear address / 4096. */
  dropPage(pageLow: number): void {
    this.stamp++;
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
    if (this.#length <= LIST) {
      for (let n = 0; n < this.#length; n++) {
        const at = this.#filled[n] ?? 0;
        if (i32[at + 3] === frame) this.#empty(at);
      }
      return;
    }
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
