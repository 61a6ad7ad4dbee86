/** The descriptors of one process: small numbers for open files. */
import { openFiles } from './open-file.ts';

export const DESCRIPTORS = 64;
const CLOSED = -1;

export class Descriptors {
  /** Index of the open file, or CLOSED. */
  private readonly open = new Int32Array(DESCRIPTORS);
  private readonly closesOnExec = new Uint8Array(DESCRIPTORS);

  clear(): void {
    this.open.fill(CLOSED);
  }

  /** Index of the open file that `fd` stands for; -1: none. */
  get(fd: i32): i32 {
    if (fd < 0 || fd >= DESCRIPTORS) return CLOSED;
    return this.open[fd];
  }

  /** The lowest free number from `from` on; -1: none. */
  lowest(from: i32): i32 {
    for (let fd = from; fd < DESCRIPTORS; fd++) {
      if (this.open[fd] === CLOSED) return fd;
    }
    return -1;
  }

  /** Takes over one reference. */
  set(fd: i32, open: i32, closesOnExec: boolean): void {
    this.open[fd] = open;
    this.closesOnExec[fd] = closesOnExec ? 1 : 0;
  }

  /** Gives back the reference that `fd` held; the number is free. */
  take(fd: i32): i32 {
    const open = this.open[fd];
    this.open[fd] = CLOSED;
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
    for (let fd = 0; fd < DESCRIPTORS; fd++) {
      const open = other.open[fd];
      this.set(fd, open, other.closesAtExec(fd));
      if (open !== CLOSED) openFiles[open].references++;
    }
  }
}
