/**
 * ELF64 images as inspect, replay and fuzz read them: segments, sections, symbols by name and by address, source lines, layouts, traps.
 * The file may be anybody's: whatever is wrong with it ends in a {@link UserError} of one line, and no field makes the reader take
 * more memory than a small multiple of the file's size.
 *
 *     const image = readElf(bytes, 'keel.elf');
 *     image.symbolAt(rip);   // { symbol: { name: 'sysMap', … }, offset: 12 }
 *     image.lineAt(rip);     // { file: 'src/kernel/syscalls/map.ts', line: 7, column: 3 }
 */
import { UserError } from '../../machine/isa/bug.ts';
import { ByteReader } from './byte-reader.ts';
import * as elf from './elf.ts';
import type { Layouts } from './layouts.ts';
import type { SourceLocation } from './object.ts';
import { AbbreviationTables } from './read-abbreviations.ts';
import { FrameTable } from './read-frames.ts';
import { parseLayouts } from './read-layouts.ts';
import { type LineRange, type LineTable, readFileNames, readLines } from './read-lines.ts';
import { readTraps } from './read-traps.ts';
import { DebugInfo } from './read-variables.ts';
import { lastAtOrBefore } from './search.ts';
import type { Trap } from './traps.ts';

export interface ImageSegment {
  readonly type: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly executable: boolean;
  readonly address: bigint;
  readonly physical: bigint;
  readonly fileOffset: number;
  readonly fileSize: number;
  readonly memorySize: bigint;
}

export interface ImageSection {
  readonly name: string;
  readonly type: number;
  readonly address: bigint;
  readonly size: number;
  readonly isWritable: boolean;
  readonly isExecutable: boolean;
  /** In memory when the image runs. */
  readonly isLoaded: boolean;
  /** A view of the file; empty for bss. */
  readonly bytes: Uint8Array;
}

export interface ImageSymbol {
  readonly name: string;
  readonly address: bigint;
  readonly size: bigint;
  readonly type: 'function' | 'object' | 'label';
  readonly binding: 'local' | 'global';
  /** null: absolute or undefined in this file. */
  readonly section: ImageSection | null;
}

export interface ElfImage {
  readonly entry: bigint;
  readonly segments: readonly ImageSegment[];
  readonly sections: readonly ImageSection[];
  readonly symbols: readonly ImageSymbol[];
  /** The global symbol of that name, else the first local one. */
  symbol(name: string): ImageSymbol | null;
  /** The symbol that covers the address, else the nearest label in front of it within its section. */
  symbolAt(address: bigint): { readonly symbol: ImageSymbol; readonly offset: bigint } | null;
  lineAt(address: bigint): SourceLocation | null;
  /** Where code of a line begins, ascending; `file` may be the end of a path. */
  addressesOf(file: string, line: number): readonly bigint[];
  /** All code that has a source line. */
  lineRanges(): Iterable<LineRange>;
  /** How many bytes of code come from each source file, by the line table: what was inlined counts where it was written. */
  codeBytesByFile(): ReadonlyMap<string, number>;
  /** Variables, types and calls by DWARF; null if the image has none. */
  debug(): DebugInfo | null;
  /** Where frames and saved registers are, by DWARF; null if the image says nothing of them. */
  frames(): FrameTable | null;
  /** null if the image has none. */
  layouts(): Layouts | null;
  traps(): readonly Trap[];
  trapAt(address: bigint): Trap | null;
  /** The 32-bit physical entry of the PVH note. */
  pvhEntry(): bigint | null;
}

const maximalFileBytes = 2 ** 30;

/** @param name stands at the front of messages. @throws UserError */
export function readElf(bytes: Uint8Array, name: string): ElfImage {
  if (bytes.length > maximalFileBytes) throw new UserError(`${name}: is larger than 1 GiB`);
  const header = new ByteReader(bytes, `${name}: the ELF header`);
  if (bytes.length < 4 || header.u32() !== 0x464c457f) throw new UserError(`${name}: is not an ELF file`);
  if (header.u8() !== 2) header.fail('is not of a 64-bit file');
  if (header.u8() !== 1) header.fail('is not of a little-endian file');
  header.skip(10);
  header.skip(2);
  if (header.u16() !== elf.EM_X86_64) header.fail('is of another machine than x86-64');
  header.skip(4);
  const entry = header.u64();
  const programHeaders = header.size();
  const sectionHeaders = header.size();
  header.skip(6);
  const programHeaderSize = header.u16();
  const programHeaderCount = header.u16();
  const sectionHeaderSize = header.u16();
  const sectionCount = header.u16();
  const namesIndex = header.u16();
  if (programHeaderCount > 0 && programHeaderSize !== elf.programHeaderBytes) header.fail('has program headers of an unknown size');
  if (sectionCount > 0 && sectionHeaderSize !== elf.sectionHeaderBytes) header.fail('has section headers of an unknown size');

  const segments = readSegments(new ByteReader(bytes, `${name}: the program headers`, programHeaders), programHeaderCount, bytes, name);
  const table = new ByteReader(bytes, `${name}: the section headers`, sectionCount === 0 ? 0 : sectionHeaders);
  const { sections, links } = readSections(table, sectionCount, namesIndex, bytes, name);
  return new Image(name, bytes, entry, segments, sections, readSymbols(sections, links, name));
}

function readSegments(table: ByteReader, count: number, file: Uint8Array, name: string): ImageSegment[] {
  const segments: ImageSegment[] = [];
  for (let index = 0; index < count; index += 1) {
    const type = table.u32();
    const flags = table.u32();
    const fileOffset = table.size();
    const address = table.u64();
    const physical = table.u64();
    const fileSize = table.size();
    const memorySize = table.u64();
    table.skip(8);
    if (fileSize > 0 && fileOffset + fileSize > file.length) throw new UserError(`${name}: segment ${index} lies outside of the file`);
    const rights = { readable: (flags & elf.PF_R) !== 0, writable: (flags & elf.PF_W) !== 0, executable: (flags & elf.PF_X) !== 0 };
    segments.push({ type, ...rights, address, physical, fileOffset, fileSize, memorySize });
  }
  return segments;
}

function readSections(table: ByteReader, count: number, namesIndex: number, file: Uint8Array, name: string) {
  const raw: { nameAt: number; section: Omit<ImageSection, 'name'>; link: number }[] = [];
  for (let index = 0; index < count; index += 1) {
    const nameAt = table.u32();
    const type = table.u32();
    const flags = table.u64();
    const address = table.u64();
    const offset = table.size();
    const size = table.size();
    const link = table.u32();
    table.skip(20);
    const isInFile = type !== elf.SHT_NOBITS && type !== elf.SHT_NULL;
    if (isInFile && offset + size > file.length) throw new UserError(`${name}: section ${index} lies outside of the file`);
    const bytes = isInFile ? file.subarray(offset, offset + size) : new Uint8Array(0);
    const has = (flag: number) => (flags & BigInt(flag)) !== 0n;
    const rights = { isWritable: has(elf.SHF_WRITE), isExecutable: has(elf.SHF_EXECINSTR), isLoaded: has(elf.SHF_ALLOC) };
    raw.push({ nameAt, section: { type, address, size, ...rights, bytes }, link });
  }
  const names = raw[namesIndex]?.section.bytes ?? new Uint8Array(0);
  const sections = raw.map(({ nameAt, section }) => ({ name: names.length === 0 ? '' : stringAt(names, nameAt, name), ...section }));
  return { sections, links: raw.map((each) => each.link) };
}

function readSymbols(sections: readonly ImageSection[], links: readonly number[], name: string): ImageSymbol[] {
  const index = sections.findIndex((s) => s.type === elf.SHT_SYMTAB);
  const table = sections[index];
  const strings = sections[links[index] ?? -1]?.bytes;
  if (table === undefined || strings === undefined) return [];
  const reader = new ByteReader(table.bytes, `${name}: the symbol table`);
  const symbols: ImageSymbol[] = [];
  const types: Readonly<Record<number, ImageSymbol['type']>> = {
    [elf.STT_NOTYPE]: 'label',
    [elf.STT_OBJECT]: 'object',
    [elf.STT_FUNC]: 'function',
  };
  for (let count = Math.floor(table.bytes.length / elf.symbolBytes); count > 0; count -= 1) {
    const nameAt = reader.u32();
    const info = reader.u8();
    reader.skip(1);
    const sectionIndex = reader.u16();
    const address = reader.u64();
    const size = reader.u64();
    const type = types[info & 15];
    if (type === undefined || sectionIndex === elf.SHN_UNDEF) continue;
    const section = sectionIndex < elf.SHN_LORESERVE ? (sections[sectionIndex] ?? null) : null;
    const binding = info >> 4 === elf.STB_LOCAL ? 'local' : 'global';
    symbols.push({ name: stringAt(strings, nameAt, name), address, size, type, binding, section });
  }
  return symbols;
}

const longestName = 4096;
const utf8 = new TextDecoder();

function stringAt(table: Uint8Array, offset: number, name: string): string {
  const tail = table.subarray(offset, offset + longestName);
  const length = tail.indexOf(0);
  if (length < 0) throw new UserError(`${name}: a name has no end within its string table`);
  return utf8.decode(tail.subarray(0, length));
}

class Image implements ElfImage {
  readonly entry: bigint;
  readonly segments: readonly ImageSegment[];
  readonly sections: readonly ImageSection[];
  readonly symbols: readonly ImageSymbol[];
  readonly #name: string;
  readonly #file: Uint8Array;
  readonly #byName = new Map<string, ImageSymbol>();
  readonly #byAddress: readonly ImageSymbol[];
  #lines: LineTable | null = null;
  #debug: DebugInfo | null = null;
  #frames: FrameTable | null = null;
  #traps: readonly Trap[] | null = null;
  #layouts: Layouts | null = null;

  constructor(
    name: string,
    file: Uint8Array,
    entry: bigint,
    segments: readonly ImageSegment[],
    sections: readonly ImageSection[],
    symbols: readonly ImageSymbol[],
  ) {
    this.#name = name;
    this.#file = file;
    this.entry = entry;
    this.segments = segments;
    this.sections = sections;
    this.symbols = symbols;
    for (const symbol of symbols) {
      const known = this.#byName.get(symbol.name);
      if (known === undefined || (known.binding === 'local' && symbol.binding === 'global')) this.#byName.set(symbol.name, symbol);
    }
    const order = (a: ImageSymbol, b: ImageSymbol) => compare(a.address, b.address) || rank(a) - rank(b);
    this.#byAddress = symbols.filter((s) => s.section !== null).sort(order);
  }

  symbol(name: string): ImageSymbol | null {
    return this.#byName.get(name) ?? null;
  }

  symbolAt(address: bigint): { readonly symbol: ImageSymbol; readonly offset: bigint } | null {
    const last = lastAtOrBefore(this.#byAddress, address, (s) => s.address);
    let label: ImageSymbol | null = null;
    // A covering symbol may stand behind inner labels; a bounded look back keeps hostile tables from costing more.
    for (let index = last; index >= 0 && index > last - 256; index -= 1) {
      const symbol = this.#byAddress[index];
      if (symbol === undefined) break;
      if (address < symbol.address + symbol.size) return { symbol, offset: address - symbol.address };
      if (label === null && symbol.size === 0n && isWithin(symbol.section, address)) label = symbol;
    }
    return label === null ? null : { symbol: label, offset: address - label.address };
  }

  lineAt(address: bigint): SourceLocation | null {
    return this.#lineTable().at(address);
  }

  addressesOf(file: string, line: number): readonly bigint[] {
    return this.#lineTable().addressesOf(file, line);
  }

  lineRanges(): Iterable<LineRange> {
    return this.#lineTable().ranges();
  }

  codeBytesByFile(): ReadonlyMap<string, number> {
    return this.#lineTable().bytesByFile();
  }

  debug(): DebugInfo | null {
    const info = this.#section('.debug_info');
    if (info === null) return null;
    if (this.#debug !== null) return this.#debug;
    const sections = {
      info: info.bytes,
      abbreviations: new AbbreviationTables(this.#bytes('.debug_abbrev'), this.#name),
      strings: this.#bytes('.debug_str'),
      lineStrings: this.#bytes('.debug_line_str'),
      locations: this.#bytes('.debug_loclists'),
      ranges: this.#bytes('.debug_rnglists'),
      name: this.#name,
    };
    const { strings, lineStrings, name } = sections;
    const files = (table: number) => readFileNames(this.#bytes('.debug_line'), table, strings, lineStrings, name);
    this.#debug = new DebugInfo(sections, this.frames(), files);
    return this.#debug;
  }

  frames(): FrameTable | null {
    const section = this.#section('.debug_frame');
    if (section === null) return null;
    return (this.#frames ??= new FrameTable(section.bytes, this.#name));
  }

  layouts(): Layouts | null {
    const section = this.#section('.palindrome.layouts');
    if (section === null) return null;
    return (this.#layouts ??= parseLayouts(new TextDecoder().decode(section.bytes), this.#name));
  }

  traps(): readonly Trap[] {
    const section = this.#section('.palindrome.traps');
    return (this.#traps ??= section === null ? [] : readTraps(section.bytes, this.#name));
  }

  trapAt(address: bigint): Trap | null {
    const traps = this.traps();
    const found = traps[lastAtOrBefore(traps, address, (t) => t.address)];
    return found?.address === address ? found : null;
  }

  pvhEntry(): bigint | null {
    for (const segment of this.segments) {
      if (segment.type !== elf.PT_NOTE) continue;
      const what = `${this.#name}: a note segment`;
      const notes = new ByteReader(this.#file, what, segment.fileOffset, segment.fileOffset + segment.fileSize);
      while (!notes.isAtEnd) {
        const nameSize = notes.u32();
        const size = notes.u32();
        const type = notes.u32();
        const owner = notes.part(roundUp4(nameSize));
        const isXen = nameSize === 4 && owner.string() === 'Xen';
        const description = notes.part(roundUp4(size));
        if (!isXen || type !== elf.XEN_ELFNOTE_PHYS32_ENTRY) continue;
        return size >= 8 ? description.u64() : BigInt(description.u32());
      }
    }
    return null;
  }

  #lineTable(): LineTable {
    return (this.#lines ??= readLines(this.#bytes('.debug_line'), this.#bytes('.debug_str'), this.#bytes('.debug_line_str'), this.#name));
  }

  #bytes(section: string): Uint8Array {
    return this.#section(section)?.bytes ?? new Uint8Array(0);
  }

  #section(name: string): ImageSection | null {
    return this.sections.find((s) => s.name === name) ?? null;
  }
}

function isWithin(section: ImageSection | null, address: bigint): boolean {
  return section !== null && address >= section.address && address < section.address + BigInt(section.size);
}

/** Of symbols at one address the search meets the last first: sized ones go there. */
function rank(symbol: ImageSymbol): number {
  return symbol.size > 0n ? 1 : 0;
}

function roundUp4(value: number): number {
  return Math.ceil(value / 4) * 4;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
