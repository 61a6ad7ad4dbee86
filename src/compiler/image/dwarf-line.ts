/** `.debug_line`, DWARF 5 section 6.2: one program for each unit, one sequence for each atom that has rows. */
import { ByteWriter } from './byte-writer.ts';
import type { LineRow } from './object.ts';
import type { PlacedAtom } from './place.ts';

const lineBase = -5;
const lineRange = 14;
const opcodeBase = 13;
/** Operand counts of the standard opcodes 1 to 12. */
const standardOpcodeLengths = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1] as const;
const op = { copy: 1, advancePc: 2, advanceLine: 3, setFile: 4, setColumn: 5, constAddPc: 8, setPrologueEnd: 10 } as const;
const extended = { endSequence: 1, setAddress: 2 } as const;
const formString = 0x08;
const formUdata = 0x0f;
const contentPath = 1;
const contentDirectoryIndex = 2;

/** Numbers of source files: 0 is the unit's own, as DWARF 5 wants it. */
export class FileTable {
  readonly #numbers = new Map<string, number>();

  constructor(unit: string) {
    this.#numbers.set(unit, 0);
  }

  number(file: string): number {
    let number = this.#numbers.get(file);
    if (number === undefined) this.#numbers.set(file, (number = this.#numbers.size));
    return number;
  }

  get files(): readonly string[] {
    return [...this.#numbers.keys()];
  }
}

/** Appends the table of a unit. */
export function encodeLines(out: ByteWriter, atoms: readonly PlacedAtom[], files: FileTable, directory: string): void {
  const program = new ByteWriter(4096);
  for (const { atom, address } of atoms) {
    if (atom.lines !== undefined && atom.lines.length > 0) encodeSequence(program, atom.lines, address, atom.size, files);
  }
  const header = new ByteWriter();
  header.u8(1).u8(1).u8(1); // minimum instruction length, operations per instruction, default is_stmt
  header
    .u8(lineBase & 0xff)
    .u8(lineRange)
    .u8(opcodeBase);
  for (const length of standardOpcodeLengths) header.u8(length);
  header.u8(1).uleb(contentPath).uleb(formString).uleb(1).string(directory);
  header.u8(2).uleb(contentPath).uleb(formString).uleb(contentDirectoryIndex).uleb(formUdata);
  header.uleb(files.files.length);
  for (const file of files.files) header.string(file).uleb(0);

  out.u32(2 + 1 + 1 + 4 + header.length + program.length);
  out.u16(5).u8(8).u8(0).u32(header.length);
  out.bytes(header.written).bytes(program.written);
}

function encodeSequence(out: ByteWriter, rows: readonly LineRow[], address: number, size: number, files: FileTable): void {
  let file = -1; // the register begins as 1, which readers disagree about: always set
  let line = 1;
  let column = 0;
  let offset = 0;
  out.u8(0).uleb(9).u8(extended.setAddress).u64(address);
  for (const [index, row] of rows.entries()) {
    // A row that another one at the same offset follows covers no byte.
    if (rows[index + 1]?.offset === row.offset && row.isCall !== true) continue;
    const number = files.number(row.file);
    const isSame = index > 0 && number === file && row.line === line && row.column === column;
    if (isSame && row.prologueEnd !== true) continue;
    if (number !== file) out.u8(op.setFile).uleb((file = number));
    if (row.column !== column) out.u8(op.setColumn).uleb((column = row.column));
    if (row.prologueEnd === true) out.u8(op.setPrologueEnd);
    appendRow(out, row.line - line, row.offset - offset);
    line = row.line;
    offset = row.offset;
  }
  if (size > offset) out.u8(op.advancePc).uleb(size - offset);
  out.u8(0).uleb(1).u8(extended.endSequence);
}

/** A special opcode where it reaches, else with the standard ones in front of it (DWARF 5, 6.2.5.1). */
function appendRow(out: ByteWriter, lines: number, bytes: number): void {
  let lineAdvance = lines;
  if (lineAdvance < lineBase || lineAdvance >= lineBase + lineRange) {
    out.u8(op.advanceLine).sleb(lineAdvance);
    lineAdvance = 0;
  }
  const constAdd = Math.floor((255 - opcodeBase) / lineRange);
  let pcAdvance = bytes;
  const special = () => lineAdvance - lineBase + lineRange * pcAdvance + opcodeBase;
  if (special() > 255 && pcAdvance < 2 * constAdd) {
    out.u8(op.constAddPc);
    pcAdvance -= constAdd;
  }
  if (special() > 255) {
    out.u8(op.advancePc).uleb(pcAdvance);
    pcAdvance = 0;
  }
  out.u8(special());
}
