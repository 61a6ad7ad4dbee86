/** `.debug_abbrev`: the shapes of the entries of `.debug_info`, and the numbers of DWARF 5 that they are made of (section 7.5). */
import { ByteWriter } from './byte-writer.ts';

export const tag = {
  arrayType: 0x01,
  formalParameter: 0x05,
  lexicalBlock: 0x0b,
  member: 0x0d,
  pointerType: 0x0f,
  compileUnit: 0x11,
  structureType: 0x13,
  subroutineType: 0x15,
  typedef: 0x16,
  inlinedSubroutine: 0x1d,
  subrangeType: 0x21,
  baseType: 0x24,
  subprogram: 0x2e,
  variable: 0x34,
} as const;

export const at = {
  location: 0x02,
  name: 0x03,
  byteSize: 0x0b,
  stmtList: 0x10,
  lowPc: 0x11,
  highPc: 0x12,
  language: 0x13,
  compDir: 0x1b,
  inline: 0x20,
  producer: 0x25,
  prototyped: 0x27,
  abstractOrigin: 0x31,
  count: 0x37,
  dataMemberLocation: 0x38,
  declFile: 0x3a,
  declLine: 0x3b,
  declaration: 0x3c,
  encoding: 0x3e,
  external: 0x3f,
  frameBase: 0x40,
  type: 0x49,
  ranges: 0x55,
  callColumn: 0x57,
  callFile: 0x58,
  callLine: 0x59,
} as const;

export const form = {
  addr: 0x01,
  data4: 0x06,
  data1: 0x0b,
  strp: 0x0e,
  udata: 0x0f,
  refAddr: 0x10,
  secOffset: 0x17,
  exprloc: 0x18,
  flagPresent: 0x19,
  flag: 0x0c,
} as const;

type Attributes = readonly (readonly [name: number, form: number])[];

const named: Attributes = [[at.name, form.strp]];
const declared: Attributes = [
  [at.name, form.strp],
  [at.declFile, form.udata],
  [at.declLine, form.udata],
];
const typed: Attributes = [[at.type, form.refAddr]];
const range: Attributes = [
  [at.lowPc, form.addr],
  [at.highPc, form.data4],
];
const ranges: Attributes = [[at.ranges, form.secOffset]];
const size: Attributes = [[at.byteSize, form.udata]];
const code: Attributes = [...declared, ...range, [at.external, form.flag], [at.frameBase, form.exprloc]];
const call: Attributes = [
  [at.abstractOrigin, form.refAddr],
  [at.callFile, form.udata],
  [at.callLine, form.udata],
  [at.callColumn, form.udata],
];

// biome-ignore format: an abbreviation a line
const rows = {
  unit:              [tag.compileUnit, true, [[at.producer, form.strp], [at.language, form.data1], [at.name, form.strp], [at.compDir, form.strp], [at.lowPc, form.addr], [at.ranges, form.secOffset], [at.stmtList, form.secOffset]]],
  typeUnit:          [tag.compileUnit, true, [[at.producer, form.strp], [at.language, form.data1], [at.name, form.strp], [at.compDir, form.strp]]],
  subprogram:        [tag.subprogram, true, code],
  typedSubprogram:   [tag.subprogram, true, [...code, ...typed]],
  inlineFunction:    [tag.subprogram, false, [...declared, [at.inline, form.data1]]],
  typedInlineFunction: [tag.subprogram, false, [...declared, [at.inline, form.data1], ...typed]],
  inlined:           [tag.inlinedSubroutine, true, [...call, ...range]],
  inlinedInParts:    [tag.inlinedSubroutine, true, [...call, ...ranges]],
  block:             [tag.lexicalBlock, true, range],
  blockInParts:      [tag.lexicalBlock, true, ranges],
  parameter:         [tag.formalParameter, false, [...declared, ...typed, [at.location, form.secOffset]]],
  lostParameter:     [tag.formalParameter, false, [...declared, ...typed]],
  variable:          [tag.variable, false, [...declared, ...typed, [at.location, form.secOffset]]],
  lostVariable:      [tag.variable, false, [...declared, ...typed]],
  global:            [tag.variable, false, [...declared, ...typed, [at.location, form.exprloc]]],
  baseType:          [tag.baseType, false, [...named, ...size, [at.encoding, form.data1]]],
  pointer:           [tag.pointerType, false, [...size, ...typed]],
  pointerToAnything: [tag.pointerType, false, size],
  structure:         [tag.structureType, true, [...named, ...size]],
  namelessStructure: [tag.structureType, true, size],
  unknownStructure:  [tag.structureType, false, [...named, [at.declaration, form.flagPresent]]],
  member:            [tag.member, false, [...named, ...typed, [at.dataMemberLocation, form.udata]]],
  array:             [tag.arrayType, true, typed],
  arrayBounds:       [tag.subrangeType, false, [[at.count, form.udata]]],
  alias:             [tag.typedef, false, [...named, ...typed]],
  functionType:      [tag.subroutineType, true, [[at.prototyped, form.flagPresent]]],
  typedFunctionType: [tag.subroutineType, true, [[at.prototyped, form.flagPresent], ...typed]],
  typeOfParameter:   [tag.formalParameter, false, typed],
} satisfies Record<string, readonly [number, boolean, Attributes]>;

export type Abbreviation = keyof typeof rows;

const numbers = new Map(Object.keys(rows).map((name, k) => [name, k + 1]));

/** The number that an entry of this shape begins with. */
export function abbreviation(name: Abbreviation): number {
  return numbers.get(name) ?? 0;
}

export function encodeAbbreviations(): Uint8Array {
  const out = new ByteWriter();
  for (const [name, [tagNumber, hasChildren, attributes]] of Object.entries(rows)) {
    out.uleb(numbers.get(name) ?? 0).uleb(tagNumber);
    out.u8(hasChildren ? 1 : 0);
    for (const [attribute, formNumber] of attributes) out.uleb(attribute).uleb(formNumber);
    out.u8(0).u8(0);
  }
  return out.u8(0).written;
}
