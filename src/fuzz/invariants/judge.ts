/**
 * The judge of runs: all invariants put to the machine at once. One judge serves all runs of a machine, one after the other.
 *
 *     const judge = new Judge(machine, kernel, INVARIANTS, secrets);
 *     testbed.run(archive, { limit, observer: mergeObservers(judge.observers), ready: () => judge.begin() });
 *     const { failures, judged } = judge.end(outcome);
 */
import type { Machine, Observer } from '../../machine/index.ts';
import type { Outcome } from '../testbed.ts';
import { AddressSpaces } from './address-spaces.ts';
import type { Context, Invariant, Judgement } from './invariant.ts';
import type { KernelView } from './kernel-view.ts';
import type { SecretSet } from './secret-set.ts';
import { Threads } from './threads.ts';

/** An invariant that did not hold. */
export interface Failure {
  readonly invariant: string;
  /** Index of the instruction at which it was seen. */
  readonly at: bigint;
  /** RIP and privilege level of that moment. */
  readonly rip: bigint;
  readonly cpl: number;
  readonly message: string;
}

export interface Verdict {
  /** At most one for each invariant, in the order in which they were seen. */
  readonly failures: readonly Failure[];
  /** How often each invariant was judged, by id. */
  readonly judged: ReadonlyMap<string, number>;
}

export class Judge {
  /** To be attached for the length of a run, in this order. */
  readonly observers: readonly Observer[];
  readonly #spaces: AddressSpaces;
  readonly #threads: Threads;
  readonly #cases: readonly Case[];
  readonly #judgements: readonly Judgement[];
  #failures: Failure[] = [];

  /** `secrets`: what only the victim is given. */
  constructor(machine: Machine, kernel: KernelView, invariants: readonly Invariant[], secrets: SecretSet) {
    this.#spaces = new AddressSpaces(machine, kernel);
    this.#threads = new Threads(machine, kernel);
    const shared = { machine, kernel, spaces: this.#spaces, threads: this.#threads, secrets };
    this.#cases = invariants.map(({ id }) => new Case(id, shared, (failure) => this.#failures.push(failure)));
    this.#judgements = invariants.map(({ judge }, n) => judge(this.#cases[n] as Case));
    this.observers = observersOf([this.#threads.observer, ...this.#judgements]);
  }

  /** Starts the judgement of one run: the machine stands at `ready`. */
  begin(): void {
    this.#failures = [];
    this.#spaces.begin();
    this.#threads.begin();
    for (const each of this.#cases) each.begin();
    for (const judgement of this.#judgements) judgement.begin?.();
  }

  end(outcome: Outcome): Verdict {
    for (const judgement of this.#judgements) judgement.end?.(outcome);
    return { failures: this.#failures, judged: new Map(this.#cases.map(({ id, count }) => [id, count])) };
  }
}

type Shared = Pick<Context, 'machine' | 'kernel' | 'spaces' | 'threads' | 'secrets'>;

/** One invariant's part of the judgement. */
class Case implements Context {
  readonly id: string;
  readonly machine: Machine;
  readonly kernel: KernelView;
  readonly spaces: AddressSpaces;
  readonly threads: Threads;
  readonly secrets: SecretSet;
  /** How often it was judged in this run. */
  count = 0;
  #hasFailed = false;
  readonly #report: (failure: Failure) => void;

  constructor(id: string, { machine, kernel, spaces, threads, secrets }: Shared, report: (failure: Failure) => void) {
    this.id = id;
    this.machine = machine;
    this.kernel = kernel;
    this.spaces = spaces;
    this.threads = threads;
    this.secrets = secrets;
    this.#report = report;
  }

  begin(): void {
    this.count = 0;
    this.#hasFailed = false;
  }

  judged(): void {
    this.count++;
  }

  fail(message: string): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const { count, rip, cpl } = this.machine;
    this.#report({ invariant: this.id, at: count, rip, cpl, message });
  }
}

/** The judgements' own moments, which are no events of the machine. */
const MOMENTS: readonly string[] = ['begin', 'end', 'quiescent'];

/** What judgements are told; `quiescent` follows every `enterUser`. */
function observersOf(judgements: readonly Judgement[]): readonly Observer[] {
  const events = judgements.map(
    (judgement) => Object.fromEntries(Object.entries(judgement).filter(([name]) => !MOMENTS.includes(name))) as Observer,
  );
  const moments = judgements.map(({ quiescent }): Observer => (quiescent ? { enterUser: quiescent } : {}));
  return [...events, ...moments];
}

/** A method of an observer: no event has more than seven fields. */
type Handler = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown) => void;

/**
 * One observer for several: each event goes to those that have a method for it, in their order. An event that nobody wants stays absent. The methods
 * must do without `this`.
 */
export function mergeObservers(observers: readonly Observer[]): Observer {
  const handlers = new Map<string, Handler[]>();
  for (const observer of observers)
    for (const [name, method] of Object.entries(observer)) handlers.set(name, [...(handlers.get(name) ?? []), method]);

  const merged: Record<string, Handler> = {};
  for (const [name, list] of handlers) {
    const [only] = list;
    merged[name] =
      list.length === 1 && only
        ? only
        : (a, b, c, d, e, f, g) => {
            for (let n = 0; n < list.length; n++) list[n]?.(a, b, c, d, e, f, g);
          };
  }
  return merged;
}
