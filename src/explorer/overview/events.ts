/** Pages of events as lines, forwards or backwards from a position, out of the file alone. */
import { type EventKind, type EventView, inspectBlock, type Trace } from '../../replay/index.ts';
import { type EventLine, type EventsPage, LANES, type Lane } from '../protocol.ts';
import { kinds, laneOf } from './lanes.ts';

export interface EventsQuery {
  /** Forwards: the first position; backwards: the first that is left out. */
  readonly from: number;
  readonly direction: 'forward' | 'back';
  readonly limit: number;
  /** None: all. */
  readonly lanes: readonly Lane[];
}

/** The page's events are in the order of time in both directions. */
export function eventsPage(trace: Trace, { from, direction, limit, lanes }: EventsQuery): EventsPage {
  const wanted = wantedKinds(lanes.length === 0 ? LANES : lanes);
  const lines: EventLine[] = [];
  if (trace.runs === 0) return { events: lines, next: null };
  const start = BigInt(from);
  if (direction === 'forward') {
    // What happens behind the last instruction of a block stands in it, at the position where the next one begins.
    for (let run = Math.max(0, trace.runAt(start) - 1); run < trace.runs && lines.length <= limit; run++) {
      for (const view of viewsOf(trace, run, wanted)) if (view.event.at >= start && lines.push(lineOf(view)) > limit) break;
    }
    return { events: lines.slice(0, limit), next: lines[limit]?.at ?? null };
  }
  for (let run = trace.runAt(start); run >= 0 && lines.length <= limit; run--) {
    const before: EventView[] = [];
    for (const view of viewsOf(trace, run, wanted)) {
      if (view.event.at >= start) break;
      before.push(view);
      if (before.length > 2 * limit + 2) before.splice(0, before.length - limit - 1);
    }
    lines.unshift(...before.slice(-(limit + 1)).map(lineOf));
  }
  const page = lines.slice(-limit);
  return { events: page, next: lines.length > limit ? (page[0]?.at ?? null) : null };
}

interface WantedKinds {
  readonly kinds: ReadonlySet<EventKind>;
  readonly tags: readonly number[];
}

/** A return belongs to its call. */
function wantedKinds(lanes: readonly Lane[]): WantedKinds {
  const rows = Object.entries(kinds).filter(
    ([, { kind, lane }]) => lanes.includes(lane ?? (kind === 'sysret' ? 'calls' : 'stale')) && (lane !== null || kind === 'sysret'),
  );
  return { kinds: new Set(rows.map(([, { kind }]) => kind)), tags: rows.map(([tag]) => Number(tag)) };
}

function* viewsOf(trace: Trace, run: number, { kinds: wanted, tags }: WantedKinds): Generator<EventView> {
  if (!tags.some((tag) => trace.hasTag(run, tag))) return;
  // A return to user mode that ends no call says nothing that the cause had not said.
  for (const view of inspectBlock(trace, run))
    if (wanted.has(view.event.kind) && (view.event.kind !== 'sysret' || view.call !== null)) yield view;
}

function lineOf({ event, text }: EventView): EventLine {
  return { at: Number(event.at), kind: event.kind, lane: laneOf(event.kind) ?? 'calls', text };
}
