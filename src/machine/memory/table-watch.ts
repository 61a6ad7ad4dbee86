/**
 * Which frames hold page-table entries that translations were walked through, and what a store to one of them outdates.
 *
 * A frame used as a last-level table remembers the regions (2 MiB of linear space, with their tag) that it serves: a store to one of its
 * entries outdates those pages alone. A store to an entry of a higher table outdates everything, by moving the *epoch* on, unless nothing can depend on it
 * any more: the table of a process that has ended is cleared for its next use. So a higher table remembers its *owner*, the one tag whose translations were
 * walked through it; those are gone when the tag was flushed. A root also remembers whether global translations were found from it: those are compared
 * again wherever another is the root, and so it is enough that the root counts as another one.
 * An outdated translation is compared with the tables before its next use, and that comparison watches the tables anew: so a frame may be forgotten here
 * at any time, if only its translations are outdated with it.
 *
 * What each walk and each store to a table asks is generated code (watch-code.ts). Here is what is rare: tables come and go.
 */
import { type CpuState, MMU } from '../cpu/state.ts';
import { FRAME, FRAME_BITS, LEAF, LEAF_BYTES, MAX_REGIONS, SHARED } from './frames.ts';
import { forgetTables } from './known-tables.ts';
import type { PhysicalMemory } from './physical.ts';
import type { RootCode } from './root-code.ts';
import type { SoftTlb } from './soft-tlb.ts';
import type { Translations } from './translations.ts';
import { GLOBAL_TAG } from './translations-code.ts';
import { IRRELEVANT_LOW } from './watch-code.ts';

/** A region's number has so many bits; its tag stands above them. */
const REGION_BITS = 27;
/** Stores of what was there already, one after the other, in one frame: it is being cleared, and no page table any more. */
const IDLE_STORES = 16;
/** Stores to a watched frame without effect, before it is asked whether it still is a page table. */
const QUIET_STORES = 32;
const MAX_PATIENCE = 4096;
const ROOT_LEVEL = 4;
/** How often a frame may count as another root before it counts as the first again: MMU.rootKey has no bits for more, and is never −1. */
const MOST_CHANGES = 2 ** (32 - FRAME_BITS) - 2;

export class TableWatch {
  readonly #state: CpuState;
  readonly #physical: PhysicalMemory;
  readonly #translations: Translations;
  readonly #soft: SoftTlb;
  readonly #code: RootCode;
  /** Frames with FRAME.leafTable: of each, LEAF in memory. */
  readonly #leaves = new Set<number>();
  readonly #words: Int32Array;
  readonly #uppers = new Set<number>();
  /** Of the translations, when the owners of all higher tables were noted. */
  #numberings = 0;
  #quiet = 0;
  #patience = QUIET_STORES;
  /** The last frame with an idle store, and how many it had in a row. */
  #idleFrame = -1;
  #idle = 0;

  constructor(state: CpuState, physical: PhysicalMemory, translations: Translations, soft: SoftTlb, code: RootCode) {
    this.#state = state;
    this.#physical = physical;
    this.#translations = translations;
    this.#soft = soft;
    this.#code = code;
    this.#words = new Int32Array(physical.memory.buffer, physical.tables.leaves, (LEAF_BYTES / 4) * physical.frames);
    this.#epoch = 1;
  }

  /** Translations with another epoch are outdated. */
  get epoch(): number {
    return this.#state.get32(MMU.epoch);
  }

  set #epoch(value: number) {
    this.#state.set32(MMU.epoch, value);
  }

  /** A stale translation was used in this epoch: entries that were not present matter now, too. */
  set staleInUse(value: boolean) {
    this.#state.set32(MMU.staleInUse, value ? 1 : 0);
  }

  /** Every translation is compared before its next use. */
  outdateAll(): void {
    this.#epoch = this.epoch + 1;
    if (this.epoch === 0) {
      this.#translations.outdate();
      this.#epoch = 1;
    }
    this.staleInUse = false;
    this.#soft.flush();
  }

  /** Forgets all frames: RAM was changed behind our back. */
  forgetAll(): void {
    for (const frame of this.#leaves) this.#clear(frame, FRAME.leafTable);
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
    const { frames, i32 } = this.#physical;
    if (one >= frames || other >= frames) return false;
    for (let word = 512; word < 1024; word += 2) {
      const low = (i32[one * 1024 + word] ?? 0) ^ (i32[other * 1024 + word] ?? 0);
      if ((low & ~IRRELEVANT_LOW) !== 0 || i32[one * 1024 + word + 1] !== i32[other * 1024 + word + 1]) return false;
    }
    for (const frame of [one, other]) this.watchUpper(frame, GLOBAL_TAG, ROOT_LEVEL);
    return true;
  }

  /** The frame serves as a PML4, PDPT or page directory (levels 4, 3, 2) for translations of a tag. */
  watchUpper(frame: number, tag: number, level: number): void {
    this.#watchUpper(frame);
    if (level === ROOT_LEVEL && tag === GLOBAL_TAG) {
      this.#setLeaf(frame, LEAF.isRoot, 1);
      return;
    }
    const owner = this.#leaf(frame, LEAF.owner);
    const isTaken = owner !== tag + 1 && this.#isOwned(frame);
    // The owner before has nothing that was walked through it, but may know last-level tables below: it shall walk, and be noted, anew.
    if (owner !== 0 && owner !== tag + 1 && !isTaken) forgetTables(this.#state);
    if (isTaken) this.#setOwner(frame, SHARED, SHARED);
    else this.#setOwner(frame, tag + 1, this.#translations.generation(tag));
  }

  #watchUpper(frame: number): void {
    if (this.#uppers.has(frame)) return;
    this.#uppers.add(frame);
    this.#setLeaf(frame, LEAF.isRoot, 0);
    this.#setOwner(frame, 0, 0);
    this.#set(frame, FRAME.upperTable);
  }

  #setOwner(frame: number, owner: number, generation: number): void {
    this.#setLeaf(frame, LEAF.owner, owner);
    this.#setLeaf(frame, LEAF.owner + 4, generation);
  }

  /** Whether there may be translations that were walked through a higher table, but for global ones from it as the root. */
  #isOwned(frame: number): boolean {
    this.#renumber();
    const owner = this.#leaf(frame, LEAF.owner);
    if (owner === 0 || owner === SHARED) return owner === SHARED;
    return this.#leaf(frame, LEAF.owner + 4) === this.#translations.generation(owner - 1) && this.#translations.hasAny(owner - 1);
  }

  /** Generations that began anew say nothing of owners that were noted before. */
  #renumber(): void {
    if (this.#numberings === this.#translations.numberings) return;
    this.#numberings = this.#translations.numberings;
    for (const frame of this.#uppers) this.#setOwner(frame, SHARED, SHARED);
  }

  /** A store changed a present entry of a higher table. */
  upperWritten(frame: number): void {
    if (!this.#isFree(frame)) this.outdateAll();
  }

  /** Sees to it that nothing depends on a higher table, where that takes little: then says so. */
  #isFree(frame: number): boolean {
    if (this.#state.get32(MMU.staleInUse) !== 0 || this.#isOwned(frame) || this.#serves(frame)) return false;
    this.#setOwner(frame, 0, 0);
    if (this.#leaf(frame, LEAF.isRoot) === 0) return true;
    this.#setLeaf(frame, LEAF.isRoot, 0);
    const changes = ((this.#leaf(frame, LEAF.changes) >>> FRAME_BITS) + 1) % (MOST_CHANGES + 1);
    this.#setLeaf(frame, LEAF.changes, changes << FRAME_BITS);
    if (frame === this.#state.get32(MMU.root)) this.#code.useRoot(frame);
    this.#soft.flushRoot(frame);
    return changes !== 0;
  }

  /** Whether the frame is a last-level table, too, and the PCIDs of its regions have any translation at all. */
  #serves(frame: number): boolean {
    return this.#leaves.has(frame) && this.#regions(frame).some(({ tag }) => this.#translations.hasAny(tag));
  }

  /** The frame serves as the last-level table of a region that is not in its list yet. */
  watchLeaf(frame: number, region: number, tag: number): void {
    if (!this.#leaves.has(frame)) {
      this.#leaves.add(frame);
      this.#setLeaf(frame, LEAF.count, 0);
      this.#setLeaf(frame, LEAF.quiet, 0);
      this.#setLeaf(frame, LEAF.patience, QUIET_STORES);
      this.#set(frame, FRAME.leafTable);
    }
    const count = this.#leaf(frame, LEAF.count);
    if (count >= MAX_REGIONS) {
      this.#watchUpper(frame);
      this.#setOwner(frame, SHARED, SHARED);
      return;
    }
    this.#setLeaf(frame, LEAF.regions + 8 * count, (region >>> 0) | (tag << REGION_BITS));
    this.#setLeaf(frame, LEAF.regions + 8 * count + 4, tag >>> (32 - REGION_BITS));
    this.#setLeaf(frame, LEAF.count, count + 1);
  }

  #leaf(frame: number, field: number): number {
    return this.#words[(frame * LEAF_BYTES + field) >> 2] ?? 0;
  }

  #setLeaf(frame: number, field: number, value: number): void {
    this.#words[(frame * LEAF_BYTES + field) >> 2] = value;
  }

  /** Region and tag of the n-th region of a leaf table. */
  #regionOf(frame: number, n: number): { readonly region: number; readonly tag: number } {
    const low = this.#leaf(frame, LEAF.regions + 8 * n);
    const high = this.#leaf(frame, LEAF.regions + 8 * n + 4);
    return { region: low & (2 ** REGION_BITS - 1), tag: (low >>> REGION_BITS) | (high << (32 - REGION_BITS)) };
  }

  #regions(frame: number): readonly { readonly region: number; readonly tag: number }[] {
    return Array.from({ length: this.#leaf(frame, LEAF.count) }, (_, n) => this.#regionOf(frame, n));
  }

  #set(frame: number, flag: number): void {
    this.#physical.flags[frame] = (this.#physical.flags[frame] ?? 0) | flag;
    this.#soft.dropWritesTo(frame);
  }

  #clear(frame: number, flag: number): void {
    forgetTables(this.#state);
    this.#physical.flags[frame] = (this.#physical.flags[frame] ?? 0) & ~flag;
  }

  /** A store of what was there already. */
  idleStore(frame: number): void {
    if (frame !== this.#idleFrame) {
      this.#idleFrame = frame;
      this.#idle = 0;
    }
    if (++this.#idle < IDLE_STORES) return;
    this.#idleFrame = -1;
    const mayBeInUse = this.#uppers.has(frame) ? !this.#isFree(frame) : this.#serves(frame);
    this.#forget(frame);
    if (mayBeInUse) this.outdateAll();
  }

  #forget(frame: number): void {
    this.#clear(frame, FRAME.upperTable | FRAME.leafTable);
    this.#uppers.delete(frame);
    this.#leaves.delete(frame);
  }

  /** A store that changed no translation: after many, the frame is perhaps no page table any more. */
  quietTable(frame: number, isUpper: boolean): void {
    if (isUpper) {
      if (++this.#quiet < this.#patience) return;
      this.#quiet = 0;
      this.#patience = Math.min(this.#patience * 2, MAX_PATIENCE);
      this.#forget(frame);
      this.outdateAll();
      return;
    }
    this.#setLeaf(frame, LEAF.quiet, 0);
    if (this.#isInUse(frame)) {
      this.#setLeaf(frame, LEAF.patience, Math.min(this.#leaf(frame, LEAF.patience) * 2, MAX_PATIENCE));
      return;
    }
    this.#leaves.delete(frame);
    this.#clear(frame, FRAME.leafTable);
  }

  #isInUse(frame: number): boolean {
    const { code } = this.#translations;
    return this.#regions(frame).some(({ region, tag }) => {
      const first = region * 512;
      const high = Math.floor(first / 2 ** 32);
      for (let i = 0; i < 512; i++) if (code.find((first + i) | 0, high, tag, 0) >= 0) return true;
      return false;
    });
  }
}
