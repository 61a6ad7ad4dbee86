/** Small files that would keep a careless reader of `.debug_info` busy for hours. */
import { expect, test } from 'vitest';
import { AbbreviationTables } from '../../../src/compiler/image/read-abbreviations.ts';
import { type DebugSectionBytes, readEntries, readUnits } from '../../../src/compiler/image/read-entries.ts';

const FLAG_PRESENT = 0x19;
const UNIT_BYTES = 12;

/** Units of DWARF 4 with one entry of abbreviation 1, whose table `tableOf` names. */
function sectionsOf(units: number, tableOf: (n: number) => number, abbreviations: Uint8Array): DebugSectionBytes {
  const view = new DataView(new ArrayBuffer(units * UNIT_BYTES));
  for (let n = 0; n < units; n++) {
    const at = n * UNIT_BYTES;
    view.setUint32(at, UNIT_BYTES - 4, true);
    view.setUint16(at + 4, 4, true);
    view.setUint32(at + 6, tableOf(n), true);
    view.setUint8(at + 10, 8);
    view.setUint8(at + 11, 1);
  }
  const none = new Uint8Array(0);
  const tables = new AbbreviationTables(abbreviations, 'bad');
  return {
    info: new Uint8Array(view.buffer),
    abbreviations: tables,
    strings: none,
    lineStrings: none,
    locations: none,
    ranges: none,
    name: 'bad',
  };
}

/** So many abbreviations with the number 1, and the end. */
function tableOf(length: number): Uint8Array {
  const bytes = new Uint8Array(5 * length + 1);
  for (let n = 0; n < length; n++) bytes.set([1, 0x11, 0, 0, 0], 5 * n);
  return bytes;
}

const readAll = (sections: DebugSectionBytes) => readUnits(sections).map((unit) => readEntries(sections, unit, true)?.tag);

test('a long table that many units name is read once', () => {
  const tags = readAll(sectionsOf(50_000, () => 0, tableOf(50_000)));
  expect(tags).toHaveLength(50_000);
  expect(new Set(tags)).toEqual(new Set([0x11]));
});

test('tables that are the ends of one another are refused', () => {
  expect(() => readAll(sectionsOf(50_000, (n) => 5 * n, tableOf(50_000)))).toThrow('bad: .debug_abbrev has tables that overlap');
});

test('an entry of a few bytes has no thousands of attributes', () => {
  const attributes = new Uint8Array(3 + 2 * 1000 + 3);
  attributes.set([1, 0x11, 0]);
  for (let n = 0; n < 1000; n++) attributes.set([1 + (n % 100), FLAG_PRESENT], 3 + 2 * n);
  expect(() => readAll(sectionsOf(1, () => 0, attributes))).toThrow('bad: .debug_info has entries with more attributes than bytes');
});
