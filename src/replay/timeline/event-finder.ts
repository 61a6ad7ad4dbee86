/**
 * Finds events by what they are, forwards and backwards, out of the trace alone: the index says which blocks have events of a kind, and of those blocks only
 * the events of that kind are decoded. Nothing is executed.
 */
import type { TraceEvent } from '../events.ts';
import { tagsOfKinds } from '../events.ts';
import type { Trace } from '../trace/reader.ts';
import type { EventMatch } from './event-match.ts';

/** Blocks whose decoded events are kept: going on from an event looks into the same ones again. */
const KEPT_BLOCKS = 8;

export class EventFinder {
  readonly #trace: Trace;
  /** By run block and tags, the last used at the end. */
  readonly #kept = new Map<string, readonly TraceEvent[]>();
  /** How many events the first i run blocks have, as far as they were counted. */
  readonly #before: number[] = [0];

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** The first event after position `after`; null where there is none. Throws `TraceDamage`. */
  next(match: EventMatch, after: bigint): TraceEvent | null {
    const trace = this.#trace;
    if (trace.runs === 0) return null;
    // An event may stand at the end of a block, which is the position at which the next begins.
    for (let run = Math.max(0, trace.runAt(after) - 1); run < trace.runs; run++) {
      const found = this.#of(run, match).find((event) => event.at > after && isWanted(match, event));
      if (found !== undefined) return found;
    }
    return null;
  }

  /** The last event before position `before`. */
  previous(match: EventMatch, before: bigint): TraceEvent | null {
    const trace = this.#trace;
    if (trace.runs === 0) return null;
    for (let run = trace.runAt(before); run >= 0; run--) {
      const found = this.#of(run, match).findLast((event) => event.at < before && isWanted(match, event));
      if (found !== undefined) return found;
    }
    return null;
  }

  /** Those of a kind in order, from the first or from the last. */
  *all(match: EventMatch, isBackwards = false): Generator<TraceEvent> {
    const { runs } = this.#trace;
    for (let i = 0; i < runs; i++) {
      const events = this.#of(isBackwards ? runs - 1 - i : i, match).filter((event) => isWanted(match, event));
      yield* isBackwards ? events.reverse() : events;
    }
  }

  /** The events that happen at a position, in order. */
  here(position: bigint): TraceEvent[] {
    const trace = this.#trace;
    if (trace.runs === 0) return [];
    const last = trace.runAt(position);
    return [...(last > 0 ? trace.events(last - 1) : []), ...trace.events(last)].filter(({ at }) => at === position);
  }

  /** How many events the trace has. Goes through all blocks once, without decoding. */
  get count(): number {
    return this.#countedTo(this.#trace.runs);
  }

  /** Event `number` of the trace, counted from 0 in the order in which they happened; null where there are fewer. */
  at(number: number): TraceEvent | null {
    const trace = this.#trace;
    let run = 0;
    while (run < trace.runs && this.#countedTo(run + 1) <= number) run++;
    return run === trace.runs ? null : (trace.events(run)[number - this.#countedTo(run)] ?? null);
  }

  /** The number of the first event at or after a position: so many happened before it was reached. */
  numberAt(position: bigint): number {
    const trace = this.#trace;
    if (trace.runs === 0) return 0;
    const run = Math.max(0, trace.runAt(position) - 1);
    let number = this.#countedTo(run);
    for (let i = run; i < trace.runs && trace.firstOf(i) <= position; i++) {
      const events = trace.events(i);
      const first = events.findIndex(({ at }) => at >= position);
      if (first >= 0) return number + first;
      number += events.length;
    }
    return number;
  }

  #countedTo(run: number): number {
    for (let i = this.#before.length; i <= run; i++) this.#before.push((this.#before[i - 1] ?? 0) + this.#trace.eventCount(i - 1));
    return this.#before[run] ?? 0;
  }

  #of(run: number, { kinds }: EventMatch): readonly TraceEvent[] {
    const tags = tagsOfKinds(kinds);
    if ((this.#trace.tagsOf(run) & tags) === 0n) return [];
    const key = `${run} ${tags}`;
    const events = this.#kept.get(key) ?? this.#trace.events(run, tags);
    this.#kept.delete(key);
    this.#kept.set(key, events);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_BLOCKS) break;
      this.#kept.delete(oldest);
    }
    return events;
  }
}

function isWanted({ kinds, matches }: EventMatch, event: TraceEvent): boolean {
  return kinds.includes(event.kind) && (matches === undefined || matches(event));
}
