/** `.debug_line` read back, DWARF 2 to 5 (also gcc's and clang's): which address belongs to which line. */
import { UserError } from '../../machine/isa/bug.ts';
import { ByteReader } from './byte-reader.ts';
import type { SourceLocation } from './object.ts';
import { lastAtOrBefore } from './search.ts';

/** Rows of one sequence: addresses `from` to `to` (exclusive). */
interface Row extends SourceLocation {
  readonly address: bigint;
}
interface Sequence {
  readonly from: bigint;
  readonly to: bigint;
  readonly rows: readonly Row[];
}

/** Code of one line: `from` ≤ address < `to`. */
export interface LineRange {
  readonly from: bigint;
  readonly to: bigint;
  readonly file: string;
  readonly line: number;
}

export class LineTable {
  readonly #sequences: readonly Sequence[];

  constructor(sequences: Sequence[]) {
    this.#sequences = sequences.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  }

  at(address: bigint): SourceLocation | null {
    const sequence = this.#sequences[lastAtOrBefore(this.#sequences, address, (s) => s.from)];
    if (sequence === undefined || address >= sequence.to) return null;
    const row = sequence.rows[lastAtOrBefore(sequence.rows, address, (r) => r.address)];
    return row === undefined || row.line === 0 ? null : { file: row.file, line: row.line, column: row.column };
  }

  /** All code that has a line, ascending within a sequence: `from` ≤ address < `to`. */
  *ranges(): Generator<LineRange> {
    for (const { rows, to } of this.#sequences) {
      for (const [index, { address, file, line }] of rows.entries()) {
        const end = rows[index + 1]?.address ?? to;
        if (line !== 0 && end > address) yield { from: address, to: end, file, line };
      }
    }
  }

  /** How many bytes of code come from each file, inlined ones included, in order of first appearance by address. */
  bytesByFile(): ReadonlyMap<string, number> {
    const bytes = new Map<string, number>();
    for (const { rows, to } of this.#sequences) {
      for (const [index, row] of rows.entries()) {
        const size = Number((rows[index + 1]?.address ?? to) - row.address);
        bytes.set(row.file, (bytes.get(row.file) ?? 0) + size);
      }
    }
    return bytes;
  }

  /** `file` may be the end of a path: `map.ts` or `syscalls/map.ts`. */
  addressesOf(file: string, line: number): readonly bigint[] {
    const found: bigint[] = [];
    for (const { rows } of this.#sequences) {
      for (const [index, row] of rows.entries()) {
        const before = rows[index - 1];
        const isFirst = before === undefined || before.line !== row.line || before.file !== row.file;
        if (isFirst && row.line === line && (row.file === file || row.file.endsWith(`/${file}`))) found.push(row.address);
      }
    }
    return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }
}

export function readLines(lines: Uint8Array, strings: Uint8Array, lineStrings: Uint8Array, name: string): LineTable {
  const what = `${name}: the line table`;
  const reader = new ByteReader(lines, what);
  const sequences: Sequence[] = [];
  while (!reader.isAtEnd) {
    const length = reader.u32();
    if (length >= 0xfffffff0) throw new UserError(`${what} is in the 64-bit DWARF format, which is not read`);
    readUnit(reader.part(length), { strings, lineStrings, what }, sequences);
  }
  return new LineTable(sequences);
}

/** The names of the source files of the table that begins at an offset, by their numbers. */
export function readFileNames(
  lines: Uint8Array,
  offset: number,
  strings: Uint8Array,
  lineStrings: Uint8Array,
  name: string,
): readonly string[] {
  const what = `${name}: the line table`;
  const reader = new ByteReader(lines, what, offset);
  return openUnit(reader.part(reader.u32()), { strings, lineStrings, what }).files;
}

interface Context {
  readonly strings: Uint8Array;
  readonly lineStrings: Uint8Array;
  readonly what: string;
}

interface Header {
  readonly minimalLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly operandCounts: readonly number[];
  /** By file number. */
  readonly files: string[];
  readonly directories: readonly string[];
}

function readUnit(unit: ByteReader, context: Context, sequences: Sequence[]): void {
  runProgram(unit, openUnit(unit, context), sequences);
}

function openUnit(unit: ByteReader, context: Context): Header {
  const version = unit.u16();
  if (version < 2 || version > 5) unit.fail(`has the unknown version ${version}`);
  if (version === 5 && unit.u8() !== 8) unit.fail('is not for 64-bit addresses');
  if (version === 5) unit.skip(1);
  const headerReader = unit.part(unit.u32());
  return readHeader(headerReader, version, context);
}

function readHeader(reader: ByteReader, version: number, context: Context): Header {
  const minimalLength = reader.u8();
  if (version >= 4) reader.skip(1);
  reader.skip(1);
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  if (lineRange === 0) reader.fail('has a line range of 0');
  const opcodeBase = reader.u8();
  if (opcodeBase === 0) reader.fail('has an opcode base of 0');
  const operandCounts = [0];
  for (let opcode = 1; opcode < opcodeBase; opcode += 1) operandCounts.push(reader.u8());
  const fixed = { minimalLength, lineBase, lineRange, operandCounts };
  if (version === 5) {
    const directories = readEntries(reader, context).map((e) => e.path);
    const files = readEntries(reader, context).map((e) => joined(directories, e.directory, e.path));
    return { ...fixed, directories, files };
  }
  const directories = [''];
  for (let text = reader.string(); text !== ''; text = reader.string()) directories.push(text);
  const files = [''];
  for (let text = reader.string(); text !== ''; text = reader.string()) {
    files.push(joined(directories, reader.uleb(), text));
    reader.uleb();
    reader.uleb();
  }
  return { ...fixed, directories, files };
}

/** Directory 0 is the compilation's own: names are left relative to it. */
function joined(directories: readonly string[], directory: number, file: string): string {
  const parent = directories[directory];
  return directory === 0 || file.startsWith('/') || parent === undefined || parent === '' ? file : `${parent}/${file}`;
}

/** An entry-format list of DWARF 5 (6.2.4.1): directories or files. */
function readEntries(reader: ByteReader, context: Context): { path: string; directory: number }[] {
  const formats: [content: number, form: number][] = [];
  for (let count = reader.u8(); count > 0; count -= 1) formats.push([reader.uleb(), reader.uleb()]);
  const entries: { path: string; directory: number }[] = [];
  const count = reader.uleb();
  if (formats.length === 0 && count > 0) reader.fail('has entries without a format');
  for (let index = 0; index < count; index += 1) {
    let path = '';
    let directory = 0;
    for (const [content, form] of formats) {
      const value = readForm(reader, form, context);
      if (content === 1 && typeof value === 'string') path = value;
      if (content === 2 && typeof value === 'number') directory = value;
    }
    entries.push({ path, directory });
  }
  return entries;
}

function readForm(reader: ByteReader, form: number, { strings, lineStrings, what }: Context): string | number | null {
  const skipped = (length: number) => {
    reader.skip(length);
    return null;
  };
  switch (form) {
    case 0x08: // DW_FORM_string
      return reader.string();
    case 0x0e: // DW_FORM_strp
      return new ByteReader(strings, what, reader.u32()).string();
    case 0x1f: // DW_FORM_line_strp
      return new ByteReader(lineStrings, what, reader.u32()).string();
    case 0x0b: // DW_FORM_data1
      return reader.u8();
    case 0x05: // DW_FORM_data2
      return reader.u16();
    case 0x06: // DW_FORM_data4
      return reader.u32();
    case 0x0f: // DW_FORM_udata
      return reader.uleb();
    case 0x07: // DW_FORM_data8
      return skipped(8);
    case 0x1e: // DW_FORM_data16
      return skipped(16);
    case 0x09: // DW_FORM_block
      return skipped(reader.uleb());
    default:
      return reader.fail(`uses the unknown form 0x${form.toString(16)}`);
  }
}

function runProgram(program: ByteReader, header: Header, sequences: Sequence[]): void {
  const { minimalLength, lineBase, lineRange, operandCounts, files } = header;
  const opcodeBase = operandCounts.length;
  const initial = { address: 0n, file: 1, line: 1, column: 0 };
  let state = { ...initial };
  let rows: Row[] = [];
  const advance = (operations: number) => {
    state.address = BigInt.asUintN(64, state.address + BigInt(operations) * BigInt(minimalLength));
  };
  const append = () => {
    const { address, file, line, column } = state;
    const last = rows.at(-1);
    if (last !== undefined && address < last.address) program.fail('goes backwards within a sequence');
    rows.push({ address, file: files[file] ?? '?', line, column });
  };
  const endSequence = () => {
    const first = rows[0];
    if (first !== undefined && state.address > first.address) sequences.push({ from: first.address, to: state.address, rows });
    rows = [];
    state = { ...initial };
  };
  while (!program.isAtEnd) {
    const opcode = program.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      state.line += lineBase + (adjusted % lineRange);
      append();
      continue;
    }
    switch (opcode) {
      case 0: {
        const operation = program.part(program.uleb());
        const code = operation.u8();
        if (code === 1) endSequence();
        else if (code === 2) state.address = operation.u64();
        break;
      }
      case 1: // DW_LNS_copy
        append();
        break;
      case 2: // DW_LNS_advance_pc
        advance(program.uleb());
        break;
      case 3: // DW_LNS_advance_line
        state.line += program.sleb();
        break;
      case 4: // DW_LNS_set_file
        state.file = program.uleb();
        break;
      case 5: // DW_LNS_set_column
        state.column = program.uleb();
        break;
      case 8: // DW_LNS_const_add_pc
        advance(Math.floor((255 - opcodeBase) / lineRange));
        break;
      case 9: // DW_LNS_fixed_advance_pc
        state.address = BigInt.asUintN(64, state.address + BigInt(program.u16()));
        break;
      default: // flags of the row that nobody here asks for, and opcodes to come
        for (let count = operandCounts[opcode] ?? 0; count > 0; count -= 1) program.uleb();
    }
  }
}
