/**
 * `.debug_info` read back, DWARF 4 and 5 (also gcc's and clang's): units, and the entries of a unit when somebody asks for them.
 *
 * Anybody may have written it: what is cut off, endless or deeper than a limit is a {@link UserError}; a form or attribute that is not known here
 * only makes its value unknown.
 */
import { ByteReader } from './byte-reader.ts';
import { at, form, tag } from './dwarf-abbreviations.ts';
import { type AbbreviationTables, formImplicitConst } from './read-abbreviations.ts';

export interface DebugSectionBytes {
  readonly info: Uint8Array;
  readonly abbreviations: AbbreviationTables;
  readonly strings: Uint8Array;
  readonly lineStrings: Uint8Array;
  readonly locations: Uint8Array;
  readonly ranges: Uint8Array;
  readonly name: string;
}

/** A number (references are offsets in `.debug_info`), a text, a block of bytes; null: of a form that is not read. */
export type AttributeValue = number | bigint | string | Uint8Array | null;

export interface Entry {
  readonly offset: number;
  readonly tag: number;
  readonly attributes: ReadonlyMap<number, AttributeValue>;
  readonly children: readonly Entry[];
}

export interface UnitHeader {
  readonly version: number;
  /** In `.debug_info`: of the header, and behind the unit. */
  readonly offset: number;
  readonly end: number;
  readonly abbreviations: number;
  readonly firstEntry: number;
}

/** Entries of one unit, and how deep they may be nested. */
const mostEntries = 2_000_000;
const deepest = 200;
/** Of a unit, on average: some take no bytes, but an entry has few of them. */
const attributesPerByte = 16;

export function readUnits({ info, name }: DebugSectionBytes): UnitHeader[] {
  const reader = new ByteReader(info, `${name}: .debug_info`);
  const units: UnitHeader[] = [];
  while (!reader.isAtEnd) {
    const offset = reader.at;
    const length = reader.u32();
    if (length >= 0xfffffff0) reader.fail('is in the 64-bit DWARF format, which is not read');
    const unit = reader.part(length);
    const end = reader.at;
    const version = unit.u16();
    if (version < 4 || version > 5) continue;
    const type = version === 5 ? unit.u8() : unitTypeCompile;
    let abbreviations = 0;
    if (version === 5) {
      if (unit.u8() !== 8) continue;
      abbreviations = unit.u32();
    } else {
      abbreviations = unit.u32();
      if (unit.u8() !== 8) continue;
    }
    // Skeletons carry an id, type units a signature and an offset.
    if (type === 4 || type === 5) unit.skip(8);
    if (type === 2 || type === 6) unit.skip(12);
    units.push({ version, offset, end, abbreviations, firstEntry: unit.at });
  }
  return units;
}

const unitTypeCompile = 1;

/** The unit's first entry with all that is below it; `onlyFirst`: without. */
export function readEntries(sections: DebugSectionBytes, unit: UnitHeader, onlyFirst = false): Entry | null {
  const what = `${sections.name}: .debug_info`;
  const reader = new ByteReader(sections.info, what, unit.firstEntry, unit.end);
  const shapes = sections.abbreviations.at(unit.abbreviations);
  let attributesLeft = attributesPerByte * (unit.end - unit.firstEntry);
  const open: { readonly entry: Entry; readonly children: Entry[] }[] = [];
  let root: Entry | null = null;
  for (let count = 0; !reader.isAtEnd; count++) {
    if (count > mostEntries) reader.fail(`has a unit of more than ${mostEntries} entries`);
    const offset = reader.at;
    const number = reader.uleb();
    if (number === 0) {
      open.pop();
      if (open.length === 0) break;
      continue;
    }
    const shape = shapes.get(number) ?? reader.fail(`names the abbreviation ${number}, which there is not`);
    attributesLeft -= shape.attributes.length;
    if (attributesLeft < 0) reader.fail('has entries with more attributes than bytes');
    const attributes = new Map<number, AttributeValue>();
    for (const each of shape.attributes) {
      const value = readForm(reader, each.form, each.constant, unit, sections);
      if (value !== null) attributes.set(each.name, value);
    }
    const children: Entry[] = [];
    const entry: Entry = { offset, tag: shape.tag, attributes, children };
    open.at(-1)?.children.push(entry);
    root ??= entry;
    if (onlyFirst) break;
    if (shape.hasChildren) open.push({ entry, children });
    else if (open.length === 0) break;
    if (open.length > deepest) reader.fail(`has entries nested deeper than ${deepest}`);
  }
  return root;
}

function readForm(
  reader: ByteReader,
  formNumber: number,
  constant: number,
  unit: UnitHeader,
  { strings, lineStrings, name }: DebugSectionBytes,
): AttributeValue {
  const block = (length: number): Uint8Array => reader.take(length);
  switch (formNumber) {
    case form.addr:
      return reader.u64();
    case form.data1:
      return reader.u8();
    case 0x05: // DW_FORM_data2
      return reader.u16();
    case form.data4:
    case form.secOffset:
      return reader.u32();
    case 0x07: // DW_FORM_data8
      return reader.u64();
    case 0x1e: // DW_FORM_data16
      return block(16);
    case form.flag:
      return reader.u8();
    case form.flagPresent:
      return 1;
    case 0x0d: // DW_FORM_sdata
      return reader.sleb64();
    case form.udata:
      return reader.uleb64();
    case formImplicitConst:
      return constant;
    case 0x08: // DW_FORM_string
      return reader.string();
    case form.strp:
      return new ByteReader(strings, `${name}: .debug_str`, reader.u32()).string();
    case 0x1f: // DW_FORM_line_strp
      return new ByteReader(lineStrings, `${name}: .debug_line_str`, reader.u32()).string();
    case form.exprloc:
    case 0x09: // DW_FORM_block
      return block(reader.uleb());
    case 0x0a: // DW_FORM_block1
      return block(reader.u8());
    case 0x03: // DW_FORM_block2
      return block(reader.u16());
    case 0x04: // DW_FORM_block4
      return block(reader.u32());
    case form.refAddr:
      return reader.u32();
    case 0x11: // DW_FORM_ref1
      return unit.offset + reader.u8();
    case 0x12: // DW_FORM_ref2
      return unit.offset + reader.u16();
    case 0x13: // DW_FORM_ref4
      return unit.offset + reader.u32();
    case 0x15: // DW_FORM_ref_udata
      return unit.offset + reader.uleb();
    case 0x14: // DW_FORM_ref8
    case 0x20: // DW_FORM_ref_sig8
      reader.skip(8);
      return null;
    case 0x1a: // DW_FORM_strx
    case 0x1b: // DW_FORM_addrx
    case 0x22: // DW_FORM_loclistx
    case 0x23: // DW_FORM_rnglistx
      reader.uleb();
      return null;
    case 0x25: // DW_FORM_strx1
    case 0x29: // DW_FORM_addrx1
      reader.skip(1);
      return null;
    case 0x26: // DW_FORM_strx2
    case 0x2a: // DW_FORM_addrx2
      reader.skip(2);
      return null;
    case 0x27: // DW_FORM_strx3
    case 0x2b: // DW_FORM_addrx3
      reader.skip(3);
      return null;
    case 0x28: // DW_FORM_strx4
    case 0x2c: // DW_FORM_addrx4
    case 0x1c: // DW_FORM_ref_sup4
    case 0x1d: // DW_FORM_strp_sup
      reader.skip(4);
      return null;
    default:
      return reader.fail(`uses the unknown form 0x${formNumber.toString(16)}`);
  }
}

/** Numbers of an attribute as addresses and offsets want them. */
export function numberOf(entry: Entry, attribute: number): number | null {
  const value = entry.attributes.get(attribute);
  if (typeof value === 'bigint') return value >= 0n && value < 2n ** 53n ? Number(value) : null;
  return typeof value === 'number' ? value : null;
}

export function textOf(entry: Entry, attribute: number): string | null {
  const value = entry.attributes.get(attribute);
  return typeof value === 'string' ? value : null;
}

export interface AddressRange {
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
}

/** The code that an entry is of. */
export function rangesOf(sections: DebugSectionBytes, entry: Entry, version: number): readonly AddressRange[] {
  const low = entry.attributes.get(at.lowPc);
  const high = entry.attributes.get(at.highPc);
  const list = entry.attributes.get(at.ranges);
  if (typeof list === 'number' && version === 5) return readRangeList(sections, list, typeof low === 'bigint' ? low : 0n);
  if (typeof low !== 'bigint') return [];
  if (typeof high === 'number') return [{ from: low, to: low + BigInt(high) }];
  // As an address it is the end; as a number of 64 bits the size. Both are read as bigint: a size is smaller than the start.
  if (typeof high === 'bigint') return [{ from: low, to: high > low ? high : low + high }];
  return [];
}

/** Ranges of one list. */
const mostRanges = 1_000_000;

function readRangeList({ ranges, name }: DebugSectionBytes, offset: number, base: bigint): AddressRange[] {
  const reader = new ByteReader(ranges, `${name}: .debug_rnglists`, offset);
  const list: AddressRange[] = [];
  let from = base;
  for (let count = 0; count < mostRanges; count++) {
    switch (reader.u8()) {
      case 0: // DW_RLE_end_of_list
        return list;
      case 4: // DW_RLE_offset_pair
        list.push({ from: from + reader.uleb64(), to: from + reader.uleb64() });
        break;
      case 5: // DW_RLE_base_address
        from = reader.u64();
        break;
      case 6: // DW_RLE_start_end
        list.push({ from: reader.u64(), to: reader.u64() });
        break;
      case 7: {
        // DW_RLE_start_length
        const start = reader.u64();
        list.push({ from: start, to: start + reader.uleb64() });
        break;
      }
      default: // those through .debug_addr
        return list;
    }
  }
  return list;
}

/** The expression that holds at an address: the attribute's own, or that of its list; null if there is none. */
export function locationAt(sections: DebugSectionBytes, entry: Entry, base: bigint, address: bigint): Uint8Array | null {
  const value = entry.attributes.get(at.location);
  if (value instanceof Uint8Array) return value;
  if (typeof value !== 'number') return null;
  const reader = new ByteReader(sections.locations, `${sections.name}: .debug_loclists`, value);
  let from = base;
  let otherwise: Uint8Array | null = null;
  for (let count = 0; count < mostRanges; count++) {
    let range: AddressRange | null = null;
    switch (reader.u8()) {
      case 0: // DW_LLE_end_of_list
        return otherwise;
      case 4: // DW_LLE_offset_pair
        range = { from: from + reader.uleb64(), to: from + reader.uleb64() };
        break;
      case 5: // DW_LLE_default_location
        break;
      case 6: // DW_LLE_base_address
        from = reader.u64();
        continue;
      case 7: // DW_LLE_start_end
        range = { from: reader.u64(), to: reader.u64() };
        break;
      case 8: {
        // DW_LLE_start_length
        const start = reader.u64();
        range = { from: start, to: start + reader.uleb64() };
        break;
      }
      default: // those through .debug_addr
        return null;
    }
    const expression = reader.take(reader.uleb());
    if (range === null) otherwise = expression;
    else if (address >= range.from && address < range.to) return expression;
  }
  return null;
}

export function isScope(entry: Entry): boolean {
  return entry.tag === tag.lexicalBlock || entry.tag === tag.inlinedSubroutine || entry.tag === tag.subprogram;
}
