/**
 * The inline arrays of cpu/state.ts, which generated code asks first: a cache of the architectural TLB, never more. Filled by generated code
 * (mmu-code.ts, watch-code.ts), emptied here; entries that were filled are kept in lists, so that emptying costs what was filled.
 *
 * A *bank* serves one root with its PCID, and holds what lookups find there: translations of the PCID's own and global ones, compared with that
 * root's tables. It stays while other roots are in use.
 * A *guarded* entry (bit 0 of its tag) never hits in generated code: the slow path finds the translation there, and does what the frame needs
 * (a page table, code, a device, a frame whose first store is to be noted).
 *
 * Entries and lists are named by their addresses in the machine's memory.
 */
import {
  BANK, BANK_BYTES, BANKS, CPU_BYTES, type CpuState, FILLED_ITEMS, MMU, TLB_BANK_BYTES, TLB_BANKS, TLB_ENTRY_BYTES, TLB_EXECUTE, TLB_SETS, TLB_WRITE,
  tlbIndex,
} from '../cpu/state.ts'; // biome-ignore format: one list
import { bug } from '../isa/bug.ts';
import type { PhysicalMemory } from './physical.ts';
import { GUARD, type WatchCode } from './watch-code.ts';

const SET_BYTES = TLB_SETS.supervisorAc - TLB_SETS.supervisor;

/** Addresses of entries that were filled, in a list of FILLED_ITEMS in memory; more than that: which is not known. */
class Filled {
  readonly lengthAt: number;
  readonly itemsAt: number;
  readonly #words: Int32Array;

  /** Addresses of its length and of its items. */
  constructor(words: Int32Array, length: number, items: number) {
    this.#words = words;
    this.lengthAt = length;
    this.itemsAt = items;
  }

  get length(): number {
    return this.#words[this.lengthAt >> 2] ?? 0;
  }

  set length(value: number) {
    this.#words[this.lengthAt >> 2] = value;
  }

  at(n: number): number {
    return this.#words[(this.itemsAt >> 2) + n] ?? 0;
  }

  get isKnown(): boolean {
    return this.length <= FILLED_ITEMS;
  }
}

class Bank {
  /** Offset of its sets from those of bank 0. */
  readonly offset: number;
  /** Offset of its lists from the CPU's base. */
  readonly lists: number;
  /** Entries of the PCID's own translations, and of global ones. */
  readonly own: Filled;
  readonly global: Filled;
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, base: number, n: number) {
    this.offset = n * TLB_BANK_BYTES;
    this.lists = BANKS + n * BANK_BYTES;
    const at = base + this.lists;
    this.own = new Filled(words, at + BANK.own, at + BANK.ownItems);
    this.global = new Filled(words, at + BANK.global, at + BANK.globalItems);
    this.#words = words;
    this.#at = at;
    this.serve(-1, -1);
  }

  /** Whom it serves; −1: nobody yet. */
  get pcid(): number {
    return this.#words[(this.#at + BANK.pcid) >> 2] ?? 0;
  }

  get root(): number {
    return this.#words[(this.#at + BANK.root) >> 2] ?? 0;
  }

  serve(root: number, pcid: number): void {
    this.#words[(this.#at + BANK.root) >> 2] = root;
    this.#words[(this.#at + BANK.pcid) >> 2] = pcid;
  }

  get isEmpty(): boolean {
    return this.own.length + this.global.length === 0;
  }
}

export class SoftTlb {
  readonly #state: CpuState;
  readonly #code: WatchCode;
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
  /** Those that were ever selected. */
  readonly #used: Bank[] = [];
  #current: Bank;
  /** The current one before the last `select`. */
  #previous: Bank;
  /** By entry of a bank, scratch for `adopt`. */
  readonly #isOwn = new Uint8Array(TLB_BANK_BYTES / TLB_ENTRY_BYTES);

  constructor(state: CpuState, physical: PhysicalMemory, code: WatchCode) {
    this.#state = state;
    this.#code = code;
    this.#words = new Int32Array(physical.memory.buffer);
    this.#base = state.base;
    this.#writeEntry = new Int32Array(physical.memory.buffer, physical.tables.writeEntries, physical.frames);
    this.#banks = Array.from({ length: TLB_BANKS }, (_, n) => new Bank(this.#words, state.base, n));
    this.#current = this.#banks[0] ?? bug('no banks');
    this.#previous = this.#current;
    this.select(0, 0);
  }

  // ---- Banks ----------------------------------------------------------------------------------------------------------------------------

  /** The root or its PCID changed: takes their bank. */
  select(root: number, pcid: number): void {
    this.#emptySlow();
    const n = (pcid === 0 ? root + (root >>> 4) : pcid) % TLB_BANKS;
    const bank = this.#banks[n] ?? bug(`no bank ${n}`);
    if (bank.pcid !== pcid || bank.root !== root) {
      if (bank.root < 0) {
        this.#used.push(bank);
        this.#state.set32(MMU.usedBanks, this.#state.get32(MMU.usedBanks) | (1 << n));
      }
      this.#empty(bank);
      bank.serve(root, pcid);
    }
    this.#previous = this.#current;
    this.#current = bank;
    this.#state.set32(MMU.bank, bank.lists);
  }

  /** The bank is empty, and the one before has global translations that it could adopt. */
  get mayAdopt(): boolean {
    const { own, global } = this.#previous;
    return this.#current.isEmpty && global.length > 0 && global.isKnown && own.isKnown;
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
    if (set === TLB_SETS.slow) this.#slow.add(entry);
    else this.#code.note(entry, isGlobal ? 1 : 0);
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
    for (const bank of this.#used) this.#empty(bank);
    this.#emptySlow();
  }

  /** Empties a PCID's own translations. */
  flushPcid(pcid: number): void {
    this.#emptySlow();
    for (const bank of this.#used) {
      if (bank.pcid !== pcid) continue;
      if (bank.own.isKnown) this.#emptyList(bank.own);
      else this.#empty(bank);
    }
  }

  /** Empties what was found in the tables of a root. */
  flushRoot(root: number): void {
    this.#emptySlow();
    for (const bank of this.#used) if (bank.root === root) this.#empty(bank);
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

  #empty(bank: Bank): void {
    if (bank.own.isKnown && bank.global.isKnown) {
      this.#emptyList(bank.own);
      this.#emptyList(bank.global);
    } else {
      this.#countDrop();
      const first = this.#base + TLB_SETS.supervisor + bank.offset;
      this.#words.fill(-1, first >> 2, (first + TLB_BANK_BYTES) >> 2);
      bank.own.length = 0;
      bank.global.length = 0;
    }
  }

  #emptySlow(): void {
    if (this.#slow.size === 0) return;
    for (const entry of this.#slow) this.#dropEntry(entry);
    this.#slow.clear();
  }

  /** Of execute entries, perhaps. */
  #countDrop(): void {
    this.#state.set32(MMU.executeDrops, this.#state.get32(MMU.executeDrops) + 1);
  }

  #emptyList(list: Filled): void {
    if (list.length > 0) this.#code.emptyList(list.lengthAt, list.itemsAt);
  }

  #dropEntry(entry: number): void {
    this.#countDrop();
    this.#words[entry >> 2] = -1;
    this.#words[(entry >> 2) + 1] = -1;
  }
}
