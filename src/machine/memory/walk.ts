/**
 * The walk of 4-level page tables (SDM Vol. 3, 4.5), on numbers alone. A walk changes nothing; `markUsed` then sets the A and D bits of
 * the entries that it went through.
 *
 *     63  62:52    51:40 reserved   39:12 frame   11:9  8  7     6  5  4   3   2  1  0
 *     NX  ignored  (must be 0)      or table      ign.  G  PS/PAT D  A  PCD PWT U  W  P
 */
import { PTE } from '../platform/bits.ts';
import type { PhysicalMemory } from './physical.ts';
import { RIGHTS } from './translations.ts';

/** High halves: bits 51:40 of an entry must be 0. */
const RESERVED_HIGH = 0x000fff00;

export const WALK = { found: 0, notPresent: 1, reserved: 2 } as const;

/** A walk and what it found; one object is used again and again. Fields after a walk that is not `found` say how far it came. */
export class PageWalk {
  /** Entry addresses by level (index 4 = PML4E … 1 = PTE); below `leafLevel` they are of no meaning. */
  readonly address = new Float64Array(5);
  readonly low = new Int32Array(5);
  readonly high = new Int32Array(5);
  /** Level of the last entry that was read. */
  leafLevel = 0;
  /** Frame of the page's first 4 KiB. */
  frame = 0;
  /** RIGHTS of all levels together; `dirty` is the leaf's D. */
  rights = 0;
  /** All entries had A set. */
  accessed = false;

  readonly #physical: PhysicalMemory;

  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
  }

  /** Walks from the table in `root` (a frame number) for a linear page (32 low bits and 4 high bits of linear address / 4096). */
  walk(root: number, pageLow: number, pageHigh: number, nxe: boolean): number {
    const { i32, bytes } = this.#physical;
    let table = root;
    let rights: number = RIGHTS.write | RIGHTS.user | RIGHTS.execute;
    let accessed = true;
    for (let level = 4; ; level--) {
      const index =
        level === 4
          ? ((pageHigh & 15) << 5) | (pageLow >>> 27)
          : level === 3
            ? (pageLow >>> 18) & 511
            : level === 2
              ? (pageLow >>> 9) & 511
              : pageLow & 511;
      const address = table * 4096 + index * 8;
      const inRam = address < bytes;
      const low = inRam ? (i32[address >>> 2] ?? 0) : -1;
      const high = inRam ? (i32[(address >>> 2) + 1] ?? 0) : -1;
      this.leafLevel = level;
      this.address[level] = address;
      this.low[level] = low;
      this.high[level] = high;
      if ((low & PTE.P) === 0) return WALK.notPresent;
      const isLeaf = level === 1 || (level < 4 && (low & PTE.PS) !== 0);
      if ((high & RESERVED_HIGH) !== 0 || (high < 0 && !nxe)) return WALK.reserved;
      if (level === 4 && (low & PTE.PS) !== 0) return WALK.reserved;
      if ((low & PTE.W) === 0) rights &= ~RIGHTS.write;
      if ((low & PTE.U) === 0) rights &= ~RIGHTS.user;
      if (high < 0) rights &= ~RIGHTS.execute;
      if ((low & PTE.A) === 0) accessed = false;
      table = (high & 0xff) * 0x100000 + (low >>> 12);
      if (!isLeaf) continue;
      if (level === 2 && (low & 0x001fe000) !== 0) return WALK.reserved;
      if (level === 3 && (low & 0x3fffe000) !== 0) return WALK.reserved;
      if ((low & PTE.G) !== 0) rights |= RIGHTS.global;
      if ((low & PTE.D) !== 0) rights |= RIGHTS.dirty;
      // Bit 12 of a large page's entry is PAT, not address.
      this.frame = level === 1 ? table : table & ~1;
      this.rights = rights;
      this.accessed = accessed;
      return WALK.found;
    }
  }

  /** Sets A in every entry of the walk just made, and D in the leaf where it is for a write. */
  markUsed(write: boolean): void {
    for (let level = 4; level >= this.leafLevel; level--) {
      const bits = level === this.leafLevel && write ? PTE.A | PTE.D : PTE.A;
      if (((this.low[level] ?? 0) & bits) !== bits) this.#physical.setEntryBits(this.address[level] ?? 0, bits);
    }
  }
}
