/**
 * The linker's door. `link(objects, options)` places atoms, resolves symbols, applies relocations and writes an ELF64 image with
 * symbols, DWARF and the project's own sections (`.palindrome.layouts`, `.palindrome.traps`).
 */
import { ByteWriter } from './byte-writer.ts';
import { encodeFrames } from './dwarf-frame.ts';
import { debugSections } from './dwarf-info.ts';
import { headerBytes as elfHeaderBytes, XEN_ELFNOTE_PHYS32_ENTRY } from './elf.ts';
import { emptyLayouts, type Layouts } from './layouts.ts';
import type { ObjectFile } from './object.ts';
import { noteSection, type PlacedAtom, type Placement, place } from './place.ts';
import { relocate, resolve, type Scopes } from './resolve.ts';
import { type TrapSite, writeTraps } from './traps.ts';
import { type ExtraSection, writeElf } from './write-elf.ts';

export interface LinkOptions {
  /**
   * - `linux-program`: static ET_EXEC at 0x400000.
   * - `keel-kernel`: sections `.boot*` identity-linked from 1 MiB on, all others at 0xFFFFFFFF80000000 + physical; PVH note whose
   *   entry is `entry`'s physical address.
   */
  readonly target: 'linux-program' | 'keel-kernel';
  /** Default `_start` (program), `pvh_start` (kernel; must lie in a `.boot*` section). */
  readonly entry?: string;
  readonly layouts?: Layouts;
  /** DW_AT_comp_dir; default `.`: images must not depend on where they were built. */
  readonly directory?: string;
  /** DW_AT_name of the compile unit; default the first object's name. */
  readonly name?: string;
  /** Without it (false) no DWARF is written. Symbols, traps and layouts always are. */
  readonly debug?: boolean;
}

export interface LinkedSymbol {
  readonly name: string;
  /** As an unsigned 64-bit value. */
  readonly address: bigint;
  readonly size: number;
  readonly type: 'function' | 'object' | 'label';
  readonly binding: 'local' | 'global';
  readonly section: string;
}

export interface LinkedImage {
  readonly bytes: Uint8Array;
  /** The same without DWARF: what guests are given, so that what debuggers know changes no run. */
  readonly stripped: Uint8Array;
  readonly symbols: readonly LinkedSymbol[];
  /** Virtual address of the first instruction (physical for a kernel). */
  readonly entry: bigint;
}

/** What is wrong with the objects, one line each: an undefined or doubly defined symbol, a field that its address does not fit. */
export class LinkError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'LinkError';
    this.problems = problems;
  }
}

/**
 * Symbols that the linker defines, if the objects do not:
 * - `__<section>_start`, `__<section>_end` for each section (`.text` → `__text_start`, `.a.b` → `__a_b_start`); for `.text .rodata .data .bss` always
 * - the segments, whole pages: `__rx_start`, `__rx_end`, `__ro_start`, `__ro_end`, `__rw_start`, `__rw_end` (a kernel's: the high ones)
 * - `__image_start`, `__image_end`: all of them (a kernel's: the high ones), whole pages
 * - for a kernel `__physical_start`, `__physical_end` (`.boot*` included) and `__virtual_offset` (0xFFFFFFFF80000000)
 *
 * @throws LinkError with every problem that was met
 */
export function link(objects: readonly ObjectFile[], options: LinkOptions): LinkedImage {
  const isKernel = options.target === 'keel-kernel';
  const entryName = options.entry ?? (isKernel ? 'pvh_start' : '_start');
  const problems: string[] = [];
  const all = isKernel ? [...objects, pvhNote(entryName)] : objects;
  const placement = place(all, options.target, problems);
  const scopes = resolve(all, placement, problems);

  const entry = scopes.globals.get(entryName);
  const own = ownSections(placement, options);
  const parts = { placement, symbols: scopes.symbols, entry: entry ?? 0, isKernel };
  const stripped = writeElf({ ...parts, extra: own });
  const bytes = options.debug === false ? stripped : writeElf({ ...parts, extra: [...dwarf(objects, placement, scopes, options), ...own] });
  fill(bytes, placement, scopes, problems);
  if (entry === undefined) problems.push(`undefined symbol ${entryName}, the entry`);
  else if (isKernel && entry < 0) problems.push(`the entry ${entryName} must lie in a .boot section, which runs at its physical address`);
  if (problems.length > 0) throw new LinkError(problems);
  if (stripped !== bytes) stripped.set(bytes.subarray(elfHeaderBytes, placement.fileEnd), elfHeaderBytes);

  const symbols = scopes.symbols.map(({ name, address, size, type, binding, section }) => {
    return { name, address: unsigned(address), size, type, binding, section: section?.name ?? '*ABS*' };
  });
  return { bytes, stripped, symbols, entry: unsigned(entry ?? 0) };
}

/** Writes what the loaded sections hold. */
function fill(file: Uint8Array, placement: Placement, scopes: Scopes, problems: string[]): void {
  const view = new DataView(file.buffer);
  for (const section of placement.sections) {
    if (section.kind === 'bss') {
      if (section.atoms.some((each) => each.atom.relocations.length > 0))
        problems.push(`relocation in ${section.name}, which has no bytes`);
      continue;
    }
    const { fileOffset, address, size } = section;
    if (section.kind === 'code') file.fill(int3, fileOffset, fileOffset + size);
    for (const placed of section.atoms) file.set(placed.atom.bytes, fileOffset + placed.address - address);
    relocate(section, view, fileOffset, scopes, problems);
  }
}

/** What fills the gaps between functions: a jump into one traps. */
const int3 = 0xcc;

function unsigned(address: number): bigint {
  return address < 0 ? BigInt.asUintN(64, BigInt(address)) : BigInt(address);
}

function pvhNote(entry: string): ObjectFile {
  const note = new ByteWriter().u32(4).u32(8).u32(XEN_ELFNOTE_PHYS32_ENTRY).string('Xen').u64(0).written.slice();
  const relocations = [{ kind: 'abs64', offset: note.length - 8, symbol: entry, addend: 0 }] as const;
  const atom = { section: noteSection, kind: 'rodata', alignment: 4, bytes: note, size: note.length, symbols: [], relocations } as const;
  return { name: 'pvh note', atoms: [atom] };
}

function codeOf(placement: Placement): readonly PlacedAtom[] {
  return placement.sections.filter(({ kind }) => kind === 'code').flatMap(({ atoms }) => atoms);
}

/** Sections that only this project knows. */
function ownSections(placement: Placement, options: LinkOptions): ExtraSection[] {
  const traps: TrapSite[] = [];
  for (const { atom, address } of codeOf(placement)) {
    for (const { offset, kind, file, line, column } of atom.traps ?? [])
      traps.push({ address: address + offset, kind, file, line, column });
  }
  const layouts = JSON.stringify(options.layouts ?? emptyLayouts);
  return [
    { name: '.palindrome.traps', write: (out) => writeTraps(out, traps) },
    { name: '.palindrome.layouts', write: (out) => out.text(layouts) },
  ];
}

function dwarf(objects: readonly ObjectFile[], placement: Placement, scopes: Scopes, options: LinkOptions): ExtraSection[] {
  const code = codeOf(placement);
  const addressIn = (object: ObjectFile) => (symbol: string) =>
    scopes.locals.get(object)?.get(symbol) ?? scopes.globals.get(symbol) ?? null;
  const sections = debugSections({
    code,
    globals: objects.flatMap((object) => (object.globals ?? []).map((global) => ({ global, addressOf: addressIn(object) }))),
    addressOf: ({ object }) => addressIn(object),
    name: options.name ?? objects[0]?.name ?? 'palindrome',
    directory: options.directory ?? '.',
  });
  const frames = encodeFrames(code);
  return [...sections, ['.debug_frame', frames] as const].map(([name, bytes]) => ({ name, write: (out) => out.bytes(bytes) }));
}
