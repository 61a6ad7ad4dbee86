/**
 * Looking at page tables from outside: no A or D bits, no translations made, nothing cached. What the tables say, not what the TLB remembers.
 *
 * Pages are linear addresses / 4096 within 48 bits: 0 … 2^36 − 1, the upper half from 2^35 on.
 */
import { PTE } from '../platform/bits.ts';
import type { PhysicalMemory } from './physical.ts';

/** Rights of a leaf, over all levels, as bits. */
export const RIGHT = { write: 1, user: 2, execute: 4, global: 8, accessed: 16, dirty: 32 } as const;

/**
 * One present leaf: its first page, its first frame, its size in pages (1, 512 or 262144), `rights` as bits of RIGHT, and the physical address of its
 * entry.
 */
export type LeafVisitor = (page: number, frame: number, pages: number, rights: number, entry: number) => void;
/** One frame that holds a table: its level (4 … 1), the physical address of the entry that points to it (−1 for the root), the first page it maps. */
export type TableVisitor = (frame: number, level: number, parent: number, page: number) => void;

/** Pages that one entry of a table at `level` covers. */
const COVERS: readonly number[] = [0, 1, 512, 262144, 134217728];

export class TableInspector {
  readonly #physical: PhysicalMemory;

  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
  }

  /** Visits present leaves in page order, from page `from` up to before `to`. Entries that a walk would refuse (reserved bits) are visited like others. */
  leaves(root: number, from: number, to: number, visit: LeafVisitor): void {
    this.#leaves(root, 4, 0, RIGHT.write | RIGHT.user | RIGHT.execute | RIGHT.accessed, from, to, visit);
  }

  #leaves(table: number, level: number, base: number, rights: number, from: number, to: number, visit: LeafVisitor): void {
    const { i32, frames } = this.#physical;
    if (table >= frames) return;
    const covers = COVERS[level] ?? 1;
    const first = Math.max(0, Math.floor((from - base) / covers));
    const last = Math.min(512, Math.ceil((to - base) / covers));
    for (let i = this.#nextUsed(table, first, last); i < last; i = this.#nextUsed(table, i + 1, last)) {
      const at = table * 1024 + i * 2;
      const low = i32[at] ?? 0;
      if ((low & PTE.P) === 0) continue;
      const high = i32[at + 1] ?? 0;
      let mine = rights;
      if ((low & PTE.W) === 0) mine &= ~RIGHT.write;
      if ((low & PTE.U) === 0) mine &= ~RIGHT.user;
      if ((low & PTE.A) === 0) mine &= ~RIGHT.accessed;
      if (high < 0) mine &= ~RIGHT.execute;
      const frame = (high & 0xff) * 0x100000 + (low >>> 12);
      const page = base + i * covers;
      if (level > 1 && (level === 4 || (low & PTE.PS) === 0)) {
        this.#leaves(frame, level - 1, page, mine, from, to, visit);
        continue;
      }
      if ((low & PTE.G) !== 0) mine |= RIGHT.global;
      if ((low & PTE.D) !== 0) mine |= RIGHT.dirty;
      visit(page, level === 1 ? frame : frame - (frame % covers), covers, mine, table * 4096 + i * 8);
    }
  }

  /** Visits the tables of a root that map pages from `from` up to before `to`, each as often as it is reached, parents first. */
  tables(root: number, from: number, to: number, visit: TableVisitor): void {
    visit(root, 4, -1, 0);
    this.#tables(root, 4, 0, from, to, visit);
  }

  #tables(table: number, level: number, base: number, from: number, to: number, visit: TableVisitor): void {
    const { i32, frames } = this.#physical;
    if (table >= frames || level === 1) return;
    const covers = COVERS[level] ?? 1;
    const first = Math.max(0, Math.floor((from - base) / covers));
    const last = Math.min(512, Math.ceil((to - base) / covers));
    for (let i = this.#nextUsed(table, first, last); i < last; i = this.#nextUsed(table, i + 1, last)) {
      const at = table * 1024 + i * 2;
      const low = i32[at] ?? 0;
      if ((low & PTE.P) === 0 || (level < 4 && (low & PTE.PS) !== 0)) continue;
      const frame = ((i32[at + 1] ?? 0) & 0xff) * 0x100000 + (low >>> 12);
      visit(frame, level - 1, table * 4096 + i * 8, base + i * covers);
      this.#tables(frame, level - 1, base + i * covers, from, to, visit);
    }
  }

  /** The index of the first entry from `from` on that is not 0; `to` where there is none before. */
  #nextUsed(table: number, from: number, to: number): number {
    return from < to ? (this.#physical.nextUsed(table * 4096 + from * 8, table * 4096 + to * 8) - table * 4096) / 8 : to;
  }
}
