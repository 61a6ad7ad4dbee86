/** Results as JSON: printed, kept in bench/results, compared. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BenchError } from './error.ts';
import type { Row } from './rows.ts';
import { layOut, number } from './table.ts';

export interface Result {
  readonly rows: readonly Row[];
  /** Of the project, the engine and every tool. */
  readonly versions: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly date: string;
}

/** One file a day. Gives its path. */
export function save(result: Result, folder = join(import.meta.dirname, 'results')): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${result.date.slice(0, 10)}.json`);
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`);
  return path;
}

export function load(path: string): Result {
  try {
    const result: Result = JSON.parse(readFileSync(path, 'utf8'), (key, value) => (key === 'ours' && value === null ? Number.NaN : value));
    if (Array.isArray(result.rows) && typeof result.date === 'string') return result;
  } catch (error) {
    throw new BenchError(`--compare ${path}: ${error instanceof Error ? error.message : error}`);
  }
  throw new BenchError(`--compare ${path}: it is no result of the bench`);
}

/** What changed: a line for each row that is in both. Ratios, since the host under the two may differ. */
export function comparison(before: Result, now: Result): string {
  const key = ({ name, image, unit, peerName }: Row) => [name, image, unit, peerName].join('\n');
  const earlier = new Map(before.rows.map((row) => [key(row), row]));
  const lines = now.rows.flatMap((row) => {
    const old = earlier.get(key(row));
    if (old === undefined || (old.ratio === null) !== (row.ratio === null)) return [];
    const [was, is] = [old.ratio ?? old.ours, row.ratio ?? row.ours];
    const beside = row.peerName === null ? row.unit : `: ${row.peerName}`;
    return [[row.name, row.image, beside, number(was), number(is), `× ${number(is / was)}`]];
  });
  return layOut([['', 'of', 'beside', before.date.slice(0, 10), 'now', 'change'], ...lines]);
}
