/** The events of a run block, in whichever form its format version has them: a stream of bytes, or (versions 1 and 2) columns. */
import type { TraceEvent } from '../events.ts';
import type { RunBlock } from '../schema.ts';
import { readColumns } from './columns.ts';
import { readStream } from './event-stream.ts';

/** The events of a block, in order, checked; throws `Malformed`. */
export function eventsOf({ events, first, count }: RunBlock): TraceEvent[] {
  return 'stream' in events ? readStream(events, first, count) : readColumns(events, first, count);
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
