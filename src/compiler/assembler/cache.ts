/** Assembled texts, kept from one compilation to the next: a text gives the same code every time, and programs have the same few over and over. */
import type { ObjectFile } from '../image/object.ts';
import { assemble } from './assemble.ts';
import { assembleInline, type InlineCode } from './inline.ts';

export class AssemblyCache {
  readonly #inline = new Map<string, InlineCode>();
  readonly #objects = new Map<string, ObjectFile>();
  readonly #limit: number;

  /** @param limit texts of each kind that are kept at most */
  constructor(limit = 1000) {
    this.#limit = limit;
  }

  /** As `assembleInline`; what fails is not kept. @throws AssemblyError */
  inline(text: string): InlineCode {
    return kept(this.#inline, this.#limit, text, () => assembleInline(text));
  }

  /** As `assemble`; what fails is not kept. @throws AssemblyError */
  object(text: string, name: string, firstLine: number): ObjectFile {
    return kept(this.#objects, this.#limit, `${firstLine} ${name}\n${text}`, () => assemble(text, { name, firstLine }));
  }
}

function kept<T>(map: Map<string, T>, limit: number, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (map.size >= limit) map.clear();
  map.set(key, made);
  return made;
}
