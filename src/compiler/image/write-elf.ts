/** The ELF64 file: headers, the placed sections, then the sections that are not loaded, the symbol table and the section headers. */
import { ByteWriter } from './byte-writer.ts';
import * as elf from './elf.ts';
import { noteSection, type OutputSection, type Placement, type Segment } from './place.ts';
import type { ResolvedSymbol } from './resolve.ts';
import { StringTable } from './string-table.ts';

/** A section that is in the file alone. */
export interface ExtraSection {
  readonly name: string;
  readonly write: (out: ByteWriter) => void;
}

export interface ElfParts {
  readonly placement: Placement;
  readonly symbols: readonly ResolvedSymbol[];
  readonly extra: readonly ExtraSection[];
  readonly entry: number;
  readonly isKernel: boolean;
}

interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link?: number;
  readonly info?: number;
  readonly alignment: number;
  readonly entrySize?: number;
}

/** The whole file; what its loaded sections hold is still to be written where they are placed. */
export function writeElf({ placement, symbols, extra, entry, isKernel }: ElfParts): Uint8Array {
  const headers: SectionHeader[] = [{ name: '', type: elf.SHT_NULL, flags: 0, address: 0, offset: 0, size: 0, alignment: 0 }];
  const sectionIndex = new Map<OutputSection, number>();
  for (const segment of placement.segments) {
    for (const section of segment.sections) {
      sectionIndex.set(section, headers.length);
      headers.push(loadedHeader(section));
    }
  }

  const tail = new ByteWriter(4096);
  const append = ({ name, write }: ExtraSection, alignment: number, fields: Partial<SectionHeader> = {}) => {
    while ((placement.fileEnd + tail.length) % alignment !== 0) tail.u8(0);
    const offset = placement.fileEnd + tail.length;
    write(tail);
    const size = placement.fileEnd + tail.length - offset;
    headers.push({ name, type: elf.SHT_PROGBITS, flags: 0, address: 0, offset, size, alignment, ...fields });
  };
  for (const section of extra) append(section, 1);
  const strings = new StringTable();
  append({ name: '.symtab', write: (out) => writeSymbols(out, symbols, sectionIndex, strings) }, 8, {
    type: elf.SHT_SYMTAB,
    link: headers.length + 1,
    info: 1 + symbols.filter((symbol) => symbol.binding === 'local').length,
    entrySize: elf.symbolBytes,
  });
  append({ name: '.strtab', write: (out) => strings.write(out) }, 1, { type: elf.SHT_STRTAB });
  const names = new StringTable();
  for (const { name } of headers) names.offset(name);
  names.offset('.shstrtab');
  append({ name: '.shstrtab', write: (out) => names.write(out) }, 1, { type: elf.SHT_STRTAB });

  tail.zeros((8 - ((placement.fileEnd + tail.length) % 8)) % 8);
  const headersAt = placement.fileEnd + tail.length;
  for (const { name, type, flags, address, offset, size, link = 0, info = 0, alignment, entrySize = 0 } of headers) {
    tail.u32(names.offset(name)).u32(type).u64(flags).u64(address).u64(offset).u64(size);
    tail.u32(link).u32(info).u64(alignment).u64(entrySize);
  }

  const file = new Uint8Array(placement.fileEnd + tail.length);
  file.set(fileHeader(placement, entry, headersAt, headers.length, isKernel));
  file.set(tail.written, placement.fileEnd);
  return file;
}

function loadedHeader(section: OutputSection): SectionHeader {
  const { name, kind, address, fileOffset: offset, size, alignment } = section;
  const flags = elf.SHF_ALLOC | (kind === 'code' ? elf.SHF_EXECINSTR : 0) | (kind === 'data' || kind === 'bss' ? elf.SHF_WRITE : 0);
  const type = kind === 'bss' ? elf.SHT_NOBITS : name === noteSection ? elf.SHT_NOTE : elf.SHT_PROGBITS;
  return { name, type, flags, address, offset, size, alignment };
}

function fileHeader(placement: Placement, entry: number, sectionHeadersAt: number, sectionCount: number, isKernel: boolean): Uint8Array {
  const note = placement.sections.find((s) => s.name === noteSection);
  const programHeaders = placement.segments.length + (note === undefined ? 0 : 1) + (isKernel ? 0 : 1);
  const out = new ByteWriter(512);
  out.u32(0x464c457f).u8(2).u8(1).u8(1).u8(0).u64(0); // magic, 64-bit, little endian, version 1, System V
  out.u16(elf.ET_EXEC).u16(elf.EM_X86_64).u32(1).u64(entry).u64(elf.headerBytes).u64(sectionHeadersAt).u32(0);
  out.u16(elf.headerBytes).u16(elf.programHeaderBytes).u16(programHeaders);
  out
    .u16(elf.sectionHeaderBytes)
    .u16(sectionCount)
    .u16(sectionCount - 1);
  for (const each of placement.segments) {
    out.u32(elf.PT_LOAD).u32(segmentFlags(each)).u64(each.fileOffset).u64(each.address).u64(each.physical);
    out.u64(each.fileSize).u64(each.memorySize).u64(0x1000);
  }
  if (note !== undefined) {
    const home = placement.segments.find((s) => s.sections.includes(note));
    const physical = note.address - (home?.address ?? 0) + (home?.physical ?? 0);
    out.u32(elf.PT_NOTE).u32(elf.PF_R).u64(note.fileOffset).u64(note.address).u64(physical).u64(note.size).u64(note.size).u64(4);
  }
  if (!isKernel)
    out
      .u32(elf.PT_GNU_STACK)
      .u32(elf.PF_R | elf.PF_W)
      .u64(0)
      .u64(0)
      .u64(0)
      .u64(0)
      .u64(0)
      .u64(16);
  return out.written;
}

function segmentFlags({ kind }: Segment): number {
  return elf.PF_R | (kind === 'code' ? elf.PF_X : 0) | (kind === 'data' ? elf.PF_W : 0);
}

function writeSymbols(
  out: ByteWriter,
  symbols: readonly ResolvedSymbol[],
  sectionIndex: ReadonlyMap<OutputSection, number>,
  strings: StringTable,
): void {
  const types = { function: elf.STT_FUNC, object: elf.STT_OBJECT, label: elf.STT_NOTYPE } as const;
  out.zeros(elf.symbolBytes);
  for (const { name, address, size, type, binding, section } of symbols) {
    const info = ((binding === 'global' ? elf.STB_GLOBAL : elf.STB_LOCAL) << 4) | types[type];
    const index = section === null ? elf.SHN_ABS : (sectionIndex.get(section) ?? elf.SHN_ABS);
    out.u32(strings.offset(name)).u8(info).u8(0).u16(index).u64(address).u64(size);
  }
}
