/**
 * Guest physical memory: RAM from address 0 inside the machine's one memory, and a device bus above it.
 *
 * Each 4 KiB frame has flags that say who wants to be told of stores to it. A frame with any *watch* flag, or without both *dirty* flags,
 * is never entered into the write arrays of the software TLB, so that each store to it comes here:
 *
 *     bit 0  leafTable   translations were walked through it as a page table
 *     bit 1  upperTable  … as a PML4, PDPT or page directory
 *     bit 2  code        instructions were decoded from it
 *     bit 3  unhashed    in the list of frames whose hash is out of date
 *     bit 4  unsaved     in the list of frames that differ from the last snapshot
 *     bit 5  versioned   somebody asked for its version: stores are counted
 *
 * Addresses are numbers (below 2^40). Reading where nothing is gives all ones, writing there does nothing.
 */
import { bug } from '../isa/bug.ts';
import { PAGE_BYTES } from '../platform/memory-map.ts';
import { type NextUsed, nextUsedIn } from './scan.ts';

export const FRAME = { leafTable: 1, upperTable: 2, code: 4, unhashed: 8, unsaved: 16, versioned: 32 } as const;
const TABLE = FRAME.leafTable | FRAME.upperTable;
const WATCHED = TABLE | FRAME.code | FRAME.versioned;
const DIRTY = FRAME.unhashed | FRAME.unsaved;

/** What lies above RAM. Sizes are 1, 2 or 4. */
export interface MmioBus {
  read(address: number, size: number): number;
  write(address: number, size: number, value: number): void;
}

/** Who is told of stores to watched frames. */
export interface StoreWatcher {
  /** An 8-byte entry of a page-table frame changed, by a store (not by the walker's A and D bits). Halves are signed 32-bit. */
  tableWritten(frame: number, index: number, beforeLow: number, beforeHigh: number, afterLow: number, afterHigh: number): void;
  /** Bytes of a frame with decoded code are about to change or have changed. */
  codeWritten(frame: number, offset: number, length: number): void;
}

/** A set of frames kept as a list, in order of entry. */
export class FrameList {
  readonly items: Int32Array;
  length = 0;

  constructor(frames: number) {
    this.items = new Int32Array(frames);
  }

  add(frame: number): void {
    this.items[this.length++] = frame;
  }
}

export class PhysicalMemory {
  readonly bytes: number;
  readonly frames: number;
  /** RAM alone. */
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly flags: Uint8Array;
  readonly unhashed: FrameList;
  readonly unsaved: FrameList;
  /** Byte address of RAM in the machine's memory. */
  readonly ramBase: number;
  bus: MmioBus | null = null;
  watcher: StoreWatcher | null = null;
  /** Moves on with the version of any frame. */
  changes = 0;
  readonly #nextUsed: NextUsed;
  readonly #versions: Float64Array;
  /** The version with which a frame last held what the last snapshot holds, −1: not known. */
  readonly #saved: Float64Array;

  constructor(memory: WebAssembly.Memory, ramBase: number, ramBytes: number) {
    if (ramBytes % PAGE_BYTES !== 0) bug(`RAM of ${ramBytes} bytes is no whole number of pages`);
    this.ramBase = ramBase;
    this.bytes = ramBytes;
    this.frames = ramBytes / PAGE_BYTES;
    this.u8 = new Uint8Array(memory.buffer, ramBase, ramBytes);
    this.i32 = new Int32Array(memory.buffer, ramBase, ramBytes / 4);
    this.view = new DataView(memory.buffer, ramBase, ramBytes);
    this.#nextUsed = nextUsedIn(memory);
    this.flags = new Uint8Array(this.frames);
    this.#versions = new Float64Array(this.frames);
    this.#saved = new Float64Array(this.frames);
    this.unhashed = new FrameList(this.frames);
    this.unsaved = new FrameList(this.frames);
  }

  /** The address of the first 8 bytes from `from` on that are not all zero; `to` where there are none. All are multiples of 8. */
  nextUsed(from: number, to: number): number {
    return (this.#nextUsed(this.ramBase + from, this.ramBase + to) >>> 0) - this.ramBase;
  }

  /** True where the write arrays of the software TLB may hold the frame. */
  mayCacheWrites(frame: number): boolean {
    return frame < this.frames && ((this.flags[frame] ?? 0) & (WATCHED | DIRTY)) === DIRTY;
  }

  /** How often a frame with the flag `versioned` was stored to (or restored); the walker's A and D bits do not count. */
  version(frame: number): number {
    return this.#versions[frame] ?? 0;
  }

  /** Counts a change of a frame whose versions are asked for. */
  bump(frame: number): void {
    this.#versions[frame] = (this.#versions[frame] ?? 0) + 1;
    this.changes++;
  }

  /** From now on the frame's stores are counted; the caller sets the flag. */
  beginVersions(frame: number): void {
    this.#saved[frame] = ((this.flags[frame] ?? 0) & FRAME.unsaved) === 0 ? this.version(frame) : -1;
  }

  /** The frame is what the snapshot just taken holds. */
  saved(frame: number): void {
    this.#saved[frame] = this.version(frame);
  }

  /** The frame was put back to the last snapshot: a change if it was stored to since, and not only used by the walker. */
  putBack(frame: number): void {
    if (this.#saved[frame] !== this.version(frame)) this.bump(frame);
    this.saved(frame);
  }

  /** Counts a frame's stores no longer; its version differs from all that were given before. */
  forgetVersion(frame: number): void {
    const flags = this.flags[frame] ?? 0;
    if ((flags & FRAME.versioned) === 0) return;
    this.flags[frame] = flags & ~FRAME.versioned;
    this.bump(frame);
  }

  /** Enters a frame into the dirty lists. */
  touch(frame: number): void {
    const flags = this.flags[frame] ?? 0;
    if ((flags & DIRTY) === DIRTY) return;
    if ((flags & FRAME.unhashed) === 0) this.unhashed.add(frame);
    if ((flags & FRAME.unsaved) === 0) this.unsaved.add(frame);
    this.flags[frame] = flags | DIRTY;
  }

  /** Empties a dirty list. The caller has seen to it that the software TLB lets no store to its frames through. */
  clearList(list: FrameList, flag: number): void {
    const { items, length } = list;
    for (let i = 0; i < length; i++) {
      const frame = items[i] ?? 0;
      this.flags[frame] = (this.flags[frame] ?? 0) & ~flag;
    }
    list.length = 0;
  }

  /** Reads 1, 2 or 4 bytes, unsigned. */
  read(address: number, size: number): number {
    if (address + size > this.bytes) return this.#readOutside(address, size);
    if (size === 4) return this.view.getUint32(address, true);
    if (size === 2) return this.view.getUint16(address, true);
    return this.u8[address] ?? 0;
  }

  /** Writes 1, 2 or 4 bytes; tells watchers. */
  write(address: number, size: number, value: number): void {
    if (address + size > this.bytes) {
      this.#writeOutside(address, size, value);
      return;
    }
    const frame = address >>> 12;
    this.touch(frame);
    const flags = this.flags[frame] ?? 0;
    if ((flags & FRAME.versioned) !== 0) this.bump(frame);
    if ((flags & TABLE) !== 0) {
      this.#writeTable(frame, address, size, value, 0);
      return;
    }
    if (size === 4) this.view.setUint32(address, value, true);
    else if (size === 2) this.view.setUint16(address, value, true);
    else this.u8[address] = value;
    if ((flags & FRAME.code) !== 0) this.watcher?.codeWritten(frame, address & 0xfff, size);
  }

  /** Writes 8 bytes within one frame; tells watchers. */
  write64(address: number, low: number, high: number): void {
    if (address + 8 > this.bytes) {
      this.#writeOutside(address, 4, low);
      this.#writeOutside(address + 4, 4, high);
      return;
    }
    const frame = address >>> 12;
    this.touch(frame);
    const flags = this.flags[frame] ?? 0;
    if ((flags & FRAME.versioned) !== 0) this.bump(frame);
    if ((flags & TABLE) !== 0) {
      this.#writeTable(frame, address, 8, low, high);
      return;
    }
    this.view.setInt32(address, low, true);
    this.view.setInt32(address + 4, high, true);
    if ((flags & FRAME.code) !== 0) this.watcher?.codeWritten(frame, address & 0xfff, 8);
  }

  /** Copies bytes in, by the host (loader, harness). Returns false, with nothing written, where they do not fit into RAM. */
  writeBytes(address: number, bytes: Uint8Array): boolean {
    if (!(address >= 0) || address + bytes.length > this.bytes) return false;
    let done = 0;
    while (done < bytes.length) {
      const at = address + done;
      const length = Math.min(bytes.length - done, PAGE_BYTES - (at & 0xfff));
      const frame = at >>> 12;
      if (((this.flags[frame] ?? 0) & WATCHED) === 0) {
        this.touch(frame);
        this.u8.set(bytes.subarray(done, done + length), at);
      } else {
        for (let i = 0; i < length; i++) this.write(at + i, 1, bytes[done + i] ?? 0);
      }
      done += length;
    }
    return true;
  }

  /** The walker sets A or D: only `bits` of the entry's low half are added, and table watchers are not told. */
  setEntryBits(address: number, bits: number): void {
    const index = address >>> 2;
    const before = this.i32[index] ?? 0;
    if ((before & bits) === bits) return;
    const frame = address >>> 12;
    this.touch(frame);
    this.i32[index] = before | bits;
    if (((this.flags[frame] ?? 0) & FRAME.code) !== 0) this.watcher?.codeWritten(frame, address & 0xfff, 4);
  }

  /** A store into a page-table frame, told entry by entry. */
  #writeTable(frame: number, address: number, size: number, low: number, high: number): void {
    const first = (address & ~7) >>> 0;
    const last = ((address + size - 1) & ~7) >>> 0;
    const beforeLow = this.i32[first >>> 2] ?? 0;
    const beforeHigh = this.i32[(first >>> 2) + 1] ?? 0;
    const nextLow = last === first ? 0 : (this.i32[last >>> 2] ?? 0);
    const nextHigh = last === first ? 0 : (this.i32[(last >>> 2) + 1] ?? 0);
    if (size === 8) {
      this.view.setInt32(address, low, true);
      this.view.setInt32(address + 4, high, true);
    } else if (size === 4) this.view.setUint32(address, low, true);
    else if (size === 2) this.view.setUint16(address, low, true);
    else this.u8[address] = low;
    const watcher = this.watcher;
    if (watcher === null) return;
    if (((this.flags[frame] ?? 0) & FRAME.code) !== 0) watcher.codeWritten(frame, address & 0xfff, size);
    watcher.tableWritten(frame, (first & 0xfff) >> 3, beforeLow, beforeHigh, this.i32[first >>> 2] ?? 0, this.i32[(first >>> 2) + 1] ?? 0);
    if (last === first) return;
    watcher.tableWritten(frame, (last & 0xfff) >> 3, nextLow, nextHigh, this.i32[last >>> 2] ?? 0, this.i32[(last >>> 2) + 1] ?? 0);
  }

  #readOutside(address: number, size: number): number {
    if (this.bus !== null) return this.bus.read(address, size);
    return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
  }

  #writeOutside(address: number, size: number, value: number): void {
    this.bus?.write(address, size, value);
  }
}
