/** Reads the query of a request, which may be anybody's: each value has a form and a range. Throws UserError that names what is wrong. */
import { UserError } from '../machine/index.ts';

const MOST_TEXT = 200;

export class Query {
  readonly #values: URLSearchParams;

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  /** A whole number, decimal. */
  number(name: string, least: number, most: number, preset?: number): number {
    const text = this.#values.get(name);
    if (text === null && preset !== undefined) return preset;
    const value = text !== null && /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new UserError(`"${name}" is a whole number from ${least} to ${most}`);
    return value;
  }

  /** An address: hexadecimal digits behind 0x, 64 bits at most. */
  address(name: string): string {
    const text = this.#values.get(name) ?? '';
    if (!/^0x[0-9a-fA-F]{1,16}$/.test(text)) throw new UserError(`"${name}" is an address such as 0x7ffe0000`);
    return text.toLowerCase();
  }

  choice<const Name extends string>(name: string, names: readonly Name[], preset?: Name): Name {
    const text = this.#values.get(name) ?? preset;
    const found = names.find((each) => each === text);
    if (found === undefined) throw new UserError(`"${name}" is one of ${names.join(', ')}`);
    return found;
  }

  /** A list of names, separated by commas; empty where it is missing. */
  choices<const Name extends string>(name: string, names: readonly Name[]): readonly Name[] {
    const text = this.text(name, '');
    if (text === '') return [];
    return text.split(',').map((part) => {
      const found = names.find((each) => each === part);
      if (found === undefined) throw new UserError(`"${name}" has of ${names.join(', ')}, separated by commas`);
      return found;
    });
  }

  text(name: string, preset?: string): string {
    const text = this.#values.get(name) ?? preset;
    if (text === undefined || text.length > MOST_TEXT) throw new UserError(`"${name}" is a text of up to ${MOST_TEXT} characters`);
    return text;
  }
}
