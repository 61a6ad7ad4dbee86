/**
 * The TLB that a guest sees: every translation that was walked and not invalidated since. It is the most hostile one that the manual
 * allows (SDM Vol. 3, 4.10): unbounded, so that nothing leaves by chance.
 *
 * A translation is keyed by page number, page size and *tag*: its PCID, or GLOBAL_TAG for a global page, which every PCID sees. Flushing
 * a tag is one increment of its *generation*; entries of older generations are dead and are dropped when the table is rebuilt, which numbers
 * generations from the first again: so they do not run out.
 *
 * Each entry has the *epoch* at which it was last found to be what the page tables of its *root* (MMU.rootKey) say. Stores to page-table entries move epochs
 * on (one entry's or all), and an entry out of date, or of another root, is compared with the tables before its next use: that is how stale
 * uses are told.
 *
 * Nothing here knows the page tables. The table's content is part of the state hash, as a sum.
 */
import { UserError } from '../isa/bug.ts';
import { fixedModule } from '../translator/fixed-modules.ts';
import {
  GLOBAL_TAG, HEADER, SLOT, SLOT_BYTES, SLOTS_AT, TAG, TAG_BYTES, TAGS, TAGS_AT, type TranslationsCode,
} from './translations-code.ts'; // biome-ignore format: one list

/** 0: 4 KiB, 1: 2 MiB, 2: 1 GiB. */
export type SizeClass = 0 | 1 | 2;

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

/** Pages of 4 KiB in a page of each size class. */
const PAGES_OF = [1, 512, 262144] as const;
/** Of 4 KiB: all linear ones, all physical ones. */
const [LINEAR_PAGES, FRAMES] = [2 ** 36, 2 ** 28];

const MODULE = fixedModule('translations');
const CAPACITY = 4096;
const WASM_PAGE = 65536;
const SLOT_WORDS = SLOT_BYTES / 4;
/** Live entries at most, five for each frame of 3 GiB: half a GiB of slots. */
const MOST = 1 << 22;

export class Translations {
  /** It grows: `#words` is made anew then. */
  readonly memory = new WebAssembly.Memory({ initial: Math.ceil((SLOTS_AT + CAPACITY * SLOT_BYTES) / WASM_PAGE) });
  readonly code: TranslationsCode;
  #words = new Int32Array(this.memory.buffer);
  /** How often the generations of all tags began anew. */
  numberings = 0;

  constructor() {
    const env = { translations: this.memory, rebuild: () => this.rebuild() };
    this.code = new WebAssembly.Instance(MODULE, { env }).exports as unknown as TranslationsCode;
    this.#words[HEADER.capacity >> 2] = CAPACITY;
    this.code.clear();
  }

  /** A field (of SLOT) of an entry. */
  get(slot: number, field: number): number {
    return (this.#words[(SLOTS_AT + slot + field) >> 2] ?? 0) >>> 0;
  }

  /** Notes that an entry is what the tables of a root say, or (`epoch` 0) that it may not be. */
  setEpoch(slot: number, epoch: number, root: number): void {
    this.#words[(SLOTS_AT + slot + SLOT.epoch) >> 2] = epoch;
    this.#words[(SLOTS_AT + slot + SLOT.root) >> 2] = root;
  }

  /** No entry is what the tables say, as far as is known. */
  outdate(): void {
    for (let slot = this.code.next(0); slot >= 0; slot = this.code.next(slot + SLOT_BYTES))
      this.#words[(SLOTS_AT + slot + SLOT.epoch) >> 2] = 0;
  }

  /** Page size of a live entry: 0 4 KiB, 1 2 MiB, 2 1 GiB. */
  sizeOf(slot: number): number {
    return this.get(slot, SLOT.key) >>> 17;
  }

  isGlobal(slot: number): boolean {
    return tagOf(this.get(slot, SLOT.key)) === GLOBAL_TAG;
  }

  /** Drops what translates a page for a tag, of every size. Gives a bit for each size class that was there. */
  invalidatePage(pageLow: number, pageHigh: number, tag: number): number {
    const isGlobal = tag === GLOBAL_TAG ? 1 : 0;
    const low2 = (pageLow >>> 9) | (pageHigh << 23);
    let sizes = 0;
    for (let size = 0; size < 3; size++) {
      if ((this.#header(HEADER.kinds) & (1 << (2 * size + isGlobal))) === 0) continue;
      const slot = size === 0 ? this.code.find(pageLow, pageHigh, tag, 0) : this.code.find(size === 1 ? low2 : low2 >>> 9, 0, tag, size);
      if (slot < 0) continue;
      this.code.remove(slot);
      sizes |= 1 << size;
    }
    return sizes;
  }

  /** Whether a tag has live entries. */
  hasAny(tag: number): boolean {
    return this.#words[(tagAt(tag) + TAG.live) >> 2] !== 0;
  }

  /** What tells a tag's translations from those that were flushed, until all tags are numbered anew. */
  generation(tag: number): number {
    return this.#words[(tagAt(tag) + TAG.generation) >> 2] ?? 0;
  }

  /** Drops the translations of all PCIDs; the global ones too where asked. */
  flushAll(globals: boolean): void {
    for (let tag = 0; tag < GLOBAL_TAG; tag++) if (this.hasAny(tag)) this.code.flushTag(tag);
    if (globals) this.code.flushTag(GLOBAL_TAG);
  }

  /** Two 32-bit sums over all live entries, independent of the order in which they came. */
  get sum(): readonly [number, number] {
    this.code.sum();
    return [this.#header(HEADER.sumA) >>> 0, this.#header(HEADER.sumB) >>> 0];
  }

  /** All live entries in order of their keys. */
  entries(): TranslationEntry[] {
    const all: TranslationEntry[] = [];
    for (let slot = this.code.next(0); slot >= 0; slot = this.code.next(slot + SLOT_BYTES)) {
      const key = this.get(slot, SLOT.key);
      const size = (key >>> 17) as SizeClass;
      const unit = (key & 15) * 2 ** 32 + this.get(slot, SLOT.low);
      all.push({
        page: unit * PAGES_OF[size],
        tag: tagOf(key),
        size,
        frame: this.get(slot, SLOT.frame),
        rights: this.get(slot, SLOT.rights),
        seen: this.get(slot, SLOT.seen),
      });
    }
    return all.sort((a, b) => a.tag - b.tag || a.page - b.page || a.size - b.size);
  }

  /**
   * Enters what `entries` gave; the epoch is out of date, so each is compared with the tables before its first use. RangeError for what cannot be a
   * translation.
   */
  restore(entries: readonly TranslationEntry[]): void {
    this.#clear();
    for (const { page, tag, size, frame, rights, seen } of entries) {
      const unit = page / (PAGES_OF[size] ?? Number.NaN);
      if (!Number.isInteger(unit) || page < 0 || page >= LINEAR_PAGES || tag > GLOBAL_TAG || frame >= FRAMES)
        throw new RangeError(`a translation of page ${page}, size ${size}, for ${tag} to frame ${frame}`);
      this.code.insert(unit | 0, Math.floor(unit / 2 ** 32), tag, size, frame, rights, 0, 0, seen);
    }
  }

  #clear(): void {
    this.code.clear();
    this.numberings++;
  }

  #header(field: number): number {
    return this.#words[field >> 2] ?? 0;
  }

  /** Drops dead entries, and makes room: generated code asks for it where half of the slots are used. */
  rebuild(): void {
    let count = 0;
    for (let tag = 0; tag < TAGS; tag++) count += this.#words[(tagAt(tag) + TAG.live) >> 2] ?? 0;
    if (count > MOST)
      throw new UserError(
        `the guest uses more than ${MOST} translations and invalidates none of them: the machine keeps no more (a TLB has fewer)`,
      );
    const words = new Int32Array(count * SLOT_WORDS);
    let length = 0;
    for (let slot = this.code.next(0); slot >= 0; slot = this.code.next(slot + SLOT_BYTES), length += SLOT_WORDS)
      words.set(this.#words.subarray((SLOTS_AT + slot) >> 2, (SLOTS_AT + slot + SLOT_BYTES) >> 2), length);
    let capacity = this.#header(HEADER.capacity);
    while (count * 4 > capacity) capacity *= 2;
    const missing = SLOTS_AT + capacity * SLOT_BYTES - this.memory.buffer.byteLength;
    if (missing > 0) {
      this.memory.grow(Math.ceil(missing / WASM_PAGE));
      this.#words = new Int32Array(this.memory.buffer);
    }
    this.#clear();
    this.#words[HEADER.capacity >> 2] = capacity;
    for (let slot = 0; slot < length; slot += SLOT_WORDS) {
      const field = (at: number): number => words[slot + (at >> 2)] ?? 0;
      const key = field(SLOT.key);
      const [epoch, root, seen] = [field(SLOT.epoch), field(SLOT.root), field(SLOT.seen)];
      this.code.insert(field(SLOT.low), key & 15, tagOf(key), key >>> 17, field(SLOT.frame), field(SLOT.rights), epoch, root, seen);
    }
  }
}

const tagAt = (tag: number): number => TAGS_AT + TAG_BYTES * tag;
const tagOf = (key: number): number => (key >>> 4) & 0x1fff;
