/**
 * A file or directory of the RAM file system. Contents lie in frames named by up to four index frames of 1024 numbers: at most 16 MiB a file. A file lives
 * while it has a name or is open.
 */
import { smaller } from '../abi/numbers.ts';
import { allocateFrame, FRAME_FILE, type Frame, frameBytes, frames, NO_FRAME } from '../ostd/frames.ts';
import type { UserSlice } from '../ostd/user-slice.ts';
import { domains } from '../security/domain.ts';

export const MOST_NAME_BYTES = 255;
const INDEX_FRAMES = 4;
const FRAMES_A_INDEX = 1024;
export const MOST_FILE_BYTES: u64 = 16n * 1024n * 1024n;

/** Owner of the files that archives brought: nobody is charged for them until a process changes them. */
export const OWNED_BY_KERNEL = -1;

export class File {
  isUsed: boolean = false;
  isDirectory: boolean = false;
  /** Whether a directory holds its name. */
  isLinked: boolean = false;
  /** Open files and mappings under construction. */
  opens: u32 = 0;
  /** Index of the directory in the table of files. */
  parent: i32 = 0;
  mode: u32 = 0;
  size: u64 = 0n;
  /** Stands for the inode number. */
  index: i32 = 0;
  /** Index of the domain that is charged for it, or OWNED_BY_KERNEL. */
  owner: i32 = 0;
  /** Frames of the contents, index frames included. */
  private frames: u32 = 0;
  private nameLength: i32 = 0;
  private readonly name = new Uint8Array(MOST_NAME_BYTES);
  private readonly indexFrames = new Uint32Array(INDEX_FRAMES);

  setName(name: Uint8Array): void {
    this.name.set(name);
    this.nameLength = name.length;
  }

  get nameBytes(): Uint8Array {
    return this.name.subarray(0, this.nameLength);
  }

  isNamed(name: Uint8Array): boolean {
    if (this.nameLength !== name.length) return false;
    for (let at = 0; at < name.length; at++) {
      if (this.name[at] !== name[at]) return false;
    }
    return true;
  }

  /** The frame that holds page `page` of the contents; NO_FRAME: a hole. */
  private frameAt(page: i32): Frame {
    const index = this.indexFrames[div(page, FRAMES_A_INDEX)];
    if (index === NO_FRAME) return NO_FRAME;
    const entries = frameBytes(index);
    const at = (page % FRAMES_A_INDEX) * 4;
    return (entries[at] | (entries[at + 1] << 8) | (entries[at + 2] << 16)) >>> 0;
  }

  private setFrameAt(page: i32, frame: Frame): void {
    const entries = frameBytes(this.indexFrames[div(page, FRAMES_A_INDEX)]);
    const at = (page % FRAMES_A_INDEX) * 4;
    entries[at] = frame & 0xff;
    entries[at + 1] = (frame >>> 8) & 0xff;
    entries[at + 2] = (frame >>> 16) & 0xff;
  }

  /** The frame of a page, made if it is not there; NO_FRAME: no memory. */
  private frameFor(page: i32): Frame {
    const known = this.frameAt(page);
    if (known !== NO_FRAME) return known;
    if (this.owner !== OWNED_BY_KERNEL && !domains[this.owner].mayStore(2)) return NO_FRAME;
    const slot = div(page, FRAMES_A_INDEX);
    if (this.indexFrames[slot] === NO_FRAME) {
      using index = allocateFrame(FRAME_FILE);
      if (index === null) return NO_FRAME;
      this.indexFrames[slot] = index.leak();
      this.charge();
    }
    using frame = allocateFrame(FRAME_FILE);
    if (frame === null) return NO_FRAME;
    this.charge();
    this.setFrameAt(page, frame.frame);
    return frame.leak();
  }

  private charge(): void {
    this.frames++;
    if (this.owner !== OWNED_BY_KERNEL) domains[this.owner].filePages++;
  }

  private discharge(): void {
    this.frames--;
    if (this.owner !== OWNED_BY_KERNEL) domains[this.owner].filePages--;
  }

  /** A process of this domain is about to change the file: what the kernel owned becomes its own. False: that is beyond its share. */
  adopt(domain: i32): boolean {
    if (this.owner !== OWNED_BY_KERNEL) return true;
    if (!domains[domain].mayMakeFile() || !domains[domain].mayStore(this.frames)) return false;
    this.owner = domain;
    domains[domain].files++;
    domains[domain].filePages += this.frames;
    return true;
  }

  /** Contents from `offset` on → `into`; returns how much there was. */
  read(offset: u64, into: Uint8Array): i32 {
    if (offset >= this.size) return 0;
    const left = this.size - offset;
    const count = u64(into.length) < left ? into.length : i32(left);
    let done = 0;
    while (done < count) {
      const at = i32(offset) + done;
      const within = at % 4096;
      const chunk = Math.min(4096 - within, count - done);
      const frame = this.frameAt(div(at, 4096));
      const target = into.subarray(done, done + chunk);
      if (frame === NO_FRAME) target.fill(0);
      else target.set(frameBytes(frame).subarray(within, within + chunk));
      done += chunk;
    }
    return count;
  }

  /** `from` → contents at `offset`; returns how much found room. */
  write(offset: u64, from: Uint8Array): i32 {
    let done = 0;
    while (done < from.length) {
      const position = offset + u64(done);
      if (position >= MOST_FILE_BYTES) return done;
      const at = i32(position);
      const within = at % 4096;
      const chunk = Math.min(4096 - within, from.length - done);
      const frame = this.frameFor(div(at, 4096));
      if (frame === NO_FRAME) return done;
      frameBytes(frame).set(from.subarray(done, done + chunk), within);
      done += chunk;
      if (position + u64(chunk) > this.size) this.size = position + u64(chunk);
    }
    return done;
  }

  /** As read, into user memory; -1: a page there cannot be written and nothing was. */
  readToUser(offset: u64, into: UserSlice): i64 {
    if (offset >= this.size) return 0n;
    const left = this.size - offset;
    const count = smaller(into.length, left);
    let done: u64 = 0n;
    while (done < count) {
      const at = offset + done;
      const within = i32(at & 4095n);
      const room = u64(4096 - within);
      const chunk = smaller(room, count - done);
      const frame = this.frameAt(i32(at >> 12n));
      const isWritten =
        frame === NO_FRAME
          ? into.write(done, zeros.subarray(0, i32(chunk)))
          : into.write(done, frameBytes(frame).subarray(within, within + i32(chunk)));
      if (!isWritten) return done === 0n ? -1n : i64(done);
      done += chunk;
    }
    return i64(count);
  }

  /** As write, from user memory; -1: a page there cannot be read and nothing was written; may stop early. */
  writeFromUser(offset: u64, from: UserSlice): i64 {
    let done: u64 = 0n;
    while (done < from.length) {
      const at = offset + done;
      if (at >= MOST_FILE_BYTES) break;
      const within = i32(at & 4095n);
      const room = u64(4096 - within);
      const chunk = smaller(room, from.length - done);
      const frame = this.frameFor(i32(at >> 12n));
      if (frame === NO_FRAME) break;
      if (!from.read(done, frameBytes(frame).subarray(within, within + i32(chunk)))) return done === 0n ? -1n : i64(done);
      done += chunk;
      if (at + chunk > this.size) this.size = at + chunk;
    }
    return i64(done);
  }

  /** Cuts or extends to `size`; what is cut is freed, what is added reads as zero. */
  truncate(size: u64): void {
    const firstGone = i32((size + 4095n) >> 12n);
    const pages = i32((this.size + 4095n) >> 12n);
    for (let page = firstGone; page < pages; page++) this.dropPage(page);
    if (size < this.size && (size & 4095n) !== 0n) {
      const frame = this.frameAt(i32(size >> 12n));
      if (frame !== NO_FRAME) frameBytes(frame).fill(0, i32(size & 4095n));
    }
    this.size = size;
  }

  private dropPage(page: i32): void {
    const frame = this.frameAt(page);
    if (frame === NO_FRAME) return;
    this.setFrameAt(page, NO_FRAME);
    frames.release(frame);
    this.discharge();
  }

  /** Frees the contents and the entry once nothing refers to it. */
  drop(): void {
    if (this.isLinked || this.opens > 0) return;
    this.truncate(0n);
    for (let slot = 0; slot < INDEX_FRAMES; slot++) {
      if (this.indexFrames[slot] === NO_FRAME) continue;
      frames.release(this.indexFrames[slot]);
      this.indexFrames[slot] = NO_FRAME;
      this.discharge();
    }
    if (this.owner !== OWNED_BY_KERNEL) domains[this.owner].files--;
    this.isUsed = false;
  }
}

const zeros = new Uint8Array(4096);
