/**
 * What the loader says: memory map, module, command line. PVH by Xen's hvm_start_info, version 1; multiboot2 by its information structure, a list of tags.
 * Read once, before memory is handed out.
 *
 *     tag: 0 type · 4 size, of the whole tag; the next begins at a multiple of 8
 *     1 command line: 8 text · 3 module: 8 start · 12 end · 6 memory map: 8 size of an entry · 16 entries (0 base · 8 length · 16 type)
 */
import { load8, load32, load64, sliceAt, symbol } from 'palindrome/intrinsics';
import { smaller } from '../abi/numbers.ts';
import { frames } from './frames.ts';
import { panic } from './panic.ts';
import { DIRECT_MAP, KERNEL_IMAGE, MAX_FRAMES, PAGE } from './virtual-layout.ts';

const PVH_MAGIC: u32 = 0x336e_c578;
/** What multiboot2 leaves in EAX. */
const MULTIBOOT: u32 = 0x36d7_6289;
const TAG_END: u32 = 0;
const TAG_COMMAND_LINE: u32 = 1;
const TAG_MODULE: u32 = 3;
const TAG_MEMORY_MAP: u32 = 6;
const RAM: u32 = 1;
const DEVICE_HOLE: u64 = 0xc000_0000n;
const ONE_MIB: u64 = 0x10_0000n;

class StartInfo {
  initrdStart: u64 = 0n;
  initrdBytes: u64 = 0n;
  /** Address after the last byte of RAM below the device hole: what the direct map covers. Frames come from the first GiB alone. */
  memoryEnd: u64 = 0n;
  readonly commandLine = new Uint8Array(256);
  commandLineLength: i32 = 0;

  /** `loader`: 0 for PVH, or what multiboot2 says it is. */
  read(physical: u64, loader: u32): void {
    if (loader === MULTIBOOT) this.readMultiboot(DIRECT_MAP + physical);
    else this.readPvh(DIRECT_MAP + physical);
  }

  private readPvh(info: u64): void {
    if (load32(info) !== PVH_MAGIC) panic('started by neither PVH nor multiboot2');
    if (load32(info + 12n) > 0) {
      const module = DIRECT_MAP + load64(info + 16n);
      this.initrdStart = load64(module);
      this.initrdBytes = load64(module + 8n);
    }
    this.copyCommandLine(load64(info + 24n));
    this.addMemory(DIRECT_MAP + load64(info + 40n), load32(info + 48n), 24n);
  }

  /** The memory map is used last: frames of the module, wherever in the list it is told, are not free. */
  private readMultiboot(info: u64): void {
    const end = info + u64(load32(info));
    let map: u64 = 0n;
    for (let tag = info + 8n; tag < end && load32(tag) !== TAG_END; tag += (u64(load32(tag + 4n)) + 7n) & wrapping.not(7n)) {
      const type = load32(tag);
      if (type === TAG_COMMAND_LINE) this.copyCommandLine(tag + 8n - DIRECT_MAP);
      if (type === TAG_MEMORY_MAP) map = tag;
      if (type === TAG_MODULE) {
        this.initrdStart = u64(load32(tag + 8n));
        this.initrdBytes = u64(load32(tag + 12n)) - this.initrdStart;
      }
    }
    if (map === 0n) panic('the loader gives no memory map');
    const entryBytes = load32(map + 8n);
    this.addMemory(map + 16n, div(load32(map + 4n) - 16, entryBytes), u64(entryBytes));
  }

  private copyCommandLine(physical: u64): void {
    if (physical === 0n) return;
    for (let at = 0; at < 256; at++) {
      const byte = load8(DIRECT_MAP + physical + u64(at));
      if (byte === 0) return;
      this.commandLine[at] = byte;
      this.commandLineLength = at + 1;
    }
  }

  private addMemory(map: u64, entries: u32, entryBytes: u64): void {
    frames.reset();
    for (let n: u32 = 0; n < entries; n++) {
      const entry = map + u64(n) * entryBytes;
      if (load32(entry + 16n) !== RAM) continue;
      const start = load64(entry);
      let end = start + load64(entry + 8n);
      if (start < DEVICE_HOLE && end > this.memoryEnd) this.memoryEnd = smaller(end, DEVICE_HOLE);
      if (end > u64(MAX_FRAMES) * PAGE) end = u64(MAX_FRAMES) * PAGE;
      if (start >= end) continue;
      this.addAroundKernel(start < ONE_MIB ? ONE_MIB : start, end);
    }
    frames.total = frames.free;
  }

  private addAroundKernel(start: u64, end: u64): void {
    const from = symbol('__physical_start');
    const to = symbol('__image_end') - KERNEL_IMAGE;
    this.addAroundInitrd(start, end < from ? end : from);
    this.addAroundInitrd(start > to ? start : to, end);
  }

  private addAroundInitrd(start: u64, end: u64): void {
    const from = this.initrdStart & wrapping.not(PAGE - 1n);
    const to = (this.initrdStart + this.initrdBytes + PAGE - 1n) & wrapping.not(PAGE - 1n);
    if (this.initrdBytes === 0n) {
      if (start < end) frames.addRange(start, end);
      return;
    }
    const before = end < from ? end : from;
    if (start < before) frames.addRange(start, before);
    const after = start > to ? start : to;
    if (after < end) frames.addRange(after, end);
  }

  /** The initial RAM disk; empty where there is none. */
  initrd(): Uint8Array {
    return sliceAt(DIRECT_MAP + this.initrdStart, this.initrdBytes);
  }
}

export const startInfo = new StartInfo();
