/** Which lane of the timeline each kind of event belongs to. */
import { EVENTS, type EventKind } from '../../replay/index.ts';
import { LANES, type Lane } from '../protocol.ts';

/** Null: what it means shows otherwise (changes of privilege, as the colour of the process). */
const LANE_OF: Readonly<Record<EventKind, Lane | null>> = {
  irq: 'interrupts',
  exception: 'faults',
  'software-interrupt': 'faults',
  syscall: 'calls',
  sysret: null,
  'enter-user': null,
  'enter-kernel': null,
  'control-register': 'memory',
  msr: 'devices',
  'debug-register': 'devices',
  'descriptor-table': 'devices',
  'tlb-flush': 'memory',
  stale: 'stale',
  'supervisor-user-access': null,
  'page-table-write': 'memory',
  'port-in': 'devices',
  'port-out': 'devices',
  mmio: 'devices',
  input: 'devices',
  output: 'devices',
  harness: 'devices',
  halt: 'devices',
  'context-switch': 'switches',
};

export const kinds: Readonly<Record<number, { readonly kind: EventKind; readonly lane: Lane | null }>> = Object.fromEntries(
  EVENTS.map(({ kind, tag }) => [tag, { kind, lane: LANE_OF[kind] }]),
);

/** The lane's place in LANES by the tag; -1: none. */
export const laneByTag: Int8Array = Int8Array.from({ length: 128 }, (_, tag) => {
  const lane = kinds[tag]?.lane ?? null;
  return lane === null ? -1 : LANES.indexOf(lane);
});

const tags = Object.fromEntries(EVENTS.map(({ kind, tag }) => [kind, tag])) as Readonly<Record<EventKind, number>>;

/** Tags that change who runs, or how. */
export const TAG = tags;

export function laneOf(kind: EventKind): Lane | null {
  return LANE_OF[kind];
}
