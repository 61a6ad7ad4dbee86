/** Terms of one structure, known as such: each has one canonical term that stands for all of them. */
import { bug } from '../isa/bug.ts';
import type { Source, Term } from '../isa/term.ts';

export class CanonicalTerms {
  readonly #canonical = new Map<Term, Term>();
  /** Canonical terms: those without operands, and the others by their first operand. */
  readonly #leaves: Term[] = [];
  readonly #users = new Map<Term, Term[]>();
  readonly #ids = new Map<Term, number>();

  of(term: Term): Term {
    const known = this.#canonical.get(term);
    if (known !== undefined) return known;
    // All operands first: terms are compared by theirs.
    const [first] = term.args.map((a) => this.of(a));
    const alike = first === undefined ? this.#leaves : this.#usersOf(first);
    let found = alike.find((t) => this.#isSame(t, term));
    if (found === undefined) {
      found = term;
      alike.push(term);
      this.#ids.set(term, this.#ids.size);
    }
    this.#canonical.set(term, found);
    return found;
  }

  /** The same number for equal terms. */
  id(term: Term): number {
    return this.#ids.get(this.of(term)) ?? bug('a term without a number');
  }

  #usersOf(operand: Term): Term[] {
    const known = this.#users.get(operand);
    if (known !== undefined) return known;
    const made: Term[] = [];
    this.#users.set(operand, made);
    return made;
  }

  #isSame(a: Term, b: Term): boolean {
    if (a.op !== b.op || a.width !== b.width || a.lo !== b.lo || a.value !== b.value) return false;
    if (!isSameSource(a.source, b.source) || a.args.length !== b.args.length) return false;
    return a.args.every((x, i) => this.of(x) === this.of(b.args[i] ?? x));
  }
}

export const isSameSource = (a: Source | null, b: Source | null): boolean =>
  a === b || (a !== null && b !== null && a.kind === b.kind && detailOf(a) === detailOf(b));

function detailOf(source: Source): number | string {
  if ('index' in source) return source.index;
  if ('step' in source) return source.step;
  if ('flag' in source) return source.flag;
  if ('segment' in source) return source.segment;
  return 'name' in source ? source.name : '';
}
