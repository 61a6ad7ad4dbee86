/**
 * What a process sees as its memory: regions say what may be there, the page table what is. A page comes when it is first touched, zeroed; after fork
 * private pages are shared read-only and copied by the first write.
 */
import { allocateCopy, allocateFrame, FRAME_SHARED, FRAME_USER, type Frame, frameBytes, frames } from '../ostd/frames.ts';
import { kernelSpace } from '../ostd/kernel-space.ts';
import { entryFrame, MAPPED, MAY_EXECUTE, MAY_WRITE, NO_EXECUTE, PageTable, PRESENT, WRITABLE } from '../ostd/page-table.ts';
import { isUserRange } from '../ostd/user-slice.ts';
import { PAGE } from '../ostd/virtual-layout.ts';
import type { Domain } from '../security/domain.ts';
import { domains } from '../security/domain.ts';
import { RegionList } from './region-list.ts';

/** How an attempt at memory ended. */
export type Outcome = i32;
export const DONE: i32 = 0;
/** The process has no right to this. */
export const REFUSED: i32 = 1;
export const NO_MEMORY: i32 = 2;

const FAULT_WRITE: u64 = 2n;
const FAULT_FETCH: u64 = 16n;
/** A leaf may need three tables on its way. */
const PAGES_FOR_LEAF: u32 = 4;

export class AddressSpace {
  readonly table = new PageTable();
  readonly regions = new RegionList();
  isUsed: boolean = false;
  /** Pages that the domain has been charged with. */
  private charged: u32 = 0;
  private domain: Domain = domains[0];
  heapStart: u64 = 0n;
  heapEnd: u64 = 0n;

  create(domain: Domain): boolean {
    if (!domain.mayUse(1)) return false;
    if (!this.table.create(kernelSpace.root)) return false;
    this.isUsed = true;
    this.domain = domain;
    this.charged = 0;
    this.regions.clear();
    this.heapStart = 0n;
    this.heapEnd = 0n;
    this.settle();
    return true;
  }

  /** Frees everything. The space must not be active. */
  destroy(): void {
    this.table.destroy();
    this.settle();
    this.regions.clear();
    this.isUsed = false;
  }

  /** Brings the domain's account up to date with what this space holds. */
  private settle(): void {
    const held: u32 = this.table.leaves + this.table.tables;
    this.domain.pages = this.domain.pages + held - this.charged;
    this.charged = held;
  }

  /** Puts a fresh zeroed page at an unmapped address. */
  private addPage(page: u64, rights: i32, isShared: boolean): Outcome {
    if (!this.domain.mayUse(PAGES_FOR_LEAF)) return NO_MEMORY;
    using frame = allocateFrame(isShared ? FRAME_SHARED : FRAME_USER);
    if (frame === null) return NO_MEMORY;
    using mapping = this.table.map(page, frame.frame, rights);
    this.settle();
    if (mapping === null) return NO_MEMORY;
    mapping.keep();
    frame.leak();
    return DONE;
  }

  /** A page fault at `address` with the CPU's error code: gives the page that the region promises, or refuses. */
  resolve(address: u64, error: u64): Outcome {
    const page = address & wrapping.not(PAGE - 1n);
    const region = this.regions.find(page);
    if (region === null || region.rights === 0) return REFUSED;
    const isWrite = (error & FAULT_WRITE) !== 0n;
    const isFetch = (error & FAULT_FETCH) !== 0n;
    if (isWrite && (region.rights & MAY_WRITE) === 0) return REFUSED;
    if (isFetch && (region.rights & MAY_EXECUTE) === 0) return REFUSED;

    const entry = this.table.find(page);
    if ((entry & MAPPED) === 0n) return this.addPage(page, region.rights, region.isShared);
    if (isWrite && (entry & WRITABLE) === 0n) return this.copyOnWrite(page, entryFrame(entry), region.rights);
    if (isFetch && (entry & NO_EXECUTE) !== 0n) return REFUSED;
    return (entry & PRESENT) !== 0n ? DONE : REFUSED;
  }

  private copyOnWrite(page: u64, frame: Frame, rights: i32): Outcome {
    if (frames.owners[frame] === 1) {
      this.table.replace(page, frame, rights);
      return DONE;
    }
    using copy = allocateCopy(FRAME_USER, frame);
    if (copy === null) return NO_MEMORY;
    this.table.replace(page, copy.leak(), rights);
    frames.release(frame);
    return DONE;
  }

  /** Rights of a leaf: a private frame with several owners is never writable. */
  private leafRights(frame: Frame, rights: i32): i32 {
    if (frames.kinds[frame] === FRAME_USER && frames.owners[frame] > 1) return rights & ~MAY_WRITE;
    return rights;
  }

  /** Reserves [start, start + bytes), which is free. */
  add(start: u64, bytes: u64, rights: i32, isShared: boolean): Outcome {
    return this.regions.insert(start, start + bytes, rights, isShared) ? DONE : NO_MEMORY;
  }

  /** Gives every page of a region that was just added; what is shared must be there before fork. */
  populate(start: u64, bytes: u64): Outcome {
    for (let page = start; page < start + bytes; page += PAGE) {
      const region = this.regions.find(page);
      if (region === null) return REFUSED;
      if ((this.table.find(page) & MAPPED) !== 0n) continue;
      const outcome = this.addPage(page, region.rights, region.isShared);
      if (outcome !== DONE) return outcome;
    }
    return DONE;
  }

  /** Unmaps [start, end) and frees its pages. */
  remove(start: u64, end: u64): Outcome {
    if (!this.regions.remove(start, end)) return NO_MEMORY;
    for (let page = this.table.nextMapped(start, end); page < end; page = this.table.nextMapped(page + PAGE, end)) {
      frames.release(this.table.unmap(page));
    }
    this.settle();
    return DONE;
  }

  /** Changes the rights of [start, end), all of which regions cover. */
  protect(start: u64, end: u64, rights: i32): Outcome {
    if (!this.regions.protect(start, end, rights)) return NO_MEMORY;
    for (let page = this.table.nextMapped(start, end); page < end; page = this.table.nextMapped(page + PAGE, end)) {
      const frame = entryFrame(this.table.find(page));
      this.table.replace(page, frame, this.leafRights(frame, rights));
    }
    return DONE;
  }

  /** Makes this space, which is empty, the copy of `parent`: the frames are shared, and read-only in both where they are private and writable. */
  cloneFrom(parent: AddressSpace): Outcome {
    this.regions.copyFrom(parent.regions);
    this.heapStart = parent.heapStart;
    this.heapEnd = parent.heapEnd;
    for (let n = 0; n < parent.regions.count; n++) {
      const region = parent.regions.at(n);
      const end = region.end;
      let page = parent.table.nextMapped(region.start, end);
      while (page < end) {
        if (!this.domain.mayUse(PAGES_FOR_LEAF)) return NO_MEMORY;
        const frame = entryFrame(parent.table.find(page));
        if (!frames.share(frame)) return NO_MEMORY;
        const rights = this.leafRights(frame, region.rights);
        using mapping = this.table.map(page, frame, rights);
        if (mapping === null) {
          frames.release(frame);
          return NO_MEMORY;
        }
        mapping.keep();
        if (rights !== region.rights) parent.table.replace(page, frame, rights);
        this.settle();
        page = parent.table.nextMapped(page + PAGE, end);
      }
    }
    return DONE;
  }

  /** The kernel's own write into a space that is being built: pages come as needed. */
  place(address: u64, bytes: Uint8Array): Outcome {
    let done = 0;
    while (done < bytes.length) {
      const at = address + u64(done);
      const page = at & wrapping.not(PAGE - 1n);
      const region = this.regions.find(page);
      if (region === null) return REFUSED;
      if ((this.table.find(page) & MAPPED) === 0n) {
        const outcome = this.addPage(page, region.rights, region.isShared);
        if (outcome !== DONE) return outcome;
      }
      const offset = i32(at - page);
      const count = Math.min(4096 - offset, bytes.length - done);
      frameBytes(entryFrame(this.table.find(page))).set(bytes.subarray(done, done + count), offset);
      done += count;
    }
    return DONE;
  }

  /** The bytes of the page at `page`, present after {@link populate}, for filling it while the space is built. */
  pageBytes(page: u64): Uint8Array {
    return frameBytes(entryFrame(this.table.find(page)));
  }

  /** Whether [start, start + bytes) may hold regions. */
  static isPlaceable(start: u64, bytes: u64): boolean {
    return (start & (PAGE - 1n)) === 0n && isUserRange(start, bytes);
  }
}

/** More spaces than processes: execve builds the new one before it leaves the old. */
const SPACES = 72;
export const addressSpaces = array(SPACES, () => new AddressSpace());

/** A space that is not in use, with a top-level table of its own; null: none, or no memory. */
export function takeAddressSpace(domain: Domain): AddressSpace | null {
  for (let n = 0; n < SPACES; n++) {
    const space = addressSpaces[n];
    if (space.isUsed) continue;
    space.table.pcid = u64(n + 1);
    return space.create(domain) ? space : null;
  }
  return null;
}
