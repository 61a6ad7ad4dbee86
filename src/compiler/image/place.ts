/**
 * Placement: atoms → output sections → segments with addresses and file offsets, and what the linker-defined symbols are worth.
 *
 * Segments start on pages, in memory and in the file, and no segment is both writable and executable:
 * - `linux-program`, from 0x400000: R (the ELF headers, constants), RX (code), RW (data, bss).
 * - `keel-kernel`: `.boot*` sections RX, R, RW at their physical addresses from 1 MiB on; behind them, at 0xFFFFFFFF80000000 + physical, RX, R
 *   (with the PVH note), RW.
 */
import type { Atom, ObjectFile, SectionKind } from './object.ts';

export const pageBytes = 0x1000;
/** Where the kernel sees physical address 0, as a signed number: 0xFFFFFFFF80000000. */
export const kernelOffset = -0x80000000;
const programBase = 0x400000;
const kernelBase = 0x100000;
const elfHeaderBytes = 64;
const programHeaderBytes = 56;

export interface PlacedAtom {
  readonly atom: Atom;
  readonly object: ObjectFile;
  /** Signed virtual address. */
  address: number;
}

export interface OutputSection {
  readonly name: string;
  readonly kind: SectionKind;
  readonly atoms: PlacedAtom[];
  alignment: number;
  address: number;
  size: number;
  fileOffset: number;
}

export interface Segment {
  readonly kind: 'code' | 'rodata' | 'data';
  readonly sections: readonly OutputSection[];
  address: number;
  physical: number;
  fileOffset: number;
  fileSize: number;
  memorySize: number;
}

export interface Placement {
  readonly sections: readonly OutputSection[];
  readonly segments: readonly Segment[];
  /** Linker-defined symbols: value, and the section that they belong to (null: absolute). */
  readonly defined: ReadonlyMap<string, { readonly address: number; readonly section: OutputSection | null }>;
  /** Where the loaded part ends in the file. */
  readonly fileEnd: number;
}

/** The note that makes a PVH loader start the kernel: filled in once the entry is known. */
export const noteSection = '.note.Xen';

export function place(objects: readonly ObjectFile[], target: 'linux-program' | 'keel-kernel', problems: string[]): Placement {
  const sections = collect(objects, problems);
  return target === 'linux-program' ? placeProgram(sections) : placeKernel(sections);
}

function collect(objects: readonly ObjectFile[], problems: string[]): OutputSection[] {
  const byName = new Map<string, OutputSection>();
  for (const object of objects) {
    for (const atom of object.atoms) {
      let section = byName.get(atom.section);
      if (section === undefined) {
        section = { name: atom.section, kind: atom.kind, atoms: [], alignment: 1, address: 0, size: 0, fileOffset: 0 };
        byName.set(atom.section, section);
      }
      if (section.kind !== atom.kind) {
        problems.push(`section ${atom.section} is ${section.kind} at first and ${atom.kind} in ${object.name}`);
      }
      section.size = alignUp(section.size, atom.alignment);
      section.atoms.push({ atom, object, address: section.size });
      section.size += atom.size;
      section.alignment = Math.max(section.alignment, atom.alignment);
    }
  }
  return [...byName.values()].sort((a, b) => rank(a.name) - rank(b.name));
}

/** The names of the symbols at a section's start and end. */
function boundsOf(section: string): readonly [start: string, end: string] {
  const stem = section.replace(/^\./, '').replaceAll(/[^A-Za-z0-9_]/g, '_');
  return [`__${stem}_start`, `__${stem}_end`];
}

const USUAL: ReadonlyMap<string, readonly [start: string, end: string]> = new Map(
  ['.text', '.rodata', '.data', '.bss'].map((name) => [name, boundsOf(name)]),
);

const SEGMENT_BOUNDS = [
  ['code', '__rx_start', '__rx_end'],
  ['rodata', '__ro_start', '__ro_end'],
  ['data', '__rw_start', '__rw_end'],
] as const;

/** The four usual sections come first within their segment; the others in the order in which they were met (the sort is stable). */
function rank(name: string): number {
  return USUAL.has(name) ? 0 : 1;
}

function placeProgram(sections: readonly OutputSection[]): Placement {
  const segments = [segment('rodata', sections), segment('code', sections), segment('data', sections)].filter((s) => s !== null);
  const headers = elfHeaderBytes + programHeaderBytes * (segments.length + 1);
  let end = programBase;
  let fileEnd = 0;
  for (const [index, each] of segments.entries()) {
    const first = index === 0 && each.kind === 'rodata';
    if (index === 0 && !first) {
      fileEnd = headers;
      end += headers;
    }
    fileEnd = first ? 0 : alignUp(fileEnd, pageBytes);
    fill(each, alignUp(end, pageBytes), 0, fileEnd, first ? headers : 0);
    end = each.address + each.memorySize;
    fileEnd = each.fileOffset + each.fileSize;
  }
  return { sections, segments, defined: definedSymbols(sections, segments, programBase, end, 0), fileEnd };
}

function placeKernel(sections: readonly OutputSection[]): Placement {
  const low = sections.filter((s) => isLow(s.name));
  const high = sections.filter((s) => !isLow(s.name));
  const kinds = ['code', 'rodata', 'data'] as const;
  const segments: Segment[] = [];
  let physical = kernelBase;
  let fileEnd = pageBytes;
  let virtualStart = 0;
  for (const [half, offset] of [
    [low, 0],
    [high, kernelOffset],
  ] as const) {
    physical = alignUp(physical, pageBytes);
    if (half === high) virtualStart = physical + offset;
    for (const kind of kinds) {
      const each = segment(kind, half);
      if (each === null) continue;
      physical = alignUp(physical, pageBytes);
      fill(each, physical + offset, offset, alignUp(fileEnd, pageBytes), 0);
      physical += each.memorySize;
      fileEnd = each.fileOffset + each.fileSize;
      segments.push(each);
    }
  }
  const highSegments = segments.filter((s) => s.address < 0);
  const defined = definedSymbols(sections, highSegments, virtualStart, physical + kernelOffset, virtualStart);
  defined.set('__physical_start', { address: kernelBase, section: null });
  defined.set('__physical_end', { address: alignUp(physical, pageBytes), section: null });
  defined.set('__virtual_offset', { address: kernelOffset, section: null });
  return { sections, segments, defined, fileEnd };
}

function isLow(name: string): boolean {
  return name.startsWith('.boot');
}

function segment(kind: 'code' | 'rodata' | 'data', from: readonly OutputSection[]): Segment | null {
  const plain = from.filter((s) => s.kind === kind);
  const sections = kind === 'data' ? [...plain, ...from.filter((s) => s.kind === 'bss')] : plain;
  if (sections.length === 0) return null;
  return { kind, sections, address: 0, physical: 0, fileOffset: 0, fileSize: 0, memorySize: 0 };
}

/** Lays a segment's sections from `address` on, leaving `reserved` bytes at its start. */
function fill(target: Segment, address: number, physicalOffset: number, fileOffset: number, reserved: number): void {
  target.address = address;
  target.physical = address - physicalOffset;
  target.fileOffset = fileOffset;
  let end = address + reserved;
  target.fileSize = reserved;
  for (const section of target.sections) {
    end = alignUp(end, section.alignment);
    section.address = end;
    section.fileOffset = section.kind === 'bss' ? fileOffset + target.fileSize : fileOffset + (end - address);
    for (const placed of section.atoms) placed.address += end;
    end += section.size;
    if (section.kind !== 'bss') target.fileSize = end - address;
  }
  target.memorySize = end - address;
}

function definedSymbols(
  sections: readonly OutputSection[],
  segments: readonly Segment[],
  imageStart: number,
  imageEnd: number,
  absent: number,
): Map<string, { address: number; section: OutputSection | null }> {
  const defined = new Map<string, { address: number; section: OutputSection | null }>();
  for (const [start, end] of USUAL.values()) {
    defined.set(start, { address: absent, section: null });
    defined.set(end, { address: absent, section: null });
  }
  for (const section of sections) {
    const [start, end] = USUAL.get(section.name) ?? boundsOf(section.name);
    defined.set(start, { address: section.address, section });
    defined.set(end, { address: section.address + section.size, section });
  }
  for (const [kind, startName, endName] of SEGMENT_BOUNDS) {
    const found = segments.find((s) => s.kind === kind);
    const start = found?.address ?? absent;
    defined.set(startName, { address: start, section: null });
    defined.set(endName, { address: found === undefined ? absent : alignUp(start + found.memorySize, pageBytes), section: null });
  }
  defined.set('__image_start', { address: imageStart, section: null });
  defined.set('__image_end', { address: alignUp(imageEnd, pageBytes), section: null });
  return defined;
}

/** Works for negative values too. */
function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
