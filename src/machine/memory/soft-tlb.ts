/**
 * The inline arrays of cpu/state.ts, which generated code asks first: a cache of the architectural TLB, never more. Filled by generated code
 * (mmu-code.ts, watch-code.ts), emptied here and by root-code.ts; entries that were filled are kept in lists, so that emptying costs what was filled.
 *
 * A *bank* serves one root with its PCID, and holds what lookups find there: translations of the PCID's own and global ones, compared with that
 * root's tables. It stays while other roots are in use.
 * A *guarded* entry (bit 0 of its tag) never hits in generated code: the slow path finds the translation there, and does what the frame needs
 * (a page table, code, a device, a frame whose first store is to be noted).
 *
 * Entries and lists are named by their addresses in the machine's memory.
 */
import {
  BANK, BANK_BYTES, BANKS, CPU_BYTES, type CpuState, MMU, TLB_BANK_BYTES, TLB_BANKS, TLB_ENTRY_BYTES, TLB_EXECUTE, TLB_SETS, TLB_WRITE, tlbIndex,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { bug } from '../isa/bug.ts';
import type { PhysicalMemory } from './physical.ts';
import type { RootCode } from './root-code.ts';
import { GUARD, type WatchCode } from './watch-code.ts';

const SET_BYTES = TLB_SETS.supervisorAc - TLB_SETS.supervisor;

/** Addresses of entries that were filled, in a list of FILLED_ITEMS in memory; more than that: which is not known. */
class Filled {
  readonly #lengthAt: number;
  readonly #itemsAt: number;
  readonly #words: Int32Array;

  /** Addresses of its length and of its items. */
  constructor(words: Int32Array, length: number, items: number) {
    this.#words = words;
    this.#lengthAt = length;
    this.#itemsAt = items;
  }

  get length(): number {
    return this.#words[this.#lengthAt >> 2] ?? 0;
  }

  at(n: number): number {
    return this.#words[(this.#itemsAt >> 2) + n] ?? 0;
  }
}

class Bank {
  /** Offset of its sets from those of bank 0. */
  readonly offset: number;
  /** Entries of the PCID's own translations, and of global ones. */
  readonly own: Filled;
  readonly global: Filled;
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, base: number, n: number) {
    this.offset = n * TLB_BANK_BYTES;
    const at = base + BANKS + n * BANK_BYTES;
    this.own = new Filled(words, at + BANK.own, at + BANK.ownItems);
    this.global = new Filled(words, at + BANK.global, at + BANK.globalItems);
    this.#words = words;
    this.#at = at;
    for (const field of [BANK.root, BANK.pcid]) words[(at + field) >> 2] = -1;
  }

  /** The root that it serves; −1: none yet. */
  get root(): number {
    return this.#words[(this.#at + BANK.root) >> 2] ?? 0;
  }
}

export class SoftTlb {
  readonly #state: CpuState;
  readonly #code: WatchCode & RootCode;
  /** All of the machine's memory. */
  readonly #words: Int32Array;
  readonly #base: number;
  /** By frame: the write entry last filled for it, 0: none; and others that may still hold it. */
  readonly #writeEntry: Int32Array;
  readonly #otherEntries: (number[] | undefined)[] = [];
  /** By frame: execute entries that were filled for it and may still be. */
  readonly #executeEntries = new Map<number, number[]>();
  /** By entry: the frame that an execute entry was last filled for. (Its fourth word is a code page's number.) */
  readonly #executeFrame = new Int32Array(CPU_BYTES / TLB_ENTRY_BYTES);
  readonly #banks: readonly Bank[];
  /** Execute entries of TLB_SETS.slow, which belongs to no bank: emptied whenever anything is. */
  readonly #slow = new Set<number>();
  /** By entry of a bank, scratch for `adopt`. */
  readonly #isOwn = new Uint8Array(TLB_BANK_BYTES / TLB_ENTRY_BYTES);

  constructor(state: CpuState, physical: PhysicalMemory, code: WatchCode & RootCode) {
    this.#state = state;
    this.#code = code;
    this.#words = new Int32Array(physical.memory.buffer);
    this.#base = state.base;
    this.#writeEntry = new Int32Array(physical.memory.buffer, physical.tables.writeEntries, physical.frames);
    this.#banks = Array.from({ length: TLB_BANKS }, (_, n) => new Bank(this.#words, state.base, n));
    code.select(0, 0);
  }

  // ---- Banks ----------------------------------------------------------------------------------------------------------------------------

  get #current(): Bank {
    return this.#bank(MMU.bank);
  }

  /** The current one before the last `select`. */
  get #previous(): Bank {
    return this.#bank(MMU.bankBefore);
  }

  #bank(word: number): Bank {
    const n = this.#state.get32(word);
    return this.#banks[n] ?? bug(`no bank ${n}`);
  }

  /** Takes over global translations of the upper half from the bank before: the caller knows that both roots have the same tables there. */
  adopt(): void {
    const words = this.#words;
    const { own, global, offset } = this.#previous;
    const first = this.#base + TLB_SETS.supervisor + offset;
    const shift = this.#current.offset - offset;
    const number = (entry: number): number => (entry - first) / TLB_ENTRY_BYTES;
    // A listed entry may have been filled again since: an own translation in a global one's place.
    for (let n = 0; n < own.length; n++) this.#isOwn[number(own.at(n))] = 1;
    for (let n = 0; n < global.length; n++) {
      const from = global.at(n) >> 2;
      const to = from + (shift >> 2);
      const isEmpty = words[from] === -1;
      if (isEmpty || (words[from + 1] ?? 0) >= 0 || this.#isOwn[number(global.at(n))] === 1 || words[to] !== -1) continue;
      for (let word = 0; word < 4; word++) words[to + word] = words[from + word] ?? 0;
      this.#code.note(to << 2, 1);
      const within = (global.at(n) - first) % SET_BYTES;
      if (within >= TLB_EXECUTE) this.#noteFrame(to << 2, this.#executeFrame[this.#numberOf(global.at(n))] ?? 0);
      else if (within >= TLB_WRITE && ((words[to] ?? 0) & GUARD) === 0) this.#code.noteWrite(to << 2, words[to + 3] ?? 0);
    }
    for (let n = 0; n < own.length; n++) this.#isOwn[number(own.at(n))] = 0;
  }

  /** One of TLB_SETS but `slow`, as it lies in the current bank. */
  setOf(set: number): number {
    return set + this.#current.offset;
  }

  // ---- Filling --------------------------------------------------------------------------------------------------------------------------

  /** The address in the memory that a data entry gives; `kind`: TLB_READ or TLB_WRITE. −1: it does not have the page, or is guarded. */
  hostAddress(set: number, kind: number, low: number, high: number): number {
    const words = this.#words;
    const at = this.#entry(set, kind, low) >> 2;
    if (words[at] !== (low & ~0xfff) || words[at + 1] !== high) return -1;
    return ((words[at + 2] ?? 0) + low) >>> 0;
  }

  /** The interpreter is about to enter this page into the execute array of a set. */
  noteExecute(set: number, low: number, frame: number, isGlobal: boolean): void {
    const entry = this.#entry(set, TLB_EXECUTE, low);
    this.#noteFrame(entry, frame);
    if (set === TLB_SETS.slow) {
      this.#slow.add(entry);
      this.#state.set32(MMU.slowEntries, this.#slow.size);
    } else this.#code.note(entry, isGlobal ? 1 : 0);
  }

  #noteFrame(entry: number, frame: number): void {
    this.#executeFrame[this.#numberOf(entry)] = frame;
    const entries = this.#executeEntries.get(frame);
    if (entries === undefined) this.#executeEntries.set(frame, [entry]);
    else if (!entries.includes(entry)) entries.push(entry);
  }

  #numberOf(entry: number): number {
    return (entry - this.#base) / TLB_ENTRY_BYTES;
  }

  /** A second write entry of a frame. */
  noteOtherEntry(frame: number, entry: number): void {
    const others = (this.#otherEntries[frame] ??= []);
    if (!others.includes(entry)) others.push(entry);
  }

  #entry(set: number, kind: number, low: number): number {
    return this.#base + set + kind + tlbIndex(low >>> 12);
  }

  // ---- Emptying -------------------------------------------------------------------------------------------------------------------------

  /** Empties everything. */
  flush(): void {
    for (let n = 0; n < TLB_BANKS; n++) this.#code.emptyBank(n);
    this.emptySlow();
  }

  /** Empties what was found in the tables of a root. */
  flushRoot(root: number): void {
    for (const [n, bank] of this.#banks.entries()) if (bank.root === root) this.#code.emptyBank(n);
    this.emptySlow();
  }

  /** Drops one linear page of a tag: a PCID, or GLOBAL_TAG. `pageLow`: the low bits of linear address / 4096. */
  dropPage(pageLow: number, tag: number): void {
    this.#code.dropPage(pageLow, tag);
  }

  /** Stores to this frame must take the slow path from now on. */
  dropWritesTo(frame: number): void {
    const entry = this.#writeEntry[frame] ?? 0;
    if (entry !== 0) this.#guardFrame(entry, frame);
    const others = this.#otherEntries[frame];
    if (others === undefined) return;
    for (const other of others) this.#guardFrame(other, frame);
    others.length = 0;
  }

  /** Code is not to be found in this frame any more. */
  dropExecutesOf(frame: number): void {
    for (const entry of this.#executeEntries.get(frame) ?? []) {
      if (this.#executeFrame[this.#numberOf(entry)] === frame) this.#dropEntry(entry);
    }
    this.#executeEntries.delete(frame);
  }

  /** −1 (empty) stays as it is. */
  #guardFrame(entry: number, frame: number): void {
    const at = entry >> 2;
    if (this.#words[at + 3] === frame) this.#words[at] = (this.#words[at] ?? 0) | GUARD;
  }

  /** Empties what belongs to no bank. */
  emptySlow(): void {
    for (const entry of this.#slow) this.#dropEntry(entry);
    this.#slow.clear();
    this.#state.set32(MMU.slowEntries, 0);
  }

  /** An execute entry, perhaps. */
  #dropEntry(entry: number): void {
    this.#state.set32(MMU.executeDrops, this.#state.get32(MMU.executeDrops) + 1);
    this.#words[entry >> 2] = -1;
    this.#words[(entry >> 2) + 1] = -1;
  }
}
