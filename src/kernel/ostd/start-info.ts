/** What the PVH loader says (Xen's hvm_start_info, version 1): memory map, modules, command line. Read once, before memory is handed out. */
import { load8, load32, load64, sliceAt, symbol } from 'palindrome/intrinsics';
import { smaller } from '../abi/numbers.ts';
import { frames } from './frames.ts';
import { panic } from './panic.ts';
import { DIRECT_MAP, KERNEL_IMAGE, MAX_FRAMES, PAGE } from './virtual-layout.ts';

const MAGIC: u32 = 0x336e_c578;
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

  read(physical: u64): void {
    const info = DIRECT_MAP + physical;
    if (load32(info) !== MAGIC) panic('not started by a PVH loader');
    if (load32(info + 12n) > 0) {
      const module = DIRECT_MAP + load64(info + 16n);
      this.initrdStart = load64(module);
      this.initrdBytes = load64(module + 8n);
    }
    this.copyCommandLine(load64(info + 24n));
    this.addMemory(DIRECT_MAP + load64(info + 40n), load32(info + 48n));
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

  private addMemory(map: u64, entries: u32): void {
    frames.reset();
    for (let n: u32 = 0; n < entries; n++) {
      const entry = map + u64(n) * 24n;
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
