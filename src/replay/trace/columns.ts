/**
 * Columns: how the events of one block are stored. Each field of each kind of event is a column of its own, a packed little-endian array, so that
 * like stands by like and compresses well. `EventLog` is the writing side.
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
import { EVENTS, type EventFields, type EventKind, type TraceEvent, type TraceEventOf } from '../events.ts';
import type { Field, ListField, NameField } from '../fields.ts';
import { FORMAT_VERSION } from './frame.ts';
import { Malformed } from './malformed.ts';

type Packed = Uint8Array | readonly [Uint8Array, Uint8Array] | readonly [readonly string[], Uint8Array];

/** A growing packed array of one field's values: those that the field's type says. `pack` gives a view that the next push may change. */
interface Column {
  push(value: unknown): void;
  reset(): void;
  pack(): Packed;
}

const START = 256;

class NumberColumn implements Column {
  readonly #size: 1 | 2 | 4;
  #bytes = new Uint8Array(START);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;

  constructor(size: 1 | 2 | 4) {
    this.#size = size;
  }

  push(value: number): void {
    if (this.#used + this.#size > this.#bytes.length) this.#grow();
    if (this.#size === 1) this.#bytes[this.#used] = value;
    else if (this.#size === 2) this.#view.setUint16(this.#used, value, true);
    else this.#view.setUint32(this.#used, value, true);
    this.#used += this.#size;
  }

  #grow(): void {
    const bytes = new Uint8Array(this.#bytes.length * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  reset(): void {
    this.#used = 0;
  }

  pack(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }
}

class BigColumn implements Column {
  #values = new BigUint64Array(START / 8);
  #used = 0;

  push(value: bigint): void {
    if (this.#used === this.#values.length) {
      const values = new BigUint64Array(this.#used * 2);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#used++] = value;
  }

  reset(): void {
    this.#used = 0;
  }

  pack(): Uint8Array {
    return new Uint8Array(this.#values.buffer, 0, this.#used * 8);
  }
}

class ListColumn implements Column {
  readonly #length: number;
  readonly #values = new BigColumn();

  constructor(length: number) {
    this.#length = length;
  }

  push(values: readonly bigint[]): void {
    if (values.length !== this.#length) bug(`an event's list of ${this.#length} was given ${values.length} values`);
    for (const value of values) this.#values.push(value);
  }

  reset(): void {
    this.#values.reset();
  }

  pack(): Uint8Array {
    return this.#values.pack();
  }
}

/** Stores a value as its place in a list: a name among the names, a flag among false and true. */
class PlaceColumn implements Column {
  readonly #values: readonly unknown[];
  readonly #places = new NumberColumn(1);

  constructor(values: readonly unknown[]) {
    this.#values = values;
  }

  push(value: unknown): void {
    const place = this.#values.indexOf(value);
    if (place < 0) bug(`${value} is none of ${this.#values.join(' ')}`);
    this.#places.push(place);
  }

  reset(): void {
    this.#places.reset();
  }

  pack(): Uint8Array {
    return this.#places.pack();
  }
}

class TextColumn implements Column {
  readonly #texts: string[] = [];
  readonly #indices = new NumberColumn(1);

  push(text: string): void {
    let index = this.#texts.indexOf(text);
    if (index < 0) index = this.#texts.push(text) - 1;
    if (index > 255) bug('more than 256 different texts in one column of a block');
    this.#indices.push(index);
  }

  reset(): void {
    this.#texts.length = 0;
    this.#indices.reset();
  }

  pack(): readonly [readonly string[], Uint8Array] {
    return [this.#texts.slice(), this.#indices.pack()];
  }
}

class BytesColumn implements Column {
  readonly #lengths = new NumberColumn(4);
  #data = new Uint8Array(START);
  #used = 0;

  push(bytes: Uint8Array): void {
    this.#lengths.push(bytes.length);
    if (this.#used + bytes.length > this.#data.length) {
      const data = new Uint8Array(Math.max(this.#data.length * 2, this.#used + bytes.length));
      data.set(this.#data);
      this.#data = data;
    }
    this.#data.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  reset(): void {
    this.#lengths.reset();
    this.#used = 0;
  }

  pack(): readonly [Uint8Array, Uint8Array] {
    return [this.#lengths.pack(), this.#data.subarray(0, this.#used)];
  }
}

function columnFor(field: Field): Column {
  switch (field.type) {
    case 'u8':
      return new NumberColumn(1);
    case 'u16':
      return new NumberColumn(2);
    case 'u32':
      return new NumberColumn(4);
    case 'u64':
      return new BigColumn();
    case 'u64s':
      return new ListColumn((field as ListField).length);
    case 'flag':
      return new PlaceColumn([false, true]);
    case 'name':
      return new PlaceColumn((field as NameField<string>).names);
    case 'text':
      return new TextColumn();
    case 'bytes':
      return new BytesColumn();
    default:
      return bug(`no column for a field of type ${field.type}`);
  }
}

/** One kind of event: its fields and their columns, in the order of the table. */
interface Group {
  readonly tag: number;
  readonly fields: readonly string[];
  readonly columns: readonly Column[];
  count: number;
}

/** The packed events of one block, as they stand in the trace. */
export type PackedEvents = readonly [Uint8Array, Uint8Array, readonly (readonly [number, ...Packed[]])[]];

/** The fields of one kind of event but for its position. */
export type EventValues<Kind extends EventKind> = Omit<TraceEventOf<Kind>, 'kind' | 'at'>;

/** The events of the block that is being made. */
export class EventLog {
  readonly #tags = new NumberColumn(1);
  readonly #offsets = new NumberColumn(4);
  readonly #groups: ReadonlyMap<EventKind, Group>;
  #length = 0;

  /** Takes the events that a format version has; others are left out. */
  constructor(version: number = FORMAT_VERSION) {
    const rows = EVENTS.filter(({ since }) => since <= version);
    this.#groups = new Map(
      rows.map(({ kind, tag, fields: all }) => {
        const fields = stored(all);
        return [kind, { tag, fields: fields.map(([name]) => name), columns: fields.map(([, field]) => columnFor(field)), count: 0 }];
      }),
    );
  }

  /** How many events the log holds. */
  get length(): number {
    return this.#length;
  }

  /** Adds an event, `offset` instructions after the first of the block. */
  add<Kind extends EventKind>(kind: Kind, offset: number, values: EventValues<Kind>): void {
    const group = this.#groups.get(kind);
    if (group === undefined) return;
    this.#tags.push(group.tag);
    this.#offsets.push(offset);
    this.#length++;
    group.count++;
    const { fields, columns } = group;
    for (let i = 0; i < columns.length; i++) columns[i]?.push((values as Readonly<Record<string, unknown>>)[fields[i] ?? '']);
  }

  /** Views of what the log holds: they are valid until the next `add` or `reset`. */
  pack(): PackedEvents {
    const groups: [number, ...Packed[]][] = [];
    for (const { tag, columns, count } of this.#groups.values())
      if (count > 0) groups.push([tag, ...columns.map((column) => column.pack())]);
    return [this.#tags.pack(), this.#offsets.pack(), groups];
  }

  reset(): void {
    this.#tags.reset();
    this.#offsets.reset();
    this.#length = 0;
    for (const group of this.#groups.values()) {
      if (group.count === 0) continue;
      group.count = 0;
      for (const column of group.columns) column.reset();
    }
  }
}

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
export function unpackEvents(packed: unknown, first: bigint, count: number): TraceEvent[] {
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
