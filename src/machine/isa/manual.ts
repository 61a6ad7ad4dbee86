/** The instruction table as a page for people: generated from the rows, so that it says what the machine does. */
import type { Instruction } from './dsl.ts';
import { factsOf } from './facts.ts';
import { FLAGS, type Flag } from './flags.ts';
import { instructions } from './table.ts';

const list = (flags: ReadonlySet<Flag>) => FLAGS.filter((f) => flags.has(f)).map((f) => f.toUpperCase()).join(' ') || '–'; // biome-ignore format: short

function notes(row: Instruction): string {
  const words: string[] = [];
  if (row.lock === true) words.push('LOCK');
  if (row.rep !== undefined) words.push(row.rep === 'count' ? 'REP' : 'REPE REPNE');
  if (row.privilege !== undefined && row.privilege !== 'any')
    words.push({ cpl0: 'CPL 0', iopl: 'CPL ≤ IOPL', io: 'I/O permission' }[row.privilege]);
  if (row.feature !== undefined) words.push(`CPUID ${row.feature}`);
  return words.join(', ') || '–';
}

function line(row: Instruction): string {
  const facts = factsOf(row);
  const encodings = row.encodings.map((e) => `\`${e.replaceAll(/ {2,}/g, ' · ').replaceAll('|', '\\|')}\``).join('<br>');
  const raises = [...facts.raises].sort().join(' ') || '–';
  return `| ${row.name} | ${encodings} | ${row.text.replaceAll('|', '\\|')} | ${list(facts.flagsRead)} | ${list(facts.flagsWritten)} | ${list(facts.flagsUndefined)} | ${raises} | ${notes(row)} |`;
}

/** Markdown: one line a row, sorted by name. */
export function manualMarkdown(): string {
  const rows = [...instructions].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return [
    '# Instructions',
    '',
    'Generated from `src/machine/isa/instructions`. Encodings are in the manual’s notation (`src/machine/isa/notation.ts` explains it). What is not here is #UD.',
    'Exceptions of memory accesses other than #PF (#GP, #SS, #AC) are not listed.',
    '',
    '| name | encodings | meaning | reads | writes | undefined | raises | notes |',
    '|---|---|---|---|---|---|---|---|',
    ...rows.map(line),
    '',
  ].join('\n');
}
