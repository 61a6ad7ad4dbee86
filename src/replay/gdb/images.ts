/**
 * The ELF files of a trace, as gdb gets to see them: the kernel is the executable that it debugs, programs are libraries that are loaded where they are
 * linked. Programs that lie at the same addresses cannot be known at once: then those are whose process runs, or the one that somebody chose.
 */
import { type ElfImage, readElf } from '../../compiler/image/read-elf.ts';
import { UserError } from '../../machine/index.ts';
import { archiveFiles } from '../archive.ts';
import { namedFiles, type PlayerOptions } from '../player.ts';
import { isElf } from '../symbols.ts';
import type { Trace } from '../trace/reader.ts';

export interface Image {
  /** What gdb calls it: `/keel.elf`, `/bin/1-hello`. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly elf: ElfImage;
}

export class Images {
  /** Null where it is not at hand, or is no ELF file that can be read. */
  readonly kernel: Image | null;
  readonly programs: readonly Image[];
  /** The program that somebody chose; null: that of the process that runs. */
  chosen: Image | null = null;
  /** The programs that gdb was told of last. */
  told: readonly Image[] = [];

  constructor(trace: Trace, options: PlayerOptions) {
    const images: { role: string; image: Image }[] = [];
    for (const { role, name, bytes } of namedFiles(trace, options)) {
      for (const file of isElf(bytes) ? [{ name, bytes }] : archiveFiles(bytes)) {
        const image = isElf(file.bytes) ? readImage(file.name, file.bytes) : null;
        if (image !== null) images.push({ role, image });
      }
    }
    this.kernel = images.find(({ role }) => role === 'image')?.image ?? null;
    this.programs = distinct(images.filter(({ role }) => role !== 'image').map(({ image }) => image));
  }

  /** The programs that gdb is to know while `program` runs (its name without its path). */
  libraries(program: string | null): readonly Image[] {
    const first = this.chosen ?? this.program(program);
    const taken: Image[] = [];
    for (const image of first === null ? this.programs : [first, ...this.programs])
      if (!taken.some((other) => overlaps(other, image))) taken.push(image);
    return taken;
  }

  /** Whether an address that gdb names is meant in a process that runs this program (its name without its path; null: it is not known). */
  isMeant(address: bigint, program: string | null): boolean {
    const image = this.program(program);
    return image === null || address >= USER_END || this.told.includes(image);
  }

  /** A program by its path, or the last part of it. */
  program(name: string | null): Image | null {
    if (name === null) return null;
    return this.programs.find(({ path }) => path === name || path.slice(path.lastIndexOf('/') + 1) === name) ?? null;
  }

  /** A file by the path that gdb knows it by. */
  file(path: string): Uint8Array | null {
    return [...(this.kernel === null ? [] : [this.kernel]), ...this.programs].find((image) => image.path === path)?.bytes ?? null;
  }

  /** What files say of memory that nobody writes to, at most up to the end of a segment: for addresses at which nothing is mapped yet. */
  constants(address: bigint, length: number, program: string | null): Uint8Array | null {
    const images = [...(this.kernel === null ? [] : [this.kernel]), ...this.libraries(program)];
    for (const { elf, bytes } of images) {
      for (const segment of elf.segments) {
        const offset = address - segment.address;
        if (segment.writable || offset < 0n || offset >= BigInt(segment.fileSize)) continue;
        const from = segment.fileOffset + Number(offset);
        return bytes.slice(from, Math.min(from + length, segment.fileOffset + segment.fileSize));
      }
    }
    return null;
  }
}

/** Where user mode's half of the address space ends. */
const USER_END = 1n << 47n;

function readImage(name: string, bytes: Uint8Array): Image | null {
  try {
    return { path: name.startsWith('/') ? name : `/${name}`, bytes, elf: readElf(bytes, name) };
  } catch (error) {
    if (error instanceof UserError) return null;
    throw error;
  }
}

/** A program may stand in the trace twice: by itself, for its symbols, and in the archive that it came in. */
function distinct(images: readonly Image[]): Image[] {
  const found: Image[] = [];
  for (const image of images)
    if (!found.some(({ path, bytes }) => path === image.path || Buffer.compare(bytes, image.bytes) === 0)) found.push(image);
  return found;
}

const LOAD = 1;

function overlaps(a: Image, b: Image): boolean {
  return loaded(a).some((one) => loaded(b).some((other) => one.from < other.to && other.from < one.to));
}

function loaded({ elf }: Image): { readonly from: bigint; readonly to: bigint }[] {
  return elf.segments
    .filter(({ type, memorySize }) => type === LOAD && memorySize > 0n)
    .map(({ address, memorySize }) => ({ from: address, to: address + memorySize }));
}
