/** A range of user pages with one set of rights. Pages come when they are first touched. */
export class Region {
  start: u64 = 0n;
  /** The address after the last byte. */
  end: u64 = 0n;
  rights: i32 = 0;
  /** Seen by parent and child after fork, instead of copied on write. */
  isShared: boolean = false;

  covers(address: u64): boolean {
    return address >= this.start && address < this.end;
  }

  take(other: Region): void {
    this.start = other.start;
    this.end = other.end;
    this.rights = other.rights;
    this.isShared = other.isShared;
  }

  continues(other: Region): boolean {
    return this.start === other.end && this.rights === other.rights && this.isShared === other.isShared;
  }
}
