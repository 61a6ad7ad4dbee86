/**
 * Columns: how the events of one block were stored by the format versions 1 and 2. Each field of each kind of event is a column of its own, a packed
 * little-endian array.
 *
 * The packed form of a block's events is `[tags, offsets, groups]`:
 * - `tags`: bin, one byte per event in order: the event's tag;
 * - `offsets`: bin, a u32 per event: its position less the block's first;
 * - `groups`: one `[tag, column, column, …]` for each tag that occurs, by ascending tag; columns in the order of the table, `at` left out.
 *
 * A column is a bin of fixed-size values (`u8` `u16` `u32` `u64` `flag` `name`: 1 2 4 8 1 1 bytes; `u64s`: 8 bytes times its length), or for
 * `bytes` `[lengths (u32 each), data]`, for `text` `[[string, …], indices (u8 each)]`.
 */
import { bug } from '../../machine/isa/bug.ts';
import { EVENTS, type EventFields, type EventKind, type TraceEvent } from '../events.ts';
import type { Field, ListField, NameField } from '../fields.ts';
import { FORMAT_VERSION } from './frame.ts';
import { Malformed } from './malformed.ts';

type Packed = Uint8Array | readonly [Uint8Array, Uint8Array] | readonly [readonly string[], Uint8Array];

/** The packed events of one block, as they stand in the trace. */
export type ColumnEvents = readonly [Uint8Array, Uint8Array, readonly (readonly [number, ...Packed[]])[]];

/** The fields that have a column, in order: all but the position. */
function stored(fields: EventFields): [string, Field][] {
  return Object.entries<Field>(fields).filter(([name]) => name !== 'at');
}

type Reading = (index: number) => unknown;

function bin(value: unknown, length: number, what: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new Malformed(`${what} is not a bin`);
  if (value.length !== length) throw new Malformed(`${what} has ${value.length} bytes instead of ${length}`);
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function bounded(bytes: Uint8Array, limit: number, what: string): Uint8Array {
  for (const value of bytes) if (value >= limit) throw new Malformed(`${what} holds ${value}, the limit is ${limit}`);
  return bytes;
}

/** Checks one column of `count` values and gives the function that reads value i. */
function reading(field: Field, value: unknown, count: number, what: string): Reading {
  switch (field.type) {
    case 'u8': {
      const bytes = bin(value, count, what);
      return (i) => bytes[i];
    }
    case 'u16': {
      const view = viewOf(bin(value, count * 2, what));
      return (i) => view.getUint16(i * 2, true);
    }
    case 'u32': {
      const view = viewOf(bin(value, count * 4, what));
      return (i) => view.getUint32(i * 4, true);
    }
    case 'u64': {
      const view = viewOf(bin(value, count * 8, what));
      return (i) => view.getBigUint64(i * 8, true);
    }
    case 'u64s': {
      const { length } = field as ListField;
      const view = viewOf(bin(value, count * 8 * length, what));
      return (i) => Array.from({ length }, (_, j) => view.getBigUint64((i * length + j) * 8, true));
    }
    case 'flag': {
      const bytes = bounded(bin(value, count, what), 2, what);
      return (i) => bytes[i] === 1;
    }
    case 'name': {
      const { names } = field as NameField<string>;
      const bytes = bounded(bin(value, count, what), names.length, what);
      return (i) => names[bytes[i] ?? 0];
    }
    case 'text': {
      if (!Array.isArray(value) || value.length !== 2) throw new Malformed(`${what} is not a column of texts`);
      const texts: unknown = value[0];
      if (!Array.isArray(texts) || texts.some((text) => typeof text !== 'string')) throw new Malformed(`${what} has no list of texts`);
      const indices = bounded(bin(value[1], count, what), texts.length, what);
      return (i) => texts[indices[i] ?? 0];
    }
    case 'bytes': {
      if (!Array.isArray(value) || value.length !== 2) throw new Malformed(`${what} is not a column of bytes`);
      const lengths = viewOf(bin(value[0], count * 4, what));
      const starts = new Float64Array(count + 1);
      for (let i = 0; i < count; i++) starts[i + 1] = (starts[i] ?? 0) + lengths.getUint32(i * 4, true);
      const data = bin(value[1], starts[count] ?? 0, what);
      return (i) => data.slice(starts[i], starts[i + 1]);
    }
    default:
      return bug(`no reader for a field of type ${field.type}`);
  }
}

/** The packed events of a block, checked: every one can be decoded. */
interface CheckedEvents {
  readonly tags: Uint8Array;
  readonly offsets: DataView;
  readonly groups: ReadonlyMap<number, { readonly kind: EventKind; readonly fields: readonly [string, Reading][] }>;
}

/** Checks the packed events of a block of `count` instructions wholly, without decoding them; throws `Malformed`. */
export function checkEvents(packed: unknown, count: number): CheckedEvents {
  if (!Array.isArray(packed) || packed.length !== 3) throw new Malformed('events are not [tags, offsets, groups]');
  const [tags, offsetBytes, groups] = packed as unknown[];
  if (!(tags instanceof Uint8Array)) throw new Malformed('the tags of the events are not a bin');
  const offsets = viewOf(bin(offsetBytes, tags.length * 4, 'the offsets of the events'));
  if (!Array.isArray(groups)) throw new Malformed('the groups of the events are not an array');

  const counts = new Uint32Array(256);
  let lastOffset = 0;
  for (let i = 0; i < tags.length; i++) {
    const tag = tags[i] ?? 0;
    counts[tag] = (counts[tag] ?? 0) + 1;
    const offset = offsets.getUint32(i * 4, true);
    if (offset < lastOffset || offset > count)
      throw new Malformed(`event ${i} stands at offset ${offset} of ${count}, after ${lastOffset}`);
    lastOffset = offset;
  }
  const found = new Map<number, { readonly kind: EventKind; readonly fields: readonly [string, Reading][] }>();
  let lastTag = -1;
  for (const group of groups as unknown[]) {
    if (!Array.isArray(group)) throw new Malformed('a group of events is not an array');
    const [tag, ...columns] = group as unknown[];
    const row = EVENTS.find((candidate) => candidate.tag === tag);
    if (row === undefined)
      throw new Malformed(`no event of format version ${FORMAT_VERSION} has tag ${typeof tag === 'number' ? tag : '?'}`);
    if (row.tag <= lastTag) throw new Malformed(`groups of events out of order at tag ${row.tag}`);
    lastTag = row.tag;
    if (counts[row.tag] === 0) throw new Malformed(`a group of ${row.kind} without events`);
    found.set(row.tag, { kind: row.kind, fields: readings(row, columns, counts[row.tag] ?? 0) });
  }
  for (let tag = 0; tag < 256; tag++)
    if ((counts[tag] ?? 0) > 0 && !found.has(tag)) throw new Malformed(`there are events of tag ${tag}, but no group of them`);
  return { tags, offsets, groups: found };
}

function readings(row: (typeof EVENTS)[number], columns: readonly unknown[], count: number): [string, Reading][] {
  const fields = stored(row.fields);
  if (columns.length !== fields.length) throw new Malformed(`${row.kind} has ${columns.length} columns instead of ${fields.length}`);
  return fields.map(([name, field], i) => [name, reading(field, columns[i], count, `column ${row.kind}.${name}`)]);
}

/**
 * The events of a block that begins at `first` and holds `count` instructions, in order. `packed` may come from a file: it is checked wholly before
 * the first event is decoded; throws `Malformed`.
 */
export function readColumns(packed: unknown, first: bigint, count: number): TraceEvent[] {
  const { tags, offsets, groups } = checkEvents(packed, count);
  const next = new Uint32Array(256);
  return Array.from(tags, (tag, i) => {
    const group = groups.get(tag) ?? bug(`no group of tag ${tag}`);
    const index = next[tag] ?? 0;
    next[tag] = index + 1;
    const event: Record<string, unknown> = { kind: group.kind, at: first + BigInt(offsets.getUint32(i * 4, true)) };
    for (const [name, read] of group.fields) event[name] = read(index);
    return event as unknown as TraceEvent;
  });
}
