/**
 * The judge of a run: all invariants put to the machine at once.
 *
 *     const judge = new Judge(machine, kernel, INVARIANTS);
 *     const run = judge.begin(secrets);
 *     testbed.run(archive, { limit, observer: run.observer });
 *     const { failures, judged } = run.end(outcome);
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
  readonly #machine: Machine;
  readonly #kernel: KernelView;
  readonly #invariants: readonly Invariant[];

  constructor(machine: Machine, kernel: KernelView, invariants: readonly Invariant[]) {
    this.#machine = machine;
    this.#kernel = kernel;
    this.#invariants = invariants;
  }

  /** Starts the judgement of one run: the machine stands at `ready`. */
  begin(secrets: SecretSet): { readonly observer: Observer; end(outcome: Outcome): Verdict } {
    const machine = this.#machine;
    const failures = new Map<string, Failure>();
    const judged = new Map<string, number>();
    const spaces = new AddressSpaces(machine, this.#kernel);
    const threads = new Threads(machine, this.#kernel);

    const judgements = this.#invariants.map(({ id, judge }): Judgement => {
      judged.set(id, 0);
      const context: Context = {
        machine,
        kernel: this.#kernel,
        spaces,
        threads,
        secrets,
        judged: () => judged.set(id, (judged.get(id) ?? 0) + 1),
        fail(message) {
          if (!failures.has(id)) failures.set(id, { invariant: id, at: machine.count, rip: machine.rip, cpl: machine.cpl, message });
        },
      };
      return judge(context);
    });

    const observer = merge([threads.observer, ...judgements]);
    for (const judgement of judgements) judgement.begin?.();
    return {
      observer,
      end(outcome) {
        for (const judgement of judgements) judgement.end?.(outcome);
        spaces.end();
        return { failures: [...failures.values()], judged };
      },
    };
  }
}

/** The judgements' own moments, which are no events of the machine. */
const MOMENTS: readonly string[] = ['begin', 'end', 'quiescent'];

/** One observer for all judgements; `quiescent` follows every `enterUser`. */
function merge(judgements: readonly Judgement[]): Observer {
  const events = judgements.map(
    (judgement) => Object.fromEntries(Object.entries(judgement).filter(([name]) => !MOMENTS.includes(name))) as Observer,
  );
  const moments = judgements.map((judgement): Observer => (judgement.quiescent ? { enterUser: (at) => judgement.quiescent?.(at) } : {}));
  return mergeObservers([...events, ...moments]);
}

/** A method of an observer: no event has more than seven fields. */
type Handler = (a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown, g: unknown) => void;

/** One observer for several: each event goes to those that have a method for it, in their order. An event that nobody wants stays absent. */
export function mergeObservers(observers: readonly Observer[]): Observer {
  const handlers = new Map<string, Handler[]>();
  for (const observer of observers)
    for (const [name, method] of Object.entries(observer)) handlers.set(name, [...(handlers.get(name) ?? []), method.bind(observer)]);

  const merged: Record<string, Handler> = {};
  for (const [name, list] of handlers) {
    const [only] = list;
    merged[name] =
      list.length === 1 && only
        ? only
        : (a, b, c, d, e, f, g) => {
            for (const handler of list) handler(a, b, c, d, e, f, g);
          };
  }
  return merged;
}
