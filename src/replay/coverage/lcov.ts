/**
 * Coverage as an lcov tracefile (geninfo(1)), by source file:
 *
 * - a line was executed as often as that of its instructions that was executed most; a line that several images have, the sum of them;
 * - a function, as often as its first instruction;
 * - a branch is a conditional jump of the machine's: way 0 is the jump taken, way 1 the one straight on. Those that only lead to a trap (checks that the
 *   compiler adds) are no branches of the source's.
 */
import type { ElfImage } from '../../compiler/image/read-elf.ts';
import { decode } from '../../machine/isa/decode.ts';
import { directTarget } from '../path.ts';
import type { Coverage, ImageCoverage } from './coverage.ts';

interface SourceFile {
  readonly lines: Map<number, number>;
  readonly functions: Map<string, { readonly line: number; count: number }>;
  /** By line: executed, taken. Null: never reached. */
  readonly branches: Map<number, ({ readonly executed: number; readonly taken: number } | null)[]>;
}

export interface LcovText {
  readonly text: string;
  readonly files: number;
  /** That have code; and of those that were executed. */
  readonly lines: number;
  readonly linesHit: number;
}

export function lcovText(coverage: Coverage): LcovText {
  const files = new Map<string, SourceFile>();
  for (const image of coverage.images) addImage(files, image);
  const sorted = [...files.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
  const counts = sorted.flatMap(([, { lines }]) => [...lines.values()]);
  return {
    text: sorted.map(([name, file]) => record(name, file)).join(''),
    files: files.size,
    lines: counts.length,
    linesHit: counts.filter((count) => count > 0).length,
  };
}

function addImage(files: Map<string, SourceFile>, image: ImageCoverage): void {
  const fileOf = (name: string): SourceFile => {
    let file = files.get(name);
    if (file === undefined) files.set(name, (file = { lines: new Map(), functions: new Map(), branches: new Map() }));
    return file;
  };
  addLines(image, fileOf);
  for (const { type, name, address, size } of image.elf.symbols) {
    if (type !== 'function' || size === 0n) continue;
    const declared = image.elf.lineAt(address);
    if (declared !== null) addFunction(fileOf(declared.file), name, declared.line, image.instructions.get(address) ?? 0);
    addBranches(image, address, address + size, fileOf);
  }
}

type FileOf = (name: string) => SourceFile;

function addLines({ elf, instructions }: ImageCoverage, fileOf: FileOf): void {
  const executed = [...instructions.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const counts = new Map<string, Map<number, number>>();
  const ranges = [...elf.lineRanges()].sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  let next = 0;
  for (const { from, to, file, line } of ranges) {
    let most = 0;
    while (next < executed.length && (executed[next]?.[0] ?? 0n) < from) next++;
    for (; next < executed.length && (executed[next]?.[0] ?? 0n) < to; next++) most = Math.max(most, executed[next]?.[1] ?? 0);
    let lines = counts.get(file);
    if (lines === undefined) counts.set(file, (lines = new Map()));
    lines.set(line, Math.max(lines.get(line) ?? 0, most));
  }
  for (const [name, lines] of counts) {
    const file = fileOf(name);
    for (const [line, count] of lines) file.lines.set(line, (file.lines.get(line) ?? 0) + count);
  }
}

function addFunction({ functions }: SourceFile, name: string, line: number, count: number): void {
  // copies of a generic function have one name and line; others of one name are told apart by the line
  const key = [name, `${name}:${line}`].find((candidate) => (functions.get(candidate)?.line ?? line) === line) ?? name;
  const known = functions.get(key);
  if (known === undefined) functions.set(key, { line, count });
  else known.count += count;
}

/** The conditional branches of the code from `from` on, whether they were reached or not. */
function addBranches({ elf, branches }: ImageCoverage, from: bigint, to: bigint, fileOf: FileOf): void {
  const code = codeOf(elf, from, to);
  for (let offset = 0; offset < code.length; ) {
    const decoded = decode(code, offset, 64, code.length - offset);
    if (typeof decoded === 'string') return;
    const address = from + BigInt(offset);
    offset += decoded.length;
    if (decoded.row.flow !== 'branch') continue;
    if (elf.trapAt(directTarget(decoded, address + BigInt(decoded.length))) !== null) continue;
    const place = elf.lineAt(address);
    if (place === null) continue;
    const file = fileOf(place.file);
    let list = file.branches.get(place.line);
    if (list === undefined) file.branches.set(place.line, (list = []));
    list.push(branches.get(address) ?? null);
  }
}

function codeOf(elf: ElfImage, from: bigint, to: bigint): Uint8Array {
  const section = elf.sections.find(
    ({ isExecutable, address, bytes }) => isExecutable && from >= address && to <= address + BigInt(bytes.length),
  );
  return section === undefined ? new Uint8Array(0) : section.bytes.subarray(Number(from - section.address), Number(to - section.address));
}

function record(name: string, { lines, functions, branches }: SourceFile): string {
  const out = ['TN:', `SF:${name}`];
  const byLine = <T>(map: ReadonlyMap<number, T>): [number, T][] => [...map.entries()].sort(([a], [b]) => a - b);
  const declared = [...functions.entries()].sort(([, a], [, b]) => a.line - b.line);
  for (const [symbol, { line }] of declared) out.push(`FN:${line},${symbol}`);
  for (const [symbol, { count }] of declared) out.push(`FNDA:${count},${symbol}`);
  out.push(`FNF:${declared.length}`, `FNH:${declared.filter(([, { count }]) => count > 0).length}`);
  let [ways, taken] = [0, 0];
  for (const [line, list] of byLine(branches)) {
    for (const [block, branch] of list.entries()) {
      const counts = branch === null ? ['-', '-'] : [branch.taken, branch.executed - branch.taken];
      for (const [way, count] of counts.entries()) out.push(`BRDA:${line},${block},${way},${count}`);
      ways += 2;
      taken += counts.filter((count) => count !== '-' && count !== 0).length;
    }
  }
  out.push(`BRF:${ways}`, `BRH:${taken}`);
  for (const [line, count] of byLine(lines)) out.push(`DA:${line},${count}`);
  out.push(`LF:${lines.size}`, `LH:${[...lines.values()].filter((count) => count > 0).length}`, 'end_of_record', '');
  return out.join('\n');
}
