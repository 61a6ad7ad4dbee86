/**
 * The walk of 4-level page tables (SDM Vol. 3, 4.5), which changes nothing. It is generated code (ram-code.ts), as is what sets A and D bits afterwards:
 * here is what it found, as TypeScript reads it.
 *
 *     63  62:52    51:40 reserved   39:12 frame   11:9  8  7     6  5  4   3   2  1  0
 *     NX  ignored  (must be 0)      or table      ign.  G  PS/PAT D  A  PCD PWT U  W  P
 */
import { WALK_AT, WALK_BYTES } from './frames.ts';
import type { PhysicalMemory } from './physical.ts';

/** Whose walk: the MMU's, or one from outside. */
export const WALKER = { mmu: 0, outside: 1 } as const;

/** A walk and what it found; one object is used again and again. Fields after a walk that is not `found` say how far it came. */
export class PageWalk {
  /** Where the result lies in the machine's memory. */
  readonly at: number;
  readonly #physical: PhysicalMemory;
  readonly #words: Int32Array;

  /** `walker`: of WALKER. */
  constructor(physical: PhysicalMemory, walker: number) {
    this.#physical = physical;
    this.at = physical.tables.walks + walker * WALK_BYTES;
    this.#words = new Int32Array(physical.memory.buffer, this.at, WALK_BYTES / 4);
  }

  /** Walks from the table in `root` (a frame number) for a linear page (32 low bits and 4 high bits of linear address / 4096). Gives one of WALK. */
  walk(root: number, pageLow: number, pageHigh: number, nxe: boolean): number {
    return this.#physical.code.walk(this.at, root, pageLow, pageHigh, nxe ? 1 : 0);
  }

  /** Level of the last entry that was read. */
  get leafLevel(): number {
    return this.#word(WALK_AT.leafLevel);
  }

  /** Frame of the page's first 4 KiB. */
  get frame(): number {
    return this.#word(WALK_AT.frame);
  }

  /** RIGHTS of all levels together; `dirty` is the leaf's D. */
  get rights(): number {
    return this.#word(WALK_AT.rights);
  }

  /** Entry addresses by level (4 = PML4E … 1 = PTE); below `leafLevel` they are of no meaning. */
  address(level: number): number {
    const at = WALK_AT.entries + 16 * level;
    return this.#word(at + 4) * 2 ** 32 + (this.#word(at) >>> 0);
  }

  /** The entries themselves. */
  low(level: number): number {
    return this.#word(WALK_AT.entries + 16 * level + 8);
  }

  high(level: number): number {
    return this.#word(WALK_AT.entries + 16 * level + 12);
  }

  #word(at: number): number {
    return this.#words[at >> 2] ?? 0;
  }
}
