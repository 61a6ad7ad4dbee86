/**
 * What is kept of each 4 KiB frame of RAM, in the machine's memory behind RAM: generated code and TypeScript work on the same words.
 *
 * Flags say who wants to be told of stores to a frame. A frame with any *watch* flag, or without both *dirty* flags, is never entered
 * into the write arrays of the software TLB, so that each store to it takes the slow path:
 *
 *     bit 0  leafTable   translations were walked through it as a page table
 *     bit 1  upperTable  … as a PML4, PDPT or page directory
 *     bit 2  code        instructions were decoded from it
 *     bit 3  unhashed    in the list of frames whose hash is out of date
 *     bit 4  unsaved     in the list of frames that differ from the last snapshot
 *     bit 5  versioned   somebody asked for its version: stores are counted
 *     bit 6  probedRead  a watchpoint asks for reads
 *     bit 7  probedWrite … for reads or writes: what serves a store may serve the load before or behind it
 */
export const FRAME = {
  ...{ leafTable: 1, upperTable: 2, code: 4, unhashed: 8, unsaved: 16, versioned: 32 },
  ...{ probedRead: 64, probedWrite: 128 },
} as const;
export const TABLE = FRAME.leafTable | FRAME.upperTable;
export const WATCHED = TABLE | FRAME.code | FRAME.versioned | FRAME.probedWrite;
export const PROBED = FRAME.probedRead | FRAME.probedWrite;
export const DIRTY = FRAME.unhashed | FRAME.unsaved;

/** Lengths of the dirty lists. */
export const FRAME_LISTS = { unhashed: 0, unsaved: 4, bytes: 16 } as const;
/**
 * A frame that serves as a page table (table-watch.ts). As a last-level one: how many regions it serves, and their numbers. As a higher one: whether
 * global translations were walked from it as the root; and whose others were walked through it, a tag + 1 and above it that tag's generation, 0: nobody's,
 * or SHARED. `changes`: how often it has counted as another root, from bit FRAME_BITS on.
 */
export const LEAF = { count: 0, quiet: 4, patience: 8, isRoot: 12, owner: 16, changes: 24, regions: 32 } as const;
/** Bits of a frame's number, for 4 GiB of RAM. */
export const FRAME_BITS = 20;
/** Both halves of `LEAF.owner`, where there is more than one. */
export const SHARED = -1;
/** A table of more address spaces than this is treated like a higher one. */
export const MAX_REGIONS = 16;
export const LEAF_BYTES = LEAF.regions + 8 * MAX_REGIONS;

/**
 * Of a walk, where it leaves what it found: `entries` has an address and a value of 8 bytes each by level (4 = PML4E … 1 = PTE). `firstLevel`: of the table
 * that it began with; `upperRights`: those of the levels above 1.
 */
export const WALK_AT = { leafLevel: 0, frame: 4, rights: 8, accessed: 12, firstLevel: 16, upperRights: 20, entries: 16 } as const;
export const WALK_BYTES = 96;

/** Where the tables by frame lie. */
export class FrameTables {
  readonly lists: number;
  /** One byte each. */
  readonly flags: number;
  /** Four bytes each. */
  readonly unhashed: number;
  readonly unsaved: number;
  /** The write entry of the software TLB last filled for the frame, 0: none. */
  readonly writeEntries: number;
  /** LEAF_BYTES each. */
  readonly leaves: number;
  /** Two results of page walks: the MMU's, and of those who look from outside. */
  readonly walks: number;
  /** Behind all of them. */
  readonly end: number;

  /** `at`: a multiple of 8. */
  constructor(at: number, frames: number) {
    this.lists = at;
    this.flags = at + FRAME_LISTS.bytes;
    this.unhashed = this.flags + ((frames + 7) & ~7);
    this.unsaved = this.unhashed + 4 * frames;
    this.writeEntries = this.unsaved + 4 * frames;
    this.leaves = this.writeEntries + 4 * frames + (frames & 1) * 4;
    this.walks = this.leaves + LEAF_BYTES * frames;
    this.end = this.walks + 2 * WALK_BYTES;
  }
}
