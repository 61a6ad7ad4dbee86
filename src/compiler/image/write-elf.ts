/** The ELF64 file: headers, the placed sections, then the sections that are not loaded, the symbol table and the section headers. */
import { ByteWriter } from './byte-writer.ts';
import * as elf from './elf.ts';
import { noteSection, type OutputSection, type Placement, type Segment } from './place.ts';
import type { ResolvedSymbol } from './resolve.ts';
import { StringTable } from './string-table.ts';

/** A section that is in the file alone. */
export interface ExtraSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ElfParts {
  readonly placement: Placement;
  /** The loaded part: what stands in the file from 0 to `placement.fileEnd`; its first bytes are overwritten with the headers. */
  readonly loaded: Uint8Array;
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

export function writeElf({ placement, loaded, symbols, extra, entry, isKernel }: ElfParts): Uint8Array {
  const headers: SectionHeader[] = [{ name: '', type: elf.SHT_NULL, flags: 0, address: 0, offset: 0, size: 0, alignment: 0 }];
  const sectionIndex = new Map<OutputSection, number>();
  for (const segment of placement.segments) {
    for (const section of segment.sections) {
      sectionIndex.set(section, headers.length);
      headers.push(loadedHeader(section));
    }
  }

  const table = symbolTable(symbols, sectionIndex);
  const names = new StringTable();
  const symtabIndex = headers.length + extra.length;
  const tail = new ByteWriter(loaded.length / 2 + 4096);
  const append = (section: ExtraSection, alignment: number, fields: Partial<SectionHeader> = {}) => {
    while ((loaded.length + tail.length) % alignment !== 0) tail.u8(0);
    headers.push({
      name: section.name,
      type: elf.SHT_PROGBITS,
      flags: 0,
      address: 0,
      offset: loaded.length + tail.length,
      size: section.bytes.length,
      alignment,
      ...fields,
    });
    tail.bytes(section.bytes);
  };
  for (const section of extra) append(section, 1);
  append({ name: '.symtab', bytes: table.symtab }, 8, {
    type: elf.SHT_SYMTAB,
    link: symtabIndex + 1,
    info: table.firstGlobal,
    entrySize: elf.symbolBytes,
  });
  append({ name: '.strtab', bytes: table.strtab }, 1, { type: elf.SHT_STRTAB });
  for (const { name } of headers) names.offset(name);
  names.offset('.shstrtab');
  append({ name: '.shstrtab', bytes: names.bytes }, 1, { type: elf.SHT_STRTAB });

  tail.zeros((8 - ((loaded.length + tail.length) % 8)) % 8);
  const headersAt = loaded.length + tail.length;
  for (const each of headers) {
    tail.u32(names.offset(each.name)).u32(each.type).u64(each.flags).u64(each.address).u64(each.offset).u64(each.size);
    tail
      .u32(each.link ?? 0)
      .u32(each.info ?? 0)
      .u64(each.alignment)
      .u64(each.entrySize ?? 0);
  }

  const file = new Uint8Array(loaded.length + tail.length);
  file.set(loaded);
  file.set(tail.written, loaded.length);
  file.set(fileHeader(placement, entry, headersAt, headers.length, isKernel));
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

function symbolTable(symbols: readonly ResolvedSymbol[], sectionIndex: ReadonlyMap<OutputSection, number>) {
  const strings = new StringTable();
  const out = new ByteWriter((symbols.length + 1) * elf.symbolBytes);
  out.zeros(elf.symbolBytes);
  const types = { function: elf.STT_FUNC, object: elf.STT_OBJECT, label: elf.STT_NOTYPE } as const;
  let firstGlobal = 1;
  for (const { name, address, size, type, binding, section } of symbols) {
    if (binding === 'local') firstGlobal += 1;
    out
      .u32(strings.offset(name))
      .u8(((binding === 'global' ? elf.STB_GLOBAL : elf.STB_LOCAL) << 4) | types[type])
      .u8(0);
    out
      .u16(section === null ? elf.SHN_ABS : (sectionIndex.get(section) ?? elf.SHN_ABS))
      .u64(address)
      .u64(size);
  }
  return { symtab: out.written, strtab: strings.bytes, firstGlobal };
}
