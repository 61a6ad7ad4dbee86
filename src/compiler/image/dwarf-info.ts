/**
 * `.debug_info`, `.debug_abbrev`, `.debug_rnglists`: one DWARF 5 compile unit with the base types and a subprogram for each function
 * that says where it is declared. Enough for a debugger to name functions, list sources and walk frames.
 */
import { ByteWriter } from './byte-writer.ts';
import type { FileTable } from './dwarf-line.ts';
import type { AtomSymbol, SourceLocation } from './object.ts';
import type { StringTable } from './string-table.ts';

const tag = { compileUnit: 0x11, baseType: 0x24, subprogram: 0x2e } as const;
const at = {
  name: 0x03,
  byteSize: 0x0b,
  stmtList: 0x10,
  lowPc: 0x11,
  highPc: 0x12,
  language: 0x13,
  compDir: 0x1b,
  producer: 0x25,
  declFile: 0x3a,
  declLine: 0x3b,
  encoding: 0x3e,
  external: 0x3f,
  frameBase: 0x40,
  ranges: 0x55,
} as const;
const form = { addr: 0x01, data4: 0x06, data1: 0x0b, strp: 0x0e, udata: 0x0f, secOffset: 0x17, exprloc: 0x18, flag: 0x0c } as const;
const encoding = { boolean: 2, float: 4, signed: 5, unsigned: 7 } as const;
const languageC11 = 0x1d;
const unitTypeCompile = 1;
const opCallFrameCfa = 0x9c;
const rangeEndOfList = 0;
const rangeStartLength = 7;

const abbreviation = { unit: 1, baseType: 2, subprogram: 3 } as const;
const subprogramAttributes: readonly (readonly [number, number])[] = [
  [at.name, form.strp],
  [at.lowPc, form.addr],
  [at.highPc, form.data4],
  [at.declFile, form.udata],
  [at.declLine, form.udata],
  [at.external, form.flag],
  [at.frameBase, form.exprloc],
];
/** Abbreviation number, tag, has children, attributes with their forms. */
const abbreviations: readonly (readonly [number, number, boolean, readonly (readonly [number, number])[]])[] = [
  [
    abbreviation.unit,
    tag.compileUnit,
    true,
    [
      [at.producer, form.strp],
      [at.language, form.data1],
      [at.name, form.strp],
      [at.compDir, form.strp],
      [at.lowPc, form.addr],
      [at.ranges, form.secOffset],
      [at.stmtList, form.secOffset],
    ],
  ],
  [
    abbreviation.baseType,
    tag.baseType,
    false,
    [
      [at.name, form.strp],
      [at.byteSize, form.data1],
      [at.encoding, form.data1],
    ],
  ],
  [abbreviation.subprogram, tag.subprogram, false, subprogramAttributes],
];

const baseTypes = [
  ['u8', 1, encoding.unsigned],
  ['u16', 2, encoding.unsigned],
  ['u32', 4, encoding.unsigned],
  ['u64', 8, encoding.unsigned],
  ['i8', 1, encoding.signed],
  ['i16', 2, encoding.signed],
  ['i32', 4, encoding.signed],
  ['i64', 8, encoding.signed],
  ['f64', 8, encoding.float],
  ['boolean', 1, encoding.boolean],
] as const;

export interface Subprogram {
  readonly symbol: AtomSymbol;
  readonly declared: SourceLocation;
  /** Signed. */
  readonly address: number;
}

export interface Unit {
  readonly name: string;
  readonly directory: string;
  readonly subprograms: readonly Subprogram[];
  /** Address and size of each run of code with lines or subprograms, ascending. */
  readonly ranges: readonly { readonly address: number; readonly size: number }[];
}

export function encodeAbbreviations(): Uint8Array {
  const out = new ByteWriter();
  for (const [number, tagNumber, hasChildren, attributes] of abbreviations) {
    out
      .uleb(number)
      .uleb(tagNumber)
      .u8(hasChildren ? 1 : 0);
    for (const [name, formNumber] of attributes) out.uleb(name).uleb(formNumber);
    out.u8(0).u8(0);
  }
  return out.u8(0).written;
}

/** Header of 12 bytes, and the only list at its end. */
export const rangeListOffset = 12;

export function encodeRanges(unit: Unit): Uint8Array {
  const list = new ByteWriter();
  for (const { address, size } of unit.ranges) list.u8(rangeStartLength).u64(address).uleb(size);
  list.u8(rangeEndOfList);
  const out = new ByteWriter();
  return out
    .u32(8 + list.length)
    .u16(5)
    .u8(8)
    .u8(0)
    .u32(0)
    .bytes(list.written).written;
}

export function encodeInfo(unit: Unit, files: FileTable, strings: StringTable): Uint8Array {
  const body = new ByteWriter(4096);
  body.u16(5).u8(unitTypeCompile).u8(8).u32(0);
  body.uleb(abbreviation.unit).u32(strings.offset('palindrome')).u8(languageC11);
  body.u32(strings.offset(unit.name)).u32(strings.offset(unit.directory)).u64(0).u32(rangeListOffset).u32(0);
  for (const [name, size, code] of baseTypes) body.uleb(abbreviation.baseType).u32(strings.offset(name)).u8(size).u8(code);
  for (const { symbol, declared, address } of unit.subprograms) {
    body.uleb(abbreviation.subprogram);
    body
      .u32(strings.offset(symbol.displayName ?? symbol.name))
      .u64(address)
      .u32(symbol.size);
    body.uleb(files.number(declared.file)).uleb(declared.line);
    body
      .u8(symbol.binding === 'global' ? 1 : 0)
      .uleb(1)
      .u8(opCallFrameCfa);
  }
  body.u8(0);
  return new ByteWriter(body.length + 4).u32(body.length).bytes(body.written).written;
}
