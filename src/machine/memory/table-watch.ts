/**
 * Which frames hold page-table entries that translations were walked through, and what a store to one of them outdates.
 *
 * A frame used as a last-level table remembers the regions (2 MiB of linear space, with their tag) that it serves: a store to one of its
 * entries outdates those pages alone. A store to an entry of a higher table outdates everything, by moving the *epoch* on. An outdated
 * translation is compared with the tables before its next use, and that comparison watches the tables anew: so a frame may be forgotten
 * here at any time, if only its translations are outdated with it.
 */
import { bug } from '../isa/bug.ts';
import { PTE } from '../platform/bits.ts';
import { FRAME, type PhysicalMemory } from './physical.ts';
import type { SoftTlb } from './soft-tlb.ts';
import type { Translations } from './translations.ts';
import type { PageWalk } from './walk.ts';

/** The pair (region, tag) is one number: region + tag × 2^27. */
const REGIONS = 2 ** 27;
/** A table of more address spaces than this is treated like a higher one. */
const MAX_REGIONS = 16;
/** Stores of what was there already, one after the other, in one frame: it is being cleared, and no page table any more. */
const IDLE_STORES = 16;
/** Stores to a watched frame without effect, before it is asked whether it still is a page table. */
const QUIET_STORES = 32;
const MAX_PATIENCE = 4096;
/** Bits of an entry whose change concerns no translation: A, D and the ignored ones (11:9, 62:52). */
const IRRELEVANT_LOW = PTE.A | PTE.D | 0xe00;
const IRRELEVANT_HIGH = 0x7ff00000;

interface LeafTable {
  readonly regions: number[];
  quiet: number;
  patience: number;
}

export class TableWatch {
  /** Translations with another epoch are outdated. */
  epoch = 1;
  /** A stale translation was used in this epoch: entries that were not present matter now, too. */
  staleInUse = false;
  readonly #physical: PhysicalMemory;
  readonly #translations: Translations;
  readonly #soft: SoftTlb;
  readonly #leaves = new Map<number, LeafTable>();
  readonly #uppers = new Set<number>();
  #quiet = 0;
  #patience = QUIET_STORES;
  /** The last frame with an idle store, and how many it had in a row. */
  #idleFrame = -1;
  #idle = 0;

  constructor(physical: PhysicalMemory, translations: Translations, soft: SoftTlb) {
    this.#physical = physical;
    this.#translations = translations;
    this.#soft = soft;
  }

  /** Watches the tables of the walk just made. */
  watch(walk: PageWalk, pageLow: number, pageHigh: number, tag: number): void {
    const { frames, flags } = this.#physical;
    for (let level = 4; level >= walk.leafLevel; level--) {
      const frame = Math.floor((walk.address[level] ?? 0) / 4096);
      if (frame >= frames) return;
      if (level > 1) {
        if (((flags[frame] ?? 0) & FRAME.upperTable) === 0) this.#watchUpper(frame);
      } else this.#watchLeaf(frame, (((pageLow >>> 9) | (pageHigh << 23)) >>> 0) + tag * REGIONS);
    }
  }

  /**
   * A store changed the 8-byte entry `index` of a watched frame. True: translations may have been walked from it, and are outdated now.
   */
  written(frame: number, index: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): boolean {
    if (beforeLow === afterLow && beforeHigh === afterHigh) {
      this.#idleStore(frame);
      return false;
    }
    const isRelevant = ((beforeLow ^ afterLow) & ~IRRELEVANT_LOW) !== 0 || ((beforeHigh ^ afterHigh) & ~IRRELEVANT_HIGH) !== 0;
    const isUpper = ((this.#physical.flags[frame] ?? 0) & FRAME.upperTable) !== 0;
    if (!isRelevant || ((beforeLow & PTE.P) === 0 && !this.staleInUse)) {
      this.#quietStore(frame, isUpper);
      return false;
    }
    if (isUpper) {
      this.outdateAll();
      return true;
    }
    const table = this.#leaves.get(frame);
    if (table === undefined) return false;
    let found = false;
    for (const region of table.regions) {
      const tag = Math.floor(region / REGIONS);
      const page = (region - tag * REGIONS) * 512 + index;
      const slot = this.#translations.find(page | 0, Math.floor(page / 2 ** 32), tag, 0);
      if (slot < 0) continue;
      found = true;
      this.#translations.epoch[slot] = 0;
      this.#soft.dropPage(page | 0, tag);
    }
    if (found) table.quiet = 0;
    else this.#quietStore(frame, false);
    return found;
  }

  /** Every translation is compared before its next use. */
  outdateAll(): void {
    this.epoch = (this.epoch + 1) >>> 0;
    if (this.epoch === 0) bug('the page-table epoch ran out');
    this.staleInUse = false;
    this.#soft.flush();
  }

  /** Forgets all frames: RAM was changed behind our back. */
  forgetAll(): void {
    for (const frame of this.#leaves.keys()) this.#clear(frame, FRAME.leafTable);
    for (const frame of this.#uppers) this.#clear(frame, FRAME.upperTable);
    this.#leaves.clear();
    this.#uppers.clear();
    this.#quiet = 0;
    this.#patience = QUIET_STORES;
    this.#idleFrame = -1;
    this.outdateAll();
  }

  /** Whether two roots lead to the same tables for the upper half of linear addresses; if so, both are watched. */
  watchSameUpperHalf(one: number, other: number): boolean {
    const { frames, flags, i32 } = this.#physical;
    if (one >= frames || other >= frames) return false;
    for (let word = 512; word < 1024; word += 2) {
      const low = (i32[one * 1024 + word] ?? 0) ^ (i32[other * 1024 + word] ?? 0);
      if ((low & ~IRRELEVANT_LOW) !== 0 || i32[one * 1024 + word + 1] !== i32[other * 1024 + word + 1]) return false;
    }
    for (const frame of [one, other]) if (((flags[frame] ?? 0) & FRAME.upperTable) === 0) this.#watchUpper(frame);
    return true;
  }

  #watchUpper(frame: number): void {
    this.#uppers.add(frame);
    this.#set(frame, FRAME.upperTable);
  }

  #watchLeaf(frame: number, region: number): void {
    let table = this.#leaves.get(frame);
    if (table === undefined) {
      table = { regions: [], quiet: 0, patience: QUIET_STORES };
      this.#leaves.set(frame, table);
      this.#set(frame, FRAME.leafTable);
    }
    if (table.regions.includes(region)) return;
    if (table.regions.length >= MAX_REGIONS) this.#watchUpper(frame);
    else table.regions.push(region);
  }

  #set(frame: number, flag: number): void {
    this.#physical.flags[frame] = (this.#physical.flags[frame] ?? 0) | flag;
    this.#soft.dropWritesTo(frame);
  }

  #clear(frame: number, flag: number): void {
    this.#physical.flags[frame] = (this.#physical.flags[frame] ?? 0) & ~flag;
  }

  #idleStore(frame: number): void {
    if (frame !== this.#idleFrame) {
      this.#idleFrame = frame;
      this.#idle = 0;
    }
    if (++this.#idle < IDLE_STORES) return;
    this.#idleFrame = -1;
    const mayBeInUse = this.#uppers.has(frame) || this.#leaves.get(frame)?.regions.some((region) => this.#isLive(region)) === true;
    this.#forget(frame);
    if (mayBeInUse) this.outdateAll();
  }

  /** Whether the region's PCID has any translation at all. */
  #isLive(region: number): boolean {
    return this.#translations.hasAny(Math.floor(region / REGIONS));
  }

  #forget(frame: number): void {
    this.#clear(frame, FRAME.upperTable | FRAME.leafTable);
    this.#uppers.delete(frame);
    this.#leaves.delete(frame);
  }

  /** A store that changed no translation: after many, the frame is perhaps no page table any more. */
  #quietStore(frame: number, isUpper: boolean): void {
    if (isUpper) {
      if (++this.#quiet < this.#patience) return;
      this.#quiet = 0;
      this.#patience = Math.min(this.#patience * 2, MAX_PATIENCE);
      this.#forget(frame);
      this.outdateAll();
      return;
    }
    const table = this.#leaves.get(frame);
    if (table === undefined || ++table.quiet < table.patience) return;
    table.quiet = 0;
    if (this.#isInUse(table)) {
      table.patience = Math.min(table.patience * 2, MAX_PATIENCE);
      return;
    }
    this.#leaves.delete(frame);
    this.#clear(frame, FRAME.leafTable);
  }

  #isInUse(table: LeafTable): boolean {
    for (const region of table.regions) {
      const tag = Math.floor(region / REGIONS);
      const first = (region - tag * REGIONS) * 512;
      const high = Math.floor(first / 2 ** 32);
      for (let i = 0; i < 512; i++) if (this.#translations.find((first + i) | 0, high, tag, 0) >= 0) return true;
    }
    return false;
  }
}
