/**
 * Names for positions of a trace, kept beside it in `TRACE.marks`: a small JSON file, of the trace whose digest it says. The file is taken to be hostile.
 *
 *     { "palindrome-marks": 1, "trace": "SHA-256 …", "marks": { "before-the-fault": "1100508" } }
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { UserError } from '../../machine/index.ts';
import { writeWhole } from '../whole-file.ts';
import { isReserved } from './positions.ts';

const VERSION = 1;
const MOST_BYTES = 1 << 20;
const MOST_MARKS = 10_000;
const NAME = /^[A-Za-z_][A-Za-z0-9_.]{0,63}$/;
const POSITION = /^(0|[1-9]\d{0,18})$/;

export class Marks {
  readonly #digest: () => string;
  readonly #path: string | null;
  readonly #marks: Map<string, bigint>;

  private constructor(digest: () => string, path: string | null, marks: Map<string, bigint>) {
    this.#digest = digest;
    this.#path = path;
    this.#marks = marks;
  }

  /** Those in the file at `path`, of the trace with this digest; null: they are kept in memory only. UserError where the file is not what it should be. */
  static open(path: string | null, digest: () => string): Marks {
    if (path === null || !existsSync(path)) return new Marks(digest, path, new Map());
    return new Marks(digest, path, read(path, digest()));
  }

  /** By position. */
  get all(): readonly (readonly [name: string, position: bigint])[] {
    return [...this.#marks].sort(([, a], [, b]) => (a < b ? -1 : a > b ? 1 : 0));
  }

  /** Null where there is none of this name. */
  get(name: string): bigint | null {
    return this.#marks.get(name) ?? null;
  }

  /** Gives a position a name, which may have had another. UserError for a name that cannot be one. */
  set(name: string, position: bigint): void {
    if (!NAME.test(name))
      throw new UserError(`"${name}" cannot be the name of a mark: letters, digits, _ and . (up to 64), a letter first`);
    if (isReserved(name)) throw new UserError(`"${name}" cannot be the name of a mark: it has a meaning as a position`);
    if (!this.#marks.has(name) && this.#marks.size >= MOST_MARKS) throw new UserError(`there are ${MOST_MARKS} marks already: remove some`);
    this.#marks.set(name, position);
    this.#save();
  }

  /** False where there was none. */
  remove(name: string): boolean {
    const was = this.#marks.delete(name);
    if (was) this.#save();
    return was;
  }

  #save(): void {
    if (this.#path === null) return;
    const marks = Object.fromEntries(this.all.map(([name, position]) => [name, `${position}`]));
    writeWhole(this.#path, `${JSON.stringify({ 'palindrome-marks': VERSION, trace: this.#digest(), marks }, null, 2)}\n`);
  }
}

function read(path: string, digest: string): Map<string, bigint> {
  const wrong = (what: string): UserError => new UserError(`${path}: ${what}; mend or remove the file`);
  const stats = statSync(path);
  if (!stats.isFile() || stats.size > MOST_BYTES) throw wrong(`this is no file of marks (a file of up to ${MOST_BYTES} bytes)`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw wrong('this is no file of marks (it is no JSON)');
  }
  if (!isRecord(value) || value['palindrome-marks'] !== VERSION) throw wrong(`this is no file of marks of version ${VERSION}`);
  if (value['trace'] !== digest) throw wrong('its marks are those of another trace');
  const entries = isRecord(value['marks']) ? Object.entries(value['marks']) : [];
  if (entries.length > MOST_MARKS) throw wrong(`more than ${MOST_MARKS} marks`);
  return new Map(
    entries.map(([name, position]) => {
      if (!NAME.test(name) || isReserved(name) || typeof position !== 'string' || !POSITION.test(position))
        throw wrong(`a mark cannot be ${JSON.stringify([name, position]).slice(0, 100)}`);
      return [name, BigInt(position)] as const;
    }),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
