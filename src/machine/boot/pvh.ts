/**
 * Direct boot by PVH (Xen's HVM direct boot ABI, docs/misc/pvh.pandoc): what `qemu-system-x86_64 -kernel` does with an ELF64 that has the
 * note XEN_ELFNOTE_PHYS32_ENTRY, so that one image boots in both. Segments go to their physical addresses; the CPU starts at the note's
 * address in 32-bit protected mode without paging, EBX points to the start-of-day structure.
 *
 *     hvm_start_info  0 magic · 4 version 1 · 8 flags · 12 nr_modules · 16 modlist · 24 cmdline · 32 rsdp · 40 memmap · 48 memmap_entries
 *     hvm_modlist     0 address · 8 size · 16 cmdline · 24 reserved
 *     hvm_memmap      0 address · 8 size · 16 type (1 RAM, 2 reserved) · 20 reserved
 *
 * The image is hostile: what does not fit is a UserError of one line.
 */
import { UserError } from '../isa/bug.ts';
import { LAPIC_BASE, LAPIC_BYTES, LEGACY_HOLE, PAGE_BYTES, PVH_START_INFO } from '../platform/memory-map.ts';

const MAGIC = 0x336ec578;
const XEN_ELFNOTE_PHYS32_ENTRY = 18;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PROGRAM_HEADER_BYTES = 56;
const MAX_PROGRAM_HEADERS = 256;
const MODLIST = PVH_START_INFO + 0x100;
const MEMMAP = PVH_START_INFO + 0x200;
const CMDLINE = PVH_START_INFO + 0x1000;
const CMDLINE_BYTES = 4096;
/** The end of what the loader writes below 1 MiB. */
const STRUCTURES_END = CMDLINE + CMDLINE_BYTES;

/** Bytes for one place in RAM; what is not covered stays zero. */
export interface Placement {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface PvhBoot {
  readonly placements: readonly Placement[];
  /** EIP at the start. */
  readonly entry: number;
  /** EBX at the start. */
  readonly startInfo: number;
}

interface Segment {
  readonly address: number;
  readonly offset: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
}

/** Whether this is an image that boots, and no program for a kernel. */
export function isBootable(image: Uint8Array): boolean {
  try {
    return new ElfImage(image).phys32Entry() > 0;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** Lays out a boot. `memoryBytes`: size of RAM. */
export function layOutPvh(image: Uint8Array, initrd: Uint8Array | null, append: string, memoryBytes: number): PvhBoot {
  const elf = new ElfImage(image);
  const entry = elf.phys32Entry();
  const segments = elf.segments();
  const placements: Placement[] = [];
  let top = STRUCTURES_END;
  for (const segment of segments) {
    const end = segment.address + segment.memoryBytes;
    if (end > memoryBytes) fail(`a segment ends at ${hex(end)}, memory at ${hex(memoryBytes)}: give the machine more memory`);
    if (segment.address < STRUCTURES_END && end > PVH_START_INFO)
      fail(`a segment at ${hex(segment.address)} lies where the start information goes`);
    top = Math.max(top, end);
    placements.push({ address: segment.address, bytes: image.subarray(segment.offset, segment.offset + segment.fileBytes) });
  }
  if (!segments.some((s) => entry >= s.address && entry < s.address + s.memoryBytes))
    fail(`the PVH entry ${hex(entry)} lies in no segment`);

  const initrdAt = initrd === null ? 0 : Math.floor((memoryBytes - initrd.length) / PAGE_BYTES) * PAGE_BYTES;
  if (initrd !== null) {
    if (initrdAt < top) fail(`the initial RAM disk of ${initrd.length} bytes does not fit above ${hex(top)}: give the machine more memory`);
    placements.push({ address: initrdAt, bytes: initrd });
  }
  const commandLine = latin1(append);
  if (commandLine.length >= CMDLINE_BYTES) fail(`the command line has ${commandLine.length} bytes, more than ${CMDLINE_BYTES - 1}`);
  placements.push(
    { address: PVH_START_INFO, bytes: structures(memoryBytes, initrdAt, initrd?.length ?? 0) },
    { address: CMDLINE, bytes: commandLine },
  );
  return { placements, entry, startInfo: PVH_START_INFO };
}

function structures(memoryBytes: number, initrdAt: number, initrdBytes: number): Uint8Array {
  const bytes = new Uint8Array(0x400);
  const view = new DataView(bytes.buffer);
  const set64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  const map: readonly (readonly [number, number, number])[] = [
    [0, LEGACY_HOLE.from, 1],
    [LEGACY_HOLE.from, LEGACY_HOLE.to - LEGACY_HOLE.from, 2],
    [LEGACY_HOLE.to, memoryBytes - LEGACY_HOLE.to, 1],
    [LAPIC_BASE, LAPIC_BYTES, 2],
  ];
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, 1, true);
  view.setUint32(12, initrdBytes > 0 ? 1 : 0, true);
  set64(16, initrdBytes > 0 ? MODLIST : 0);
  set64(24, CMDLINE);
  set64(40, MEMMAP);
  view.setUint32(48, map.length, true);
  if (initrdBytes > 0) {
    set64(MODLIST - PVH_START_INFO, initrdAt);
    set64(MODLIST - PVH_START_INFO + 8, initrdBytes);
  }
  for (const [i, [address, size, type]] of map.entries()) {
    const at = MEMMAP - PVH_START_INFO + 24 * i;
    set64(at, address);
    set64(at + 8, size);
    view.setUint32(at + 16, type, true);
  }
  return bytes;
}

/** What the loader needs of an ELF64, checked as it is read. */
class ElfImage {
  readonly #view: DataView;
  readonly #size: number;
  readonly #headers: number;
  readonly #count: number;

  constructor(image: Uint8Array) {
    this.#size = image.length;
    this.#view = new DataView(image.buffer, image.byteOffset, image.byteLength);
    if (image.length < 64 || this.#view.getUint32(0, false) !== 0x7f454c46) fail('it is not an ELF file');
    if (image[4] !== 2 || image[5] !== 1) fail('it is not a 64-bit little-endian ELF');
    if (this.#view.getUint16(18, true) !== 62) fail('it is not for x86-64');
    const type = this.#view.getUint16(16, true);
    if (type !== 2 && type !== 3) fail('it is not an executable');
    this.#headers = this.#file64(32, 'the program header offset');
    this.#count = this.#view.getUint16(56, true);
    if (this.#view.getUint16(54, true) !== PROGRAM_HEADER_BYTES) fail('its program headers have an odd size');
    if (this.#count === 0 || this.#count > MAX_PROGRAM_HEADERS) fail(`it has ${this.#count} program headers`);
    if (this.#headers + this.#count * PROGRAM_HEADER_BYTES > this.#size) fail('its program headers lie outside of the file');
  }

  /** The loadable segments with something in memory. */
  segments(): Segment[] {
    const all: Segment[] = [];
    for (const header of this.#all(PT_LOAD)) {
      const memoryBytes = this.#file64(header + 40, 'a segment size');
      const offset = this.#file64(header + 8, 'a segment offset');
      const fileBytes = this.#file64(header + 32, 'a segment size');
      const address = this.#file64(header + 24, 'a segment address');
      if (fileBytes > memoryBytes) fail('a segment is larger in the file than in memory');
      if (offset + fileBytes > this.#size) fail('a segment lies outside of the file');
      if (memoryBytes > 0) all.push({ address, offset, fileBytes, memoryBytes });
    }
    if (all.length === 0) fail('it has nothing to load');
    all.sort((a, b) => a.address - b.address);
    for (const [i, segment] of all.entries()) {
      const before = all[i - 1];
      if (before !== undefined && before.address + before.memoryBytes > segment.address)
        fail(`two segments overlap at ${hex(segment.address)}`);
    }
    return all;
  }

  /** The address in the PVH note. */
  phys32Entry(): number {
    for (const header of this.#all(PT_NOTE)) {
      const offset = this.#file64(header + 8, 'a note offset');
      const end = offset + this.#file64(header + 32, 'a note size');
      if (end > this.#size) fail('a note lies outside of the file');
      for (let at = offset; at + 12 <= end; ) {
        const nameBytes = this.#view.getUint32(at, true);
        const descriptionBytes = this.#view.getUint32(at + 4, true);
        const type = this.#view.getUint32(at + 8, true);
        const description = at + 12 + align4(nameBytes);
        const next = description + align4(descriptionBytes);
        if (next > end + 3) break;
        const isXen = nameBytes === 4 && this.#view.getUint32(at + 12, true) === 0x006e6558;
        if (isXen && type === XEN_ELFNOTE_PHYS32_ENTRY && descriptionBytes >= 4 && description + 4 <= this.#size)
          return this.#view.getUint32(description, true);
        at = next;
      }
    }
    return fail('it has no PVH entry note (XEN_ELFNOTE_PHYS32_ENTRY)');
  }

  *#all(type: number): Generator<number> {
    for (let i = 0; i < this.#count; i++) {
      const header = this.#headers + i * PROGRAM_HEADER_BYTES;
      if (this.#view.getUint32(header, true) === type) yield header;
    }
  }

  /** A 64-bit field that must be a sane size or address. */
  #file64(at: number, what: string): number {
    const value = this.#view.getBigUint64(at, true);
    if (value > 0xffff_ffff_ffffn) fail(`${what} is ${value}`);
    return Number(value);
  }
}

function latin1(text: string): Uint8Array {
  const bytes = Uint8Array.from(text, (c) => {
    const code = c.charCodeAt(0);
    if (code === 0 || code > 255) fail('the command line has a character that is not Latin-1');
    return code;
  });
  return bytes;
}

const align4 = (n: number): number => Math.ceil(n / 4) * 4;
const hex = (n: number): string => `0x${n.toString(16)}`;

function fail(why: string): never {
  throw new UserError(`cannot boot the image: ${why}`);
}
