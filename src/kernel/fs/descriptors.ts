/** The descriptors of one process: small numbers for open files. */
import { lowestBit } from '../ostd/bits.ts';
import { openFiles } from './open-file.ts';

/** As many as a word has bits. */
export const DESCRIPTORS = 64;
const CLOSED = -1;

export class Descriptors {
  /** Index of the open file, or CLOSED. */
  private readonly open = new Int32Array(DESCRIPTORS);
  private readonly closesOnExec = new Uint8Array(DESCRIPTORS);
  /** Bit n for descriptor n: those that stand for an open file. */
  used: u64 = 0n;

  clear(): void {
    this.open.fill(CLOSED);
    this.used = 0n;
  }

  /** Index of the open file that `fd` stands for; -1: none. */
  get(fd: i32): i32 {
    if (fd < 0 || fd >= DESCRIPTORS) return CLOSED;
    return this.open[fd];
  }

  /** The lowest free number from `from` on; -1: none. */
  lowest(from: i32): i32 {
    if (from >= DESCRIPTORS) return -1;
    const free = wrapping.not(this.used) & wrapping.u64(0xffff_ffff_ffff_ffffn << u64(from));
    return free === 0n ? -1 : lowestBit(free);
  }

  /** Takes over one reference. */
  set(fd: i32, open: i32, closesOnExec: boolean): void {
    this.open[fd] = open;
    this.closesOnExec[fd] = closesOnExec ? 1 : 0;
    this.used |= 1n << u64(fd);
  }

  /** Gives back the reference that `fd` held; the number is free. */
  take(fd: i32): i32 {
    const open = this.open[fd];
    this.open[fd] = CLOSED;
    this.used &= wrapping.not(1n << u64(fd));
    return open;
  }

  closesAtExec(fd: i32): boolean {
    return this.closesOnExec[fd] !== 0;
  }

  setCloseAtExec(fd: i32, closes: boolean): void {
    this.closesOnExec[fd] = closes ? 1 : 0;
  }

  /** As fork does: every open file has one reference more. */
  copyFrom(other: Descriptors): void {
    for (let left = other.used; left !== 0n; left &= left - 1n) {
      const fd = lowestBit(left);
      const open = other.open[fd];
      this.set(fd, open, other.closesAtExec(fd));
      openFiles[open].references++;
    }
  }
}
