/**
 * A saboteur: a small edit of keel's source, applied when it is built, that plants one defect. It lives in a JSON file of its own, so that keel
 * itself has no switch for defects:
 *
 *     { "name": "no-smap", "breaks": ["INV-17"], "because": "…", "edits": [{ "file": "ostd/cpu.ts", "text": ["…"], "replacement": ["…"] }] }
 *
 * `text` and `replacement` are lines; the text must stand in the file exactly once. `file` is relative to keel's sources.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { UserError } from '../../machine/index.ts';

export interface Edit {
  readonly file: string;
  readonly text: string;
  readonly replacement: string;
}

export interface Saboteur {
  readonly name: string;
  /** Ids of the invariants that the defect breaks. */
  readonly breaks: readonly string[];
  /** What the defect is. */
  readonly because: string;
  readonly edits: readonly Edit[];
}

const FOLDER = new URL(import.meta.url.endsWith('.ts') ? '../saboteurs/' : '../../../../src/fuzz/saboteurs/', import.meta.url);
const MOST_BYTES = 1 << 20;

/** The names of the saboteurs that come with the project. */
export const saboteurNames = (): string[] =>
  readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.slice(0, -'.json'.length))
    .sort();

/** Loads a saboteur by its name or by the path of its file. UserError where there is none or the file is not one. */
export function loadSaboteur(nameOrPath: string): Saboteur {
  const own = new URL(`${nameOrPath}.json`, FOLDER);
  const path = /^[a-z0-9-]+$/.test(nameOrPath) && existsSync(own) ? own : nameOrPath;
  if (!existsSync(path)) throw new UserError(`saboteur ${nameOrPath}: no such file or name; names: ${saboteurNames().join(', ')}`);
  if (statSync(path).size > MOST_BYTES)
    throw new UserError(`saboteur ${nameOrPath}: the file is larger than ${MOST_BYTES} bytes; is it one?`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(`saboteur ${nameOrPath}: not JSON: ${error instanceof Error ? error.message : error}`);
  }
  return asSaboteur(parsed, (what) => {
    throw new UserError(`saboteur ${nameOrPath}: ${what}`);
  });
}

type Refuse = (what: string) => never;

function asSaboteur(value: unknown, refuse: Refuse): Saboteur {
  const fields = asRecord(value, 'the file', refuse);
  const { edits } = fields;
  if (!Array.isArray(edits) || edits.length === 0) return refuse('"edits" must be a list of { file, text, replacement }');
  const breaks = asLines(fields['breaks'], '"breaks"', refuse);
  return {
    name: asText(fields['name'], '"name"', refuse),
    breaks,
    because: asText(fields['because'], '"because"', refuse),
    edits: edits.map((edit: unknown, index) => {
      const { file, text, replacement } = asRecord(edit, `edit ${index + 1}`, refuse);
      return {
        file: asText(file, `"file" of edit ${index + 1}`, refuse),
        text: asLines(text, `"text" of edit ${index + 1}`, refuse).join('\n'),
        replacement: asLines(replacement, `"replacement" of edit ${index + 1}`, refuse).join('\n'),
      };
    }),
  };
}

function asRecord(value: unknown, what: string, refuse: Refuse): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : refuse(`${what} must be an object`);
}

function asText(value: unknown, what: string, refuse: Refuse): string {
  return typeof value === 'string' && value !== '' ? value : refuse(`${what} must be a text`);
}

function asLines(value: unknown, what: string, refuse: Refuse): string[] {
  return Array.isArray(value) && value.every((line) => typeof line === 'string') ? value : refuse(`${what} must be a list of texts`);
}
