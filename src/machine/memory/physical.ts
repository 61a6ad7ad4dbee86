/**
 * Guest physical memory: RAM from address 0 inside the machine's one memory, and a device bus above it.
 *
 * Each frame has flags and lists (frames.ts); stores that may have to be told are generated code (ram-code.ts), which both generated code and
 * TypeScript call. Addresses are numbers (below 2^40). Reading where nothing is gives all ones, writing there does nothing.
 */
import { bug } from '../isa/bug.ts';
import { PAGE_BYTES } from '../platform/memory-map.ts';
import { fixedModule } from '../translator/fixed-modules.ts';
import { FRAME, FRAME_LISTS, FrameTables, WATCHED } from './frames.ts';
import type { RamCode } from './ram-code.ts';

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
  readonly #length: Int32Array;

  constructor(memory: WebAssembly.Memory, items: number, frames: number, length: number) {
    this.items = new Int32Array(memory.buffer, items, frames);
    this.#length = new Int32Array(memory.buffer, length, 1);
  }

  get length(): number {
    return this.#length[0] ?? 0;
  }

  set length(value: number) {
    this.#length[0] = value;
  }
}

const MODULE = fixedModule('ram');
const NOBODY: StoreWatcher = { tableWritten: () => {}, codeWritten: () => {} };

export class PhysicalMemory {
  readonly memory: WebAssembly.Memory;
  readonly bytes: number;
  readonly frames: number;
  /** Byte address of RAM in the machine's memory. */
  readonly ramBase: number;
  readonly tables: FrameTables;
  /** RAM alone. */
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly flags: Uint8Array;
  readonly unhashed: FrameList;
  readonly unsaved: FrameList;
  bus: MmioBus | null = null;
  /** Moves on with the version of any frame. */
  changes = 0;
  readonly #versions: Float64Array;
  /** The version with which a frame last held what the last snapshot holds, −1: not known. */
  readonly #saved: Float64Array;
  #code: RamCode;

  /** Behind RAM in the memory come the tables by frame. `watcher`: told of stores, until there is an MMU. */
  constructor(memory: WebAssembly.Memory, ramBase: number, ramBytes: number, watcher: StoreWatcher = NOBODY) {
    if (ramBytes % PAGE_BYTES !== 0) bug(`RAM of ${ramBytes} bytes is no whole number of pages`);
    this.memory = memory;
    this.ramBase = ramBase;
    this.bytes = ramBytes;
    this.frames = ramBytes / PAGE_BYTES;
    this.tables = new FrameTables(ramBase + ramBytes, this.frames);
    const { flags, unhashed, unsaved, lists } = this.tables;
    this.u8 = new Uint8Array(memory.buffer, ramBase, ramBytes);
    this.i32 = new Int32Array(memory.buffer, ramBase, ramBytes / 4);
    this.view = new DataView(memory.buffer, ramBase, ramBytes);
    this.flags = new Uint8Array(memory.buffer, flags, this.frames);
    this.#versions = new Float64Array(this.frames);
    this.#saved = new Float64Array(this.frames);
    this.unhashed = new FrameList(memory, unhashed, this.frames, lists + FRAME_LISTS.unhashed);
    this.unsaved = new FrameList(memory, unsaved, this.frames, lists + FRAME_LISTS.unsaved);
    this.#code = this.#instance(watcher);
  }

  /** Stores and walks from now on are those of the MMU's module. */
  useCode(code: RamCode): void {
    this.#code = code;
  }

  get code(): RamCode {
    return this.#code;
  }

  #instance({ tableWritten, codeWritten }: StoreWatcher): RamCode {
    const { memory, ramBase: ram, frames, tables } = this;
    const bump = (frame: number) => this.bump(frame);
    // Walks that set A and D are the MMU's.
    const marked = () => {};
    const { flags, lists, unhashed, unsaved } = tables;
    const env = { memory, ram, frames, flags, lists, unhashed, unsaved, tableWritten, codeWritten, bump, marked };
    return new WebAssembly.Instance(MODULE, { env }).exports as unknown as RamCode;
  }

  /** The address of the first 8 bytes from `from` on that are not all zero; `to` where there are none. All are multiples of 8. */
  nextUsed(from: number, to: number): number {
    return (this.code.nextUsed(this.ramBase + from, this.ramBase + to) >>> 0) - this.ramBase;
  }

  /** True where the write arrays of the software TLB may hold the frame. */
  mayCacheWrites(frame: number): boolean {
    return this.code.mayCacheWrites(frame) !== 0;
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
    this.code.touch(frame);
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
    if (address + size > this.bytes) this.bus?.write(address, size, value);
    else this.code.write(address >>> 12, address & 0xfff, size, value, 0);
  }

  /** Writes 8 bytes within one frame; tells watchers. */
  write64(address: number, low: number, high: number): void {
    if (address + 8 > this.bytes) {
      this.bus?.write(address, 4, low);
      this.bus?.write(address + 4, 4, high);
      return;
    }
    this.code.write(address >>> 12, address & 0xfff, 8, low, high);
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

  #readOutside(address: number, size: number): number {
    if (this.bus !== null) return this.bus.read(address, size);
    return size === 4 ? 0xffffffff : size === 2 ? 0xffff : 0xff;
  }
}
