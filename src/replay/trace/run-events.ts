/** The events of a run block, in whichever form its format version has them: a stream of bytes, or (versions 1 and 2) columns. */
import { type TraceEvent, tagsOfKinds } from '../events.ts';
import type { RunBlock } from '../schema.ts';
import { checkEvents, readColumns } from './columns.ts';
import { ALL_TAGS, countStream, readStream } from './event-stream.ts';

/** The events of a block, in order, checked; only those of the tags in `wanted`, which saves decoding the others. Throws `Malformed`. */
export function eventsOf({ events, first, count }: RunBlock, wanted = ALL_TAGS): TraceEvent[] {
  if ('stream' in events) return readStream(events, first, count, wanted);
  const all = readColumns(events, first, count);
  return wanted === ALL_TAGS ? all : all.filter(({ kind }) => (tagsOfKinds([kind]) & wanted) !== 0n);
}

/** How many events a block has; throws `Malformed`. */
export function eventCountOf({ events, count }: RunBlock): number {
  return 'stream' in events ? countStream(events, count) : checkEvents(events, count).tags.length;
}

/** Bit t is set where the block says that it has an event of tag t. */
export function tagsOf({ events }: RunBlock): bigint {
  if ('stream' in events) return events.tags;
  const seen = new Uint8Array(256);
  for (const tag of events[0]) seen[tag] = 1;
  let bits = 0n;
  for (let tag = 0; tag < 64; tag++) if (seen[tag] === 1) bits |= 1n << BigInt(tag);
  return bits;
}
