/** `inspect` of selected events and instructions: as lines, JSON or comma-separated values, row by row. */
import { branchText, instructionText, type SelectedRow, Selection, select, type Trace } from '../replay/index.ts';
import type { InspectOptions } from './inspect-options.ts';
import { plain } from './report.ts';

/** Rows are written in pieces of about this many characters: by themselves they would cost a call each. */
const PIECE = 1 << 16;

export async function showSelected(trace: Trace, options: InspectOptions): Promise<void> {
  const { select: selections, json, csv, limit = Number.POSITIVE_INFINITY, tier } = options;
  const selection = new Selection(selections, shorthands(options));
  const out = new Output();
  let rows = 0;
  const { branch } = trace.header;
  const left = branch === null ? '' : `"branch":${JSON.stringify(plain(branch))},`;
  if (json) out.write(`{"instructions":${trace.instructions},${left}"rows":[`);
  else if (branch !== null && !csv) out.write(`${branchText(branch)}\n`);
  if (csv) out.write(`${COLUMNS.join(',')}\r\n`);
  await select(trace, selection, { tier }, (row) => {
    if (json) out.write(`${rows > 0 ? ',' : ''}${JSON.stringify(plain(jsonOf(row)))}`);
    else out.write(csv ? csvOf(row) : `${String(row.at).padStart(12)}  ${textOf(row)}\n`);
    return ++rows < limit;
  });
  if (json) out.write(']}\n');
  out.flush();
}

/** The older options, as clauses that hold beside all others. */
function shorthands({ kind, call, from, to }: InspectOptions): string {
  const clauses = [kind === undefined ? '' : `kind=${kind}`, call === undefined ? '' : `call=${call}`];
  if (from > 0 || to !== undefined) clauses.push(`at=${from}..${to ?? ''}`);
  return clauses.join(' ').trim();
}

class Output {
  #text = '';

  write(text: string): void {
    this.#text += text;
    if (this.#text.length >= PIECE) this.flush();
  }

  /** To standard output, which waits for its reader: rows that nobody reads are not kept. */
  flush(): void {
    process.stdout.write(this.#text);
    this.#text = '';
  }
}

function textOf(row: SelectedRow): string {
  const text = 'event' in row ? row.text : instructionText(row.instruction);
  return row.process === null ? text : `[${row.process}] ${text}`;
}

function jsonOf(row: SelectedRow): object {
  const process = row.process === null ? {} : { process: row.process };
  if ('event' in row) return { ...row.event, ...(row.names !== null && { names: row.names }), ...process };
  return { kind: 'instruction', ...row.instruction, ...process };
}

const COLUMNS = ['at', 'kind', 'process', 'cpl', 'address', 'image', 'symbol', 'source', 'text'] as const;

/** By RFC 4180. */
function csvOf(row: SelectedRow): string {
  const hex = (value: unknown) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : '');
  const cells =
    'event' in row
      ? [row.at, row.event.kind, row.process, '', 'rip' in row.event ? hex(row.event.rip) : '', '', '', '', row.text]
      : instructionCells(row);
  return `${cells.map((cell) => quoted(String(cell ?? ''))).join(',')}\r\n`;
}

function instructionCells(row: Extract<SelectedRow, { readonly instruction: unknown }>): unknown[] {
  const { cpl, rip, place, text } = row.instruction;
  return [row.at, 'instruction', row.process, cpl, `0x${rip.toString(16)}`, place?.image, place?.symbol, place?.source, text];
}

function quoted(cell: string): string {
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
