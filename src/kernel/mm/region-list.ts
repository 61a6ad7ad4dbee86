/** The regions of an address space, in the order of their addresses, without overlap; neighbours that are alike are one. */
import { Region } from './region.ts';

const REGIONS = 64;
/** mmap looks for room below this, leaving the stack's part of the address space alone. */
const MAPPING_TOP: u64 = 0x7fff_f000_0000n;
const MAPPING_BOTTOM: u64 = 0x1_0000n;

export class RegionList {
  private readonly list = array(REGIONS, () => new Region());
  count: i32 = 0;

  clear(): void {
    this.count = 0;
  }

  at(index: i32): Region {
    assert(index < this.count);
    return this.list[index];
  }

  copyFrom(other: RegionList): void {
    for (let n = 0; n < other.count; n++) this.list[n].take(other.list[n]);
    this.count = other.count;
  }

  find(address: u64): Region | null {
    for (let n = 0; n < this.count; n++) {
      if (this.list[n].covers(address)) return this.list[n];
    }
    return null;
  }

  /** Whether no region lies in [start, end). */
  isFree(start: u64, end: u64): boolean {
    for (let n = 0; n < this.count; n++) {
      if (this.list[n].start < end && start < this.list[n].end) return false;
    }
    return true;
  }

  /** Whether every page of [start, end) lies in a region. */
  isCovered(start: u64, end: u64): boolean {
    let at = start;
    for (let n = 0; n < this.count && at < end; n++) {
      if (this.list[n].covers(at)) at = this.list[n].end;
    }
    return at >= end;
  }

  /** Whether memory that processes share lies in [start, end). */
  hasShared(start: u64, end: u64): boolean {
    for (let n = 0; n < this.count; n++) {
      const region = this.list[n];
      if (region.isShared && region.start < end && start < region.end) return true;
    }
    return false;
  }

  /** The highest free range of this size; 0 where there is none. */
  findRoom(bytes: u64): u64 {
    let top = MAPPING_TOP;
    for (let n = this.count - 1; n >= 0; n--) {
      const region = this.list[n];
      if (region.start >= MAPPING_TOP) continue;
      if (region.end < top && top - region.end >= bytes) return top - bytes;
      top = region.start;
    }
    if (top >= MAPPING_BOTTOM && top - MAPPING_BOTTOM >= bytes) return top - bytes;
    return 0n;
  }

  /** Adds a region where nothing is. False: the table is full. */
  insert(start: u64, end: u64, rights: i32, isShared: boolean): boolean {
    if (this.count >= REGIONS) return false;
    let at = this.count;
    while (at > 0 && this.list[at - 1].start > start) {
      this.list[at].take(this.list[at - 1]);
      at--;
    }
    const region = this.list[at];
    region.start = start;
    region.end = end;
    region.rights = rights;
    region.isShared = isShared;
    this.count++;
    this.merge();
    return true;
  }

  /** Makes `start` and `end` borders of regions. False: the table is full. */
  private split(start: u64, end: u64): boolean {
    if (this.count + 2 > REGIONS) return false;
    this.splitAt(start);
    this.splitAt(end);
    return true;
  }

  private splitAt(address: u64): void {
    for (let n = 0; n < this.count; n++) {
      const region = this.list[n];
      if (region.start >= address || address >= region.end) continue;
      for (let at = this.count; at > n; at--) this.list[at].take(this.list[at - 1]);
      this.count++;
      this.list[n].end = address;
      this.list[n + 1].start = address;
      return;
    }
  }

  /** Takes [start, end) out. False: the table is full, nothing has changed. */
  remove(start: u64, end: u64): boolean {
    if (!this.split(start, end)) return false;
    let kept = 0;
    for (let n = 0; n < this.count; n++) {
      const region = this.list[n];
      if (region.start >= start && region.end <= end) continue;
      if (kept !== n) this.list[kept].take(region);
      kept++;
    }
    this.count = kept;
    this.merge();
    return true;
  }

  /** Changes the rights of [start, end), which regions cover. False: the table is full, nothing has changed. */
  protect(start: u64, end: u64, rights: i32): boolean {
    if (!this.split(start, end)) return false;
    for (let n = 0; n < this.count; n++) {
      const region = this.list[n];
      if (region.start >= start && region.end <= end) region.rights = rights;
    }
    this.merge();
    return true;
  }

  private merge(): void {
    let kept = 0;
    for (let n = 1; n < this.count; n++) {
      if (this.list[n].continues(this.list[kept])) {
        this.list[kept].end = this.list[n].end;
      } else {
        kept++;
        if (kept !== n) this.list[kept].take(this.list[n]);
      }
    }
    if (this.count > 0) this.count = kept + 1;
  }
}
