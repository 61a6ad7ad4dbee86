/**
 * The TLB that a guest sees: every translation that was walked and not invalidated since. It is the most hostile one that the manual
 * allows (SDM Vol. 3, 4.10): unbounded, so that nothing leaves by chance.
 *
 * A translation is keyed by page number, page size and *tag*: its PCID, or GLOBAL_TAG for a global page, which every PCID sees. Flushing
 * a tag is one increment of its *generation*; entries of older generations are dead and are dropped when the table is rebuilt.
 *
 * Each entry has the *epoch* at which it was last found to be what the page tables of its *root* say. Stores to page-table entries move epochs
 * on (one entry's or all), and an entry out of date, or of another root, is compared with the tables before its next use: that is how stale
 * uses are told.
 *
 * Nothing here knows the page tables. The table's content is part of the state hash, as a sum that is kept as entries come and go.
 */
import { bug } from '../isa/bug.ts';

export const GLOBAL_TAG = 4096;
const TAGS = 4097;

/** Rights and state of a translation. `told…`: a stale use of that kind has been told for `seen` (see mmu.ts). */
export const RIGHTS = { write: 1, user: 2, execute: 4, global: 8, dirty: 16, toldRead: 32, toldWrite: 64, toldExecute: 128 } as const;

/** 0: 4 KiB, 1: 2 MiB, 2: 1 GiB. */
export type SizeClass = 0 | 1 | 2;

const EMPTY = 0;
const REMOVED = 0xffffffff;

export interface TranslationEntry {
  /** Linear address / 4096 within 48 bits, of the page's first byte. */
  readonly page: number;
  readonly tag: number;
  readonly size: SizeClass;
  /** Frame of the page's first 4 KiB. */
  readonly frame: number;
  readonly rights: number;
  readonly seen: number;
}

export class Translations {
  #capacity = 4096;
  #used = 0;
  #low = new Int32Array(this.#capacity);
  #high = new Int32Array(this.#capacity);
  #generation = new Uint32Array(this.#capacity);
  /** Payload by slot. `seen`: what the tables said when a stale use was last told, 0: never. */
  frame = new Uint32Array(this.#capacity);
  rights = new Uint8Array(this.#capacity);
  epoch = new Uint32Array(this.#capacity);
  root = new Int32Array(this.#capacity);
  seen = new Uint32Array(this.#capacity);
  readonly #tagGeneration = new Uint32Array(TAGS).fill(1);
  readonly #sumA = new Int32Array(TAGS);
  readonly #sumB = new Int32Array(TAGS);
  readonly #live = new Int32Array(TAGS);
  #totalA = 0;
  #totalB = 0;
  /** Which kinds may be present: bit size*2 + (global ? 1 : 0). */
  #kinds = 0;

  /** The slot that translates a page for a PCID, or −1. Small pages win over large ones, the PCID's own over global ones. */
  lookup(pageLow: number, pageHigh: number, pcid: number): number {
    const kinds = this.#kinds;
    let slot = -1;
    if ((kinds & 1) !== 0) slot = this.find(pageLow, pageHigh, pcid, 0);
    if (slot < 0 && (kinds & 2) !== 0) slot = this.find(pageLow, pageHigh, GLOBAL_TAG, 0);
    if (slot >= 0 || kinds < 4) return slot;
    const low2 = (pageLow >>> 9) | (pageHigh << 23);
    if ((kinds & 4) !== 0) slot = this.find(low2, 0, pcid, 1);
    if (slot < 0 && (kinds & 8) !== 0) slot = this.find(low2, 0, GLOBAL_TAG, 1);
    if (slot >= 0 || kinds < 16) return slot;
    const low1 = low2 >>> 9;
    if ((kinds & 16) !== 0) slot = this.find(low1, 0, pcid, 2);
    if (slot < 0 && (kinds & 32) !== 0) slot = this.find(low1, 0, GLOBAL_TAG, 2);
    return slot;
  }

  /** One exact key; `low`, `high` are the page number in units of the size (32 and 4 bits). */
  find(low: number, high: number, tag: number, size: number): number {
    const key = high | (tag << 4) | (size << 17);
    const signedLow = low | 0;
    const mask = this.#capacity - 1;
    const generation = this.#tagGeneration[tag] ?? 0;
    for (let slot = slotHash(signedLow, key) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#generation[slot];
      if (found === EMPTY) return -1;
      if (found === generation && this.#low[slot] === signedLow && this.#high[slot] === key) return slot;
    }
  }

  /** Enters a translation that is not there. Slots of other entries may change: look them up again. */
  insert(
    low: number,
    high: number,
    tag: number,
    size: number,
    frame: number,
    rights: number,
    epoch: number,
    root: number,
    seen = 0,
  ): number {
    if (this.#used * 2 >= this.#capacity) this.#rebuild();
    const key = high | (tag << 4) | (size << 17);
    const mask = this.#capacity - 1;
    let slot = slotHash(low | 0, key) & mask;
    while (this.#isLive(slot)) slot = (slot + 1) & mask;
    if (this.#generation[slot] === EMPTY) this.#used++;
    this.#low[slot] = low;
    this.#high[slot] = key;
    this.#generation[slot] = this.#tagGeneration[tag] ?? 0;
    this.frame[slot] = frame;
    this.rights[slot] = rights;
    this.epoch[slot] = epoch;
    this.root[slot] = root;
    this.seen[slot] = seen;
    this.#kinds |= 1 << (size * 2 + (tag === GLOBAL_TAG ? 1 : 0));
    this.#account(slot, 1);
    return slot;
  }

  /** Changes rights and what was seen of a live entry. */
  update(slot: number, rights: number, seen: number): void {
    this.#account(slot, -1);
    this.rights[slot] = rights;
    this.seen[slot] = seen;
    this.#account(slot, 1);
  }

  remove(slot: number): void {
    this.#account(slot, -1);
    this.#generation[slot] = REMOVED;
  }

  /** Page size of a live entry: 0 4 KiB, 1 2 MiB, 2 1 GiB. */
  sizeOf(slot: number): number {
    return (this.#high[slot] ?? 0) >>> 17;
  }

  isGlobal(slot: number): boolean {
    return (((this.#high[slot] ?? 0) >>> 4) & 0x1fff) === GLOBAL_TAG;
  }

  /** Whether a PCID may have larger pages of its own than this size class: a global page that is entered wins over them. */
  mayHaveOwnLarger(size: number): boolean {
    return (this.#kinds & (size === 0 ? 0b010100 : size === 1 ? 0b010000 : 0)) !== 0;
  }

  /** Drops what translates a page for a tag, of every size. Gives a bit for each size class that was there. */
  invalidatePage(pageLow: number, pageHigh: number, tag: number): number {
    const isGlobal = tag === GLOBAL_TAG ? 1 : 0;
    const low2 = (pageLow >>> 9) | (pageHigh << 23);
    let sizes = 0;
    for (let size = 0; size < 3; size++) {
      if ((this.#kinds & (1 << (2 * size + isGlobal))) === 0) continue;
      const slot = size === 0 ? this.find(pageLow, pageHigh, tag, 0) : this.find(size === 1 ? low2 : low2 >>> 9, 0, tag, size);
      if (slot < 0) continue;
      this.remove(slot);
      sizes |= 1 << size;
    }
    return sizes;
  }

  /** Whether a tag has live entries. */
  hasAny(tag: number): boolean {
    return this.#live[tag] !== 0;
  }

  /** Drops every translation of one tag. */
  flushTag(tag: number): void {
    const next = (this.#tagGeneration[tag] ?? 0) + 1;
    if (next >= REMOVED) bug('a TLB generation ran out');
    this.#tagGeneration[tag] = next;
    this.#totalA = (this.#totalA - (this.#sumA[tag] ?? 0)) | 0;
    this.#totalB = (this.#totalB - (this.#sumB[tag] ?? 0)) | 0;
    this.#sumA[tag] = 0;
    this.#sumB[tag] = 0;
    this.#live[tag] = 0;
  }

  /** Drops the translations of all PCIDs; the global ones too where asked. */
  flushAll(globals: boolean): void {
    for (let tag = 0; tag < GLOBAL_TAG; tag++) if (this.#live[tag] !== 0) this.flushTag(tag);
    if (globals) this.flushTag(GLOBAL_TAG);
  }

  clear(): void {
    this.#generation.fill(EMPTY);
    this.#used = 0;
    this.#kinds = 0;
    this.#sumA.fill(0);
    this.#sumB.fill(0);
    this.#live.fill(0);
    this.#totalA = 0;
    this.#totalB = 0;
  }

  /** Two 32-bit sums over all live entries, independent of the order in which they came. */
  get sum(): readonly [number, number] {
    return [this.#totalA >>> 0, this.#totalB >>> 0];
  }

  /** All live entries in order of their keys. */
  entries(): TranslationEntry[] {
    const all: TranslationEntry[] = [];
    for (let slot = 0; slot < this.#capacity; slot++) {
      if (!this.#isLive(slot)) continue;
      const key = this.#high[slot] ?? 0;
      const size = (key >>> 17) as SizeClass;
      const unit = (key & 15) * 2 ** 32 + ((this.#low[slot] ?? 0) >>> 0);
      all.push({
        page: unit * (size === 0 ? 1 : size === 1 ? 512 : 262144),
        tag: (key >>> 4) & 0x1fff,
        size,
        frame: this.frame[slot] ?? 0,
        rights: this.rights[slot] ?? 0,
        seen: this.seen[slot] ?? 0,
      });
    }
    return all.sort((a, b) => a.tag - b.tag || a.page - b.page || a.size - b.size);
  }

  /** Enters what `entries` gave; the epoch is out of date, so each is compared with the tables before its first use. */
  restore(entries: readonly TranslationEntry[]): void {
    this.clear();
    for (const { page, tag, size, frame, rights, seen } of entries) {
      const unit = page / (size === 0 ? 1 : size === 1 ? 512 : 262144);
      this.insert(unit >>> 0, Math.floor(unit / 2 ** 32), tag, size, frame, rights, 0, 0, seen);
    }
  }

  #isLive(slot: number): boolean {
    const generation = this.#generation[slot];
    if (generation === EMPTY || generation === REMOVED) return false;
    return generation === this.#tagGeneration[((this.#high[slot] ?? 0) >>> 4) & 0x1fff];
  }

  /** Adds (sign 1) or takes away (−1) a slot's share of the sums. A share is never zero in both halves. */
  #account(slot: number, sign: number): void {
    const low = this.#low[slot] ?? 0;
    const key = this.#high[slot] ?? 0;
    const frame = this.frame[slot] ?? 0;
    const payload = (this.rights[slot] ?? 0) ^ Math.imul(this.seen[slot] ?? 0, 0x2545f491);
    const a = mix(mix(low ^ 0x5bd1e995, key), mix(frame, payload)) | 1;
    const b = mix(mix(payload ^ 0x1b873593, frame), mix(key, low));
    const tag = (key >>> 4) & 0x1fff;
    this.#sumA[tag] = (this.#sumA[tag] ?? 0) + sign * a;
    this.#sumB[tag] = (this.#sumB[tag] ?? 0) + sign * b;
    this.#live[tag] = (this.#live[tag] ?? 0) + sign;
    this.#totalA = (this.#totalA + sign * a) | 0;
    this.#totalB = (this.#totalB + sign * b) | 0;
  }

  #rebuild(): void {
    const live: number[] = [];
    for (let slot = 0; slot < this.#capacity; slot++) if (this.#isLive(slot)) live.push(slot);
    const { frame, rights, epoch, root, seen } = this;
    const low = this.#low;
    const high = this.#high;
    while (live.length * 4 > this.#capacity) this.#capacity *= 2;
    this.#low = new Int32Array(this.#capacity);
    this.#high = new Int32Array(this.#capacity);
    this.#generation = new Uint32Array(this.#capacity);
    this.frame = new Uint32Array(this.#capacity);
    this.rights = new Uint8Array(this.#capacity);
    this.epoch = new Uint32Array(this.#capacity);
    this.root = new Int32Array(this.#capacity);
    this.seen = new Uint32Array(this.#capacity);
    this.clear();
    for (const slot of live) {
      const key = high[slot] ?? 0;
      const tag = (key >>> 4) & 0x1fff;
      const size = key >>> 17;
      this.insert(
        low[slot] ?? 0, key & 15, tag, size, frame[slot] ?? 0, rights[slot] ?? 0, epoch[slot] ?? 0, root[slot] ?? 0, seen[slot] ?? 0,
      ); // biome-ignore format: one entry
    }
  }
}

function slotHash(low: number, key: number): number {
  const h = Math.imul(low ^ Math.imul(key, 0x9e3779b1), 0x85ebca6b);
  return h ^ (h >>> 15);
}

function mix(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0xcc9e2d51), 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
