/**
 * A 4-level page table of one address space (SDM Vol. 3, 4.5). Its lower half belongs to the space; the upper half is the kernel's, copied from
 * the kernel's root when it is made. What this interface cannot do: map page 0 or the kernel's half, map writable and executable at once,
 * leave a changed entry in the TLB, hand a table's frame to a process.
 */
import { addressOf, asm, invlpg, readCr, writeCr } from 'palindrome/intrinsics';
import { features } from './cpu.ts';
import { allocateFrame, FRAME_SHARED, FRAME_TABLE, FRAME_USER, type Frame, frames, NO_FRAME, tableEntries } from './frames.ts';
import { panic } from './panic.ts';
import { PAGE, USER_END, USER_FIRST } from './virtual-layout.ts';

export const PRESENT: u64 = 1n;
export const WRITABLE: u64 = 2n;
const USER: u64 = 4n;
export const GLOBAL: u64 = 0x100n;
export const LARGE: u64 = 0x80n;
export const NO_EXECUTE: u64 = 0x8000_0000_0000_0000n;
export const UNCACHED: u64 = 0x18n;
/** Not present for the CPU, but holding a frame: a page with no rights (PROT_NONE). Bit 9 is software's. */
const HIDDEN: u64 = 0x200n;
export const MAPPED: u64 = PRESENT | HIDDEN;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000n;

/** A lowest-level table maps 2^21 bytes. */
const SPAN_BITS: u64 = 21n;

/** Rights of a user page, as PROT_READ, PROT_WRITE, PROT_EXEC. */
export type Rights = i32;
export const MAY_READ = 1;
export const MAY_WRITE = 2;
export const MAY_EXECUTE = 4;

export function entryFrame(entry: u64): Frame {
  return wrapping.u32((entry & ADDRESS) >> 12n);
}

function indexAt(page: u64, level: u64): i32 {
  return wrapping.i32((page >> (12n + 9n * level)) & 511n);
}

/** The first entry at or after `from` that is not 0; 512 where there is none.
 * @noinline */
function nextUsed(entries: BigUint64Array, from: i32): i32 {
  const left = 512 - from;
  const start = addressOf(entries) + u64(from) * 8n;
  const found = asm('xor eax, eax\ncld\nrepe scasq\nsetne al\nmovzx eax, al\nadd rax, rcx', { rdi: start, rcx: left }, 'rax');
  return 512 - i32(found);
}

function isUserPage(page: u64): boolean {
  return page >= USER_FIRST && page < USER_END && (page & (PAGE - 1n)) === 0n;
}

/** @noinline */
function leafEntry(frame: Frame, rights: Rights): u64 {
  if ((rights & (MAY_WRITE | MAY_EXECUTE)) === (MAY_WRITE | MAY_EXECUTE)) panic('a page was to be writable and executable');
  if (rights === 0) return (u64(frame) << 12n) | HIDDEN | NO_EXECUTE;
  let entry = (u64(frame) << 12n) | PRESENT | USER;
  if ((rights & MAY_WRITE) !== 0) entry |= WRITABLE;
  if ((rights & MAY_EXECUTE) === 0) entry |= NO_EXECUTE;
  return entry;
}

export class PageTable {
  /** Frame of the top-level table; NO_FRAME while the space is not in use. */
  root: Frame = NO_FRAME;
  /** Process-context identifier: one for each PageTable object, so never two live roots with one PCID. 0 is the kernel's. */
  pcid: u64 = 0n;
  /** Whether the TLB may hold translations of this PCID that the tables no longer give: then the next activation flushes. */
  private isStale: boolean = true;
  /** Table frames, the root included; and leaves. */
  tables: u32 = 0;
  leaves: u32 = 0;
  /** The lowest-level table last met, and which 2 MiB it maps: a table stays where it is until the space is destroyed. */
  private recent: Frame = NO_FRAME;
  private recentSpan: u64 = 0n;

  /** Makes the root, with the kernel's half of `kernelRoot`. False: no memory. */
  create(kernelRoot: Frame): boolean {
    using frame = allocateFrame(FRAME_TABLE);
    if (frame === null) return false;
    const entries = tableEntries(frame.frame);
    const kernel = tableEntries(kernelRoot);
    entries.subarray(256, 512).set(kernel.subarray(256, 512));
    this.root = frame.leak();
    this.tables = 1;
    this.leaves = 0;
    this.recent = NO_FRAME;
    this.isStale = true;
    return true;
  }

  /** The entry that maps `page`, 0 where there is none. */
  find(page: u64): u64 {
    if (!this.isRecent(page)) {
      let table = this.root;
      for (let level: u64 = 3n; level > 0n; level--) {
        const entry = tableEntries(table)[indexAt(page, level)];
        if ((entry & PRESENT) === 0n) return 0n;
        table = entryFrame(entry);
      }
      this.remember(page, table);
    }
    return tableEntries(this.recent)[indexAt(page, 0n)];
  }

  private isRecent(page: u64): boolean {
    return this.recent !== NO_FRAME && page >> SPAN_BITS === this.recentSpan;
  }

  private remember(page: u64, table: Frame): void {
    this.recent = table;
    this.recentSpan = page >> SPAN_BITS;
  }

  /** The lowest-level table that maps `page`, made as needed; NO_FRAME: no memory. */
  private leafTable(page: u64): Frame {
    if (this.isRecent(page)) return this.recent;
    let table = this.root;
    for (let level: u64 = 3n; level > 0n; level--) {
      const entries = tableEntries(table);
      const at = indexAt(page, level);
      if ((entries[at] & PRESENT) === 0n) {
        using frame = allocateFrame(FRAME_TABLE);
        if (frame === null) return NO_FRAME;
        entries[at] = (u64(frame.leak()) << 12n) | PRESENT | WRITABLE | USER;
        this.tables++;
      }
      table = entryFrame(entries[at]);
    }
    this.remember(page, table);
    return table;
  }

  /** Maps an unmapped page to a frame whose owner count already covers this leaf. Null: no memory for a table. */
  map(page: u64, frame: Frame, rights: Rights): Mapping | null {
    if (!isUserPage(page)) panic('a page outside the user range was to be mapped');
    const kind = frames.kinds[frame];
    if (kind !== FRAME_USER && kind !== FRAME_SHARED) panic('a frame that is not user memory was to be mapped');
    const entry = leafEntry(frame, rights);
    const table = this.leafTable(page);
    if (table === NO_FRAME) return null;
    const entries = tableEntries(table);
    const at = indexAt(page, 0n);
    if ((entries[at] & MAPPED) !== 0n) panic('a mapped page was to be mapped again');
    entries[at] = entry;
    this.leaves++;
    return new Mapping(this, page);
  }

  /** Gives a mapped page another frame or other rights. The former frame's count is the caller's affair. */
  replace(page: u64, frame: Frame, rights: Rights): void {
    const table = this.leafTable(page);
    if (table === NO_FRAME) panic('a mapped page has no table');
    const entries = tableEntries(table);
    const at = indexAt(page, 0n);
    if ((entries[at] & MAPPED) === 0n) panic('an unmapped page was to be changed');
    entries[at] = leafEntry(frame, rights);
    this.invalidate(page);
  }

  /** Takes a page away and gives back its frame, whose count the caller now holds; NO_FRAME where it was not mapped. */
  unmap(page: u64): Frame {
    const entry = this.find(page);
    if ((entry & MAPPED) === 0n) return NO_FRAME;
    tableEntries(this.leafTable(page))[indexAt(page, 0n)] = 0n;
    this.leaves--;
    this.invalidate(page);
    return entryFrame(entry);
  }

  /** The first mapped page at or after `from` and below `end`; `end` where there is none. */
  nextMapped(from: u64, end: u64): u64 {
    let page = from;
    while (page < end) {
      const next = this.skip(page);
      if (next === page) return page;
      page = next;
    }
    return end;
  }

  /** `page` if it is mapped; else the next address that the tables met on the way leave possible. */
  private skip(page: u64): u64 {
    const isRecent = this.isRecent(page);
    let table = isRecent ? this.recent : this.root;
    let level: u64 = isRecent ? 0n : 3n;
    while (true) {
      const entries = tableEntries(table);
      const wanted = indexAt(page, level);
      const used = nextUsed(entries, wanted);
      const span = PAGE << (9n * level);
      if (used !== wanted) return (page & wrapping.not(span * 512n - 1n)) + u64(used) * span;
      if (level === 0n) {
        this.remember(page, table);
        return page;
      }
      table = entryFrame(entries[used]);
      level--;
    }
  }

  /** @noinline */
  private invalidate(page: u64): void {
    if (this.isActive) invlpg(page);
    else this.isStale = true;
  }

  /** @noinline */
  get isActive(): boolean {
    return entryFrame(readCr(3)) === this.root;
  }

  /** Loads CR3. Keeps the TLB's translations of this PCID if they are still true.
   * @noinline */
  activate(): void {
    if (this.isActive) return;
    let value = u64(this.root) << 12n;
    if (features.pcid) {
      value |= this.pcid;
      if (!this.isStale) value |= 0x8000_0000_0000_0000n;
    }
    this.isStale = false;
    writeCr(3, value);
  }

  /** Frees all leaves and tables of the lower half, and the root. The table must not be active. */
  destroy(): void {
    if (this.isActive) panic('the active page table was to be destroyed');
    this.flushContext();
    const root = tableEntries(this.root);
    for (let at = nextUsed(root, 0); at < 256; at = nextUsed(root, at + 1)) this.destroyTable(entryFrame(root[at]), 2);
    frames.release(this.root);
    this.root = NO_FRAME;
    this.recent = NO_FRAME;
    this.tables = 0;
    this.leaves = 0;
  }

  private destroyTable(table: Frame, level: i32): void {
    const entries = tableEntries(table);
    for (let at = nextUsed(entries, 0); at < 512; at = nextUsed(entries, at + 1)) {
      if (level === 0) frames.release(entryFrame(entries[at]));
      else this.destroyTable(entryFrame(entries[at]), level - 1);
    }
    frames.release(table);
  }

  /** Drops the TLB's translations of this PCID before its frames are used again. */
  private flushContext(): void {
    if (features.pcid && features.invpcid) flushPcid(this.pcid);
    this.isStale = true;
  }
}

/** A leaf that was just made. It is unmapped, and flushed, where its block is left, unless the address space has taken it over by {@link keep}. */
export class Mapping {
  private readonly table: PageTable;
  private readonly page: u64;
  private isKept: boolean = false;

  constructor(table: PageTable, page: u64) {
    this.table = table;
    this.page = page;
  }

  /** From now on the page lives as long as its page table. */
  keep(): void {
    this.isKept = true;
  }

  /** @noinline */
  [Symbol.dispose](): void {
    if (!this.isKept) this.table.unmap(this.page);
  }
}

const descriptor = new BigUint64Array(2);

/** INVPCID type 1: all translations of one PCID but global ones. */
function flushPcid(pcid: u64): void {
  descriptor[0] = pcid;
  descriptor[1] = 0n;
  asm('mov eax, 1\ninvpcid rax, xmmword ptr [rdi]', { rdi: addressOf(descriptor) });
}
