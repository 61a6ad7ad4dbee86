/**
 * The text of a selection:
 *
 *     kind=syscall,page-fault process=2 at=1000..2000
 *
 * Clauses are separated by spaces and must all hold. A clause is a key, `=` or `!=`, and values separated by commas, of which one must match (none, with
 * `!=`). A value with spaces, commas or quotes in it stands between double quotes. What keys and values mean is said in keys.ts.
 */
import { UserError } from '../../machine/isa/bug.ts';

/** A value, and the character at which it begins, from 1. */
export interface Value {
  readonly text: string;
  readonly at: number;
}

export interface Clause {
  readonly key: Value;
  readonly isNegated: boolean;
  readonly values: readonly Value[];
}

const LONGEST = 4096;

/** Says what is wrong with a selection, and where. */
export function wrongSelection(selection: string, at: number, message: string): UserError {
  return new UserError(`--select ${JSON.stringify(selection)}: character ${at}: ${message}`);
}

/** The clauses of a selection; throws UserError. */
export function parseClauses(selection: string): Clause[] {
  if (selection.length > LONGEST) throw new UserError(`--select: a selection has at most ${LONGEST} characters`);
  const clauses: Clause[] = [];
  let next = 0;
  const fail = (message: string): never => {
    throw wrongSelection(selection, next + 1, message);
  };
  const skipSpaces = (): void => {
    while (/\s/.test(selection[next] ?? '')) next++;
  };
  const value = (): Value => {
    const at = next + 1;
    if (selection[next] !== '"') {
      const text = /^[^\s,"]*/.exec(selection.slice(next))?.[0] ?? '';
      next += text.length;
      if (text === '') fail('a value is missing');
      return { text, at };
    }
    const end = selection.indexOf('"', next + 1);
    if (end < 0) fail('the quotation has no end');
    const text = selection.slice(next + 1, end);
    next = end + 1;
    return { text, at };
  };
  for (skipSpaces(); next < selection.length; skipSpaces()) {
    const text = /^[a-z-]*/.exec(selection.slice(next))?.[0] ?? '';
    const key = { text, at: next + 1 };
    if (text === '') fail('a key is expected, such as kind or at');
    next += text.length;
    const operator = /^!?=/.exec(selection.slice(next))?.[0];
    if (operator === undefined) fail(`= or != is expected after ${text}`);
    next += operator?.length ?? 0;
    const values = [value()];
    while (selection[next] === ',') {
      next++;
      values.push(value());
    }
    if (next < selection.length && !/\s/.test(selection[next] ?? '')) fail('a space or a comma is expected');
    clauses.push({ key, isNegated: operator === '!=', values });
  }
  if (clauses.length === 0) fail('the selection is empty');
  return clauses;
}
