/** Names for addresses: the symbols and source lines of every ELF file that a trace holds, the programs inside its archives among them. */
import { type ElfImage, type ImageSegment, type ImageSymbol, readElf } from '../compiler/image/read-elf.ts';
import { UserError } from '../machine/isa/bug.ts';
import { archiveFiles } from './archive.ts';
import type { NamedFile } from './record.ts';

/** What is known of an address of code. */
export interface Place {
  /** The file that the code comes from. */
  readonly image: string;
  /** `function` or `function+0x1f`; null where no symbol covers the address. */
  readonly symbol: string | null;
  /** `file.ts:12:3`; null where there is no line for it. */
  readonly source: string | null;
}

/** A function, or a label of assembly; one object for each. */
export interface CodeFunction {
  readonly image: string;
  readonly name: string;
}

/** An ELF file. */
export interface KnownImage {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly elf: ElfImage;
}

const ELF_MAGIC = 0x464c457f;

export class Symbols {
  readonly #images: KnownImage[] = [];
  readonly #functions = new Map<ImageSymbol, CodeFunction>();
  readonly #withoutLines = new Set<KnownImage>();

  /** Adds an ELF file, or all ELF files of a cpio archive; other files have no symbols. An ELF file that cannot be read gives none either. */
  add(file: NamedFile): void {
    if (isElf(file.bytes)) this.#addElf(file);
    else for (const inner of archiveFiles(file.bytes)) if (isElf(inner.bytes)) this.#addElf(inner);
  }

  #addElf({ name, bytes }: NamedFile): void {
    try {
      this.#images.push({ name, bytes, elf: readElf(bytes, name) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
    }
  }

  /** The file that the code at `address` comes from; `code` as in `at`. */
  imageAt(address: bigint, code: Uint8Array): KnownImage | null {
    return this.#images.find((candidate) => holds(candidate, address, code)) ?? null;
  }

  /** Whether it is this file that the code at `address` comes from. */
  isOf(image: KnownImage, address: bigint, code: Uint8Array): boolean {
    return holds(image, address, code);
  }

  /** All files. */
  get images(): readonly KnownImage[] {
    return this.#images;
  }

  /** The function that the code at `address` belongs to; `code` as in `at`. */
  functionAt(address: bigint, code: Uint8Array): CodeFunction | null {
    const known = this.imageAt(address, code);
    const symbol = known?.elf.symbolAt(address)?.symbol;
    if (known === null || symbol === undefined) return null;
    let found = this.#functions.get(symbol);
    if (found === undefined) this.#functions.set(symbol, (found = { image: known.name, name: symbol.name }));
    return found;
  }

  /**
   * What is known of the code at `address`. Several programs may be linked at one address: `code`, the bytes that stand there in memory, tells
   * which of them it is.
   */
  at(address: bigint, code: Uint8Array): Place | null {
    const known = this.imageAt(address, code);
    return known === null ? null : this.#placeIn(known, address);
  }

  /**
   * `keel:scheduler+0x8`: the object or function that lies at a linear address. Programs may be linked at one address: `program` names the one that is
   * meant; what lies in the upper half is the kernel's.
   */
  nameOf(address: bigint, program: string | null): string | null {
    for (const { name, elf } of this.#images) {
      if (address < KERNEL_HALF && baseName(name) !== program) continue;
      const found = elf.symbolAt(address);
      if (found === null || found.offset >= found.symbol.size) continue;
      return `${baseName(name)}:${found.symbol.name}${found.offset === 0n ? '' : `+0x${found.offset.toString(16)}`}`;
    }
    return null;
  }

  /** The address of a symbol, given as `image:name`, or as `name` where one image alone has it. UserError where it is not there, or in several. */
  addressOf(text: string): { readonly address: bigint; readonly image: string } {
    const colon = text.indexOf(':');
    const [image, name] = colon < 0 ? [null, text] : [text.slice(0, colon), text.slice(colon + 1)];
    const named = this.#images.filter((each) => image === null || each.name === image || baseName(each.name) === image);
    if (named.length === 0)
      throw new UserError(
        `no file of the trace is called ${image}; there are ${this.#images.map((each) => baseName(each.name)).join(', ') || 'none'}`,
      );
    const found = named.flatMap((each) => {
      const symbol = each.elf.symbol(name);
      return symbol === null ? [] : [{ address: symbol.address, image: baseName(each.name) }];
    });
    const [first] = found;
    if (first === undefined) throw new UserError(`no symbol is called ${name}${image === null ? '' : ` in ${image}`}`);
    if (found.some(({ address }) => address !== first.address))
      throw new UserError(
        `several files have a symbol ${name}: say which, as ${found.map((each) => `${each.image}:${name}`).join(' or ')}`,
      );
    return first;
  }

  /**
   * Where the code of a source line begins, in every file that has code of it: a line that was inlined, or that is gone on with, begins several times.
   * `file`: as the line table names it, or how that name ends. UserError where there is none.
   */
  ofLine(file: string, line: number): { readonly address: bigint; readonly image: KnownImage }[] {
    const found = this.#images.flatMap((image) => this.#rangesOf(image, file, line).map((address) => ({ address, image })));
    if (found.length === 0) throw new UserError(`there is no code of ${file}:${line} in the files of the trace`);
    return found;
  }

  /** Where runs of ranges of a line begin. */
  #rangesOf({ elf }: KnownImage, file: string, line: number): bigint[] {
    try {
      const ranges = [...elf.lineRanges()].filter((each) => each.line === line && (each.file === file || each.file.endsWith(`/${file}`)));
      const ends = new Set(ranges.map(({ to }) => to));
      return [...new Set(ranges.map(({ from }) => from))].filter((from) => !ends.has(from));
    } catch (error) {
      if (error instanceof UserError) return [];
      throw error;
    }
  }

  /** `keel:scheduler+0x8`: what the boot image has at a physical address; null: nothing. */
  dataAt(physical: bigint): string | null {
    for (const { name, elf } of this.#images) {
      const segment = elf.segments.find(
        (each) => each.physical !== 0n && physical >= each.physical && physical < each.physical + each.memorySize,
      );
      if (segment === undefined || segment.physical === segment.address) continue;
      const found = elf.symbolAt(physical - segment.physical + segment.address);
      if (found !== null) return `${baseName(name)}:${found.symbol.name}${found.offset === 0n ? '' : `+0x${found.offset.toString(16)}`}`;
    }
    return null;
  }

  /** What is known of an address of code in every file that has code there. */
  allAt(address: bigint): Place[] {
    return this.#images
      .filter(({ elf }) => elf.segments.some((segment) => isIn(segment, address)))
      .map((known) => this.#placeIn(known, address));
  }

  #placeIn(known: KnownImage, address: bigint): Place {
    const found = known.elf.symbolAt(address);
    const line = this.#lineAt(known, address);
    return {
      image: known.name,
      symbol: found === null ? null : found.offset === 0n ? found.symbol.name : `${found.symbol.name}+0x${found.offset.toString(16)}`,
      source: line === null ? null : `${line.file}:${line.line}:${line.column}`,
    };
  }

  /** Null too where the image's line table cannot be read: what is known besides is good. */
  #lineAt(known: KnownImage, address: bigint): ReturnType<ElfImage['lineAt']> {
    if (this.#withoutLines.has(known)) return null;
    try {
      return known.elf.lineAt(address);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#withoutLines.add(known);
      return null;
    }
  }
}

const KERNEL_HALF = 1n << 63n;

function baseName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).replace(/\.elf$/, '');
}

function isIn({ executable, address: from, memorySize }: ImageSegment, address: bigint): boolean {
  return executable && address >= from && address < from + memorySize;
}

/** Whether a file begins as an ELF file does. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length > 64 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === ELF_MAGIC;
}

/** Whether the image has exactly these bytes at this address (linear or, for what runs before paging is on, physical). */
function holds({ bytes, elf }: KnownImage, address: bigint, code: Uint8Array): boolean {
  for (const segment of elf.segments) {
    if (!segment.executable) continue;
    for (const start of [segment.address, segment.physical]) {
      const offset = address - start;
      if (offset < 0n || offset >= BigInt(segment.fileSize)) continue;
      const from = segment.fileOffset + Number(offset);
      const length = Math.min(code.length, segment.fileSize - Number(offset));
      if (length > 0 && Buffer.from(bytes.buffer, bytes.byteOffset + from, length).equals(code.subarray(0, length))) return true;
    }
  }
  return false;
}
