/**
 * The inline arrays of cpu/state.ts, which generated code asks first: a cache of the architectural TLB, never more. Filled and emptied
 * here, on 32-bit halves; entries that were filled are kept in lists, so that emptying costs what was filled.
 *
 * A *bank* serves one root with its PCID, and holds what lookups find there: translations of the PCID's own and global ones, compared with that
 * root's tables. It stays while other roots are in use.
 * A *guarded* entry (bit 0 of its tag) never hits in generated code: the slow path finds the translation there, and does what the frame needs
 * (a page table, code, a device, a frame whose first store is to be noted).
 */
import {
  CPU_BYTES,
  type CpuState,
  TLB_BANK_BYTES,
  TLB_BANKS,
  TLB_ENTRY_BYTES,
  TLB_EXECUTE,
  TLB_READ,
  TLB_SETS,
  TLB_WRITE,
  tlbIndex,
} from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import { GLOBAL_TAG } from './translations.ts';

/** Sets of a bank, as offsets from its first. */
const SETS: readonly number[] = [0, TLB_SETS.supervisorAc - TLB_SETS.supervisor, TLB_SETS.user - TLB_SETS.supervisor];
const SET_BYTES = TLB_SETS.supervisorAc - TLB_SETS.supervisor;
const LIST = 1024;
const GUARD = 1;

/** Word indexes of entries that were filled; more than LIST: which is not known. */
class Filled {
  readonly #items = new Int32Array(LIST);
  length = 0;

  at(n: number): number {
    return this.#items[n] ?? 0;
  }

  add(at: number): void {
    if (this.length < LIST) this.#items[this.length] = at;
    this.length++;
  }

  get isKnown(): boolean {
    return this.length <= LIST;
  }
}

class Bank {
  /** Offset of its sets from those of bank 0. */
  readonly offset: number;
  /** Whom it serves; −1: nobody yet. */
  pcid = -1;
  root = -1;
  /** Entries of the PCID's own translations, and of global ones. */
  readonly own = new Filled();
  readonly global = new Filled();

  constructor(offset: number) {
    this.offset = offset;
  }

  get isEmpty(): boolean {
    return this.own.length + this.global.length === 0;
  }
}

export class SoftTlb {
  readonly #i32: Int32Array;
  readonly #ramBase: number;
  /** By frame: the write entry last filled for it, 0: none; and others that may still hold it. */
  readonly #writeEntry: Int32Array;
  readonly #otherEntries: (number[] | undefined)[] = [];
  /** By frame: execute entries that were filled for it and may still be. */
  readonly #executeEntries = new Map<number, number[]>();
  /** By entry: the frame that an execute entry was last filled for. (Its fourth word is a code page's number.) */
  readonly #executeFrame = new Int32Array(CPU_BYTES / TLB_ENTRY_BYTES);
  readonly #banks: readonly Bank[] = Array.from({ length: TLB_BANKS }, (_, n) => new Bank(n * TLB_BANK_BYTES));
  /** Execute entries of TLB_SETS.slow, which belongs to no bank: emptied whenever anything is. */
  readonly #slow = new Filled();
  /** Those that were ever selected. */
  readonly #used: Bank[] = [];
  #current: Bank;
  /** The current one before the last `select`. */
  #previous: Bank;
  /** By entry of a bank, scratch for `adopt`. */
  readonly #isOwn = new Uint8Array(TLB_BANK_BYTES / TLB_ENTRY_BYTES);

  constructor(state: CpuState, ramBase: number, frames: number) {
    this.#i32 = new Int32Array(state.view.buffer, state.base, state.view.byteLength >> 2);
    this.#ramBase = ramBase;
    this.#writeEntry = new Int32Array(frames);
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
      if (bank.root < 0) this.#used.push(bank);
      this.#empty(bank);
      bank.pcid = pcid;
      bank.root = root;
    }
    this.#previous = this.#current;
    this.#current = bank;
  }

  /** The bank is empty, and the one before has global translations that it could adopt. */
  get mayAdopt(): boolean {
    const { own, global } = this.#previous;
    return this.#current.isEmpty && global.length > 0 && global.isKnown && own.isKnown;
  }

  /** Takes over global translations of the upper half from the bank before: the caller knows that both roots have the same tables there. */
  adopt(): void {
    const i32 = this.#i32;
    const { own, global, offset } = this.#previous;
    const first = (TLB_SETS.supervisor + offset) >> 2;
    const shift = (this.#current.offset - offset) >> 2;
    // A listed entry may have been filled again since: an own translation in a global one's place.
    for (let n = 0; n < own.length; n++) this.#isOwn[(own.at(n) - first) >> 2] = 1;
    for (let n = 0; n < global.length; n++) {
      const from = global.at(n);
      const to = from + shift;
      const isEmpty = i32[from] === -1;
      if (isEmpty || (i32[from + 1] ?? 0) >= 0 || this.#isOwn[(from - first) >> 2] === 1 || i32[to] !== -1) continue;
      for (let word = 0; word < 4; word++) i32[to + word] = i32[from + word] ?? 0;
      this.#current.global.add(to);
      const within = ((from - first) << 2) % SET_BYTES;
      if (within >= TLB_EXECUTE) this.#noteFrame(to, this.#executeFrame[from >> 2] ?? 0);
      else if (within >= TLB_WRITE && ((i32[to] ?? 0) & GUARD) === 0) this.noteWrite(to, i32[to + 3] ?? 0);
    }
    for (let n = 0; n < own.length; n++) this.#isOwn[(own.at(n) - first) >> 2] = 0;
  }

  /** One of TLB_SETS but `slow`, as it lies in the current bank. */
  setOf(set: number): number {
    return set + this.#current.offset;
  }

  // ---- Filling --------------------------------------------------------------------------------------------------------------------------

  /** The word index of a page's entry in a set of the current bank; `kind`: TLB_READ, TLB_WRITE or TLB_EXECUTE. */
  entry(set: number, kind: number, low: number): number {
    return (set + kind + tlbIndex(low >>> 12)) >> 2;
  }

  /** The physical page that an entry, guarded or not, has for a linear page; −1: none. */
  frameAt(at: number, low: number, high: number): number {
    const i32 = this.#i32;
    if (((i32[at] ?? 0) & ~GUARD) !== (low & ~0xfff) || i32[at + 1] !== high) return -1;
    return i32[at + 3] ?? 0;
  }

  /** Fills an entry. */
  enter(at: number, low: number, high: number, frame: number, isGuarded: boolean, isGlobal: boolean): void {
    const i32 = this.#i32;
    const page = low & ~0xfff;
    i32[at] = isGuarded ? page | GUARD : page;
    i32[at + 1] = high;
    i32[at + 2] = this.#ramBase + frame * 4096 - (page >>> 0);
    i32[at + 3] = frame;
    this.#note(at, isGlobal);
  }

  /** Remembers which entry lets stores to a frame through. */
  noteWrite(at: number, frame: number): void {
    const before = this.#writeEntry[frame] ?? 0;
    if (before === at) return;
    this.#writeEntry[frame] = at;
    if (before === 0 || this.#i32[before + 3] !== frame) return;
    const others = (this.#otherEntries[frame] ??= []);
    if (!others.includes(before)) others.push(before);
  }

  /** Stores by a guarded entry need not be told any more. */
  unguardWrite(at: number, low: number, frame: number): void {
    if (this.#i32[at] !== ((low & ~0xfff) | GUARD)) return;
    this.noteWrite(at, frame);
    this.#i32[at] = low & ~0xfff;
  }

  /** The interpreter is about to enter this page into the execute array of a set. */
  noteExecute(set: number, low: number, frame: number, isGlobal: boolean): void {
    const at = this.entry(set, TLB_EXECUTE, low);
    this.#noteFrame(at, frame);
    if (set === TLB_SETS.slow) this.#slow.add(at);
    else this.#note(at, isGlobal);
  }

  #noteFrame(at: number, frame: number): void {
    this.#executeFrame[at >> 2] = frame;
    const entries = this.#executeEntries.get(frame);
    if (entries === undefined) this.#executeEntries.set(frame, [at]);
    else if (!entries.includes(at)) entries.push(at);
  }

  #note(at: number, isGlobal: boolean): void {
    const bank = this.#current;
    (isGlobal ? bank.global : bank.own).add(at);
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

  /** Drops one linear page of a tag: a PCID, or GLOBAL_TAG. `pageLow`: the low bits of linear address / 4096. */
  dropPage(pageLow: number, tag: number): void {
    this.#dropEntry((TLB_SETS.slow + TLB_EXECUTE + tlbIndex(pageLow)) >> 2);
    for (const bank of this.#used) {
      if ((tag === GLOBAL_TAG || bank.pcid === tag) && !bank.isEmpty) this.#dropFrom(bank, pageLow);
    }
  }

  /** Stores to this frame must take the slow path from now on. */
  dropWritesTo(frame: number): void {
    const at = this.#writeEntry[frame] ?? 0;
    if (at !== 0) this.#guardFrame(at, frame);
    const others = this.#otherEntries[frame];
    if (others === undefined) return;
    for (const other of others) this.#guardFrame(other, frame);
    others.length = 0;
  }

  /** Code is not to be found in this frame any more. */
  dropExecutesOf(frame: number): void {
    for (const at of this.#executeEntries.get(frame) ?? []) {
      if (this.#executeFrame[at >> 2] === frame) this.#dropEntry(at);
    }
    this.#executeEntries.delete(frame);
  }

  #guardFrame(at: number, frame: number): void {
    if (this.#i32[at + 3] === frame) this.#guard(at);
  }

  /** −1 (empty) stays as it is. */
  #guard(at: number): void {
    this.#i32[at] = (this.#i32[at] ?? 0) | GUARD;
  }

  #dropFrom(bank: Bank, pageLow: number): void {
    const first = TLB_SETS.supervisor + bank.offset + tlbIndex(pageLow);
    for (let i = 0; i < SETS.length; i++) {
      const set = first + (SETS[i] ?? bug('no such set'));
      this.#dropEntry((set + TLB_READ) >> 2);
      this.#dropEntry((set + TLB_WRITE) >> 2);
      this.#dropEntry((set + TLB_EXECUTE) >> 2);
    }
  }

  #empty(bank: Bank): void {
    if (bank.own.isKnown && bank.global.isKnown) {
      this.#emptyList(bank.own);
      this.#emptyList(bank.global);
    } else {
      const first = TLB_SETS.supervisor + bank.offset;
      this.#i32.fill(-1, first >> 2, (first + TLB_BANK_BYTES) >> 2);
      bank.own.length = 0;
      bank.global.length = 0;
    }
  }

  #emptySlow(): void {
    const slow = this.#slow;
    if (!slow.isKnown) this.#i32.fill(-1, TLB_SETS.slow >> 2, TLB_SETS.supervisor >> 2);
    this.#emptyList(slow);
  }

  #emptyList(list: Filled): void {
    const length = Math.min(list.length, LIST);
    for (let n = 0; n < length; n++) this.#dropEntry(list.at(n));
    list.length = 0;
  }

  #dropEntry(at: number): void {
    this.#i32[at] = -1;
    this.#i32[at + 1] = -1;
  }
}
