/** A selection, understood: which events and instructions it wants, and what has to be known to say so. */
import { NO_LIMIT } from '../engine.ts';
import { type EventKind, tagsOfKinds } from '../events.ts';
import { INSTRUCTION, KEYS, type Key, kindsOf, type Subject, spanOf, WrongValue } from './keys.ts';
import { type Clause, parseClauses, wrongSelection } from './parse.ts';

interface Condition {
  readonly key: Key;
  readonly isNegated: boolean;
  readonly tests: readonly ((subject: Subject) => boolean)[];
}

/** All of whose conditions must hold. */
export class Alternative {
  readonly #conditions: readonly Condition[];
  readonly kinds: readonly EventKind[];
  readonly wantsInstructions: boolean;
  /** No earlier position is wanted, and none from `to` on. */
  readonly from: bigint;
  readonly to: bigint;

  constructor(selection: string, clauses: readonly Clause[]) {
    this.#conditions = clauses.map((clause) => condition(selection, clause));
    const kinds = clauses.filter(({ key, isNegated }) => key.text === 'kind' && !isNegated);
    const isOfInstructions = this.#conditions.some(({ key }) => key.isOfInstructions);
    const allowed = kinds.map(({ values }) => new Set<string>(values.flatMap(({ text }) => [text, ...(kindsOf(text) ?? [])])));
    const mayBe = (kind: string) => allowed.every((set) => set.has(kind));
    this.wantsInstructions = kinds.length === 0 ? isOfInstructions : mayBe(INSTRUCTION);
    this.kinds = kinds.length === 0 && isOfInstructions ? [] : (kindsOf('event') ?? []).filter(mayBe);
    let [from, to] = [0n, NO_LIMIT];
    for (const { key, isNegated, values } of clauses) {
      if (key.text !== 'at' || isNegated) continue;
      const spans = values.map(({ text }) => spanOf(text));
      from = latest([from, earliest(spans.map(([first]) => first))]);
      to = earliest([to, latest(spans.map(([, end]) => end))]);
    }
    this.from = from;
    this.to = to;
  }

  /** Whether a key decides anything. */
  asks(name: string): boolean {
    return this.#conditions.some(({ key }) => key.name === name);
  }

  /** Whether what the code alone decides holds. */
  mayMatch(subject: Subject): boolean {
    return this.#conditions.every((each) => !each.key.isStatic || holds(each, subject));
  }

  /** Whether all else holds, too. */
  matches(subject: Subject): boolean {
    return this.#conditions.every((each) => each.key.isStatic || holds(each, subject));
  }
}

function holds({ isNegated, tests }: Condition, subject: Subject): boolean {
  return tests.some((test) => test(subject)) !== isNegated;
}

function condition(selection: string, { key: name, isNegated, values }: Clause): Condition {
  const key = KEYS.find((candidate) => candidate.name === name.text);
  if (key === undefined)
    throw wrongSelection(selection, name.at, `there is no key "${name.text}"; keys: ${KEYS.map((each) => each.name).join(', ')}`);
  const tests = values.map(({ text, at }) => {
    try {
      return key.parse(text);
    } catch (error) {
      if (!(error instanceof WrongValue)) throw error;
      throw wrongSelection(selection, at, error.message);
    }
  });
  return { key, isNegated, tests };
}

/** Any of its alternatives may hold. */
export class Selection {
  readonly alternatives: readonly Alternative[];

  /** Each text is an alternative; `also` holds for all of them. None: everything that `also` allows. Throws UserError. */
  constructor(texts: readonly string[], also = '') {
    const extra = also === '' ? [] : parseClauses(also);
    const alternatives = texts.length === 0 ? [also] : texts;
    this.alternatives = alternatives.map((text) => new Alternative(text, texts.length === 0 ? extra : [...parseClauses(text), ...extra]));
  }

  asks(name: string): boolean {
    return this.alternatives.some((each) => each.asks(name));
  }

  get wantsInstructions(): boolean {
    return this.alternatives.some((each) => each.wantsInstructions);
  }

  /** Tags of the kinds of event that it may want. */
  get tags(): bigint {
    return tagsOfKinds(this.alternatives.flatMap(({ kinds }) => kinds));
  }

  get from(): bigint {
    return earliest(this.alternatives.map(({ from }) => from));
  }

  get to(): bigint {
    return latest(this.alternatives.map(({ to }) => to));
  }
}

function earliest(positions: readonly bigint[]): bigint {
  let least = NO_LIMIT;
  for (const position of positions) if (position < least) least = position;
  return least;
}

function latest(positions: readonly bigint[]): bigint {
  let most = 0n;
  for (const position of positions) if (position > most) most = position;
  return most;
}
