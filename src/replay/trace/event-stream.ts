/**
 * The events of one block as a stream of bytes: what machine/cpu/trace-log.ts writes, read and checked. Beside the stream stand what does not fit into
 * words of 64 bits: each text once, and the bytes of all fields of bytes, one after the other.
 *
 * The words of an event are its fields in the order of the table, `at` left out: a number or u64 is itself, a flag 0 or 1, a name its place among the
 * names, a text its place in `texts`, bytes their length; a list of u64 has a word for each.
 */

import { ENTERED, lengthBytes } from '../../machine/index.ts';
import { bug } from '../../machine/isa/bug.ts';
import { EVENTS, type EventFields, type EventKind, type TraceEvent, tagsOfKinds } from '../events.ts';
import type { Field, ListField, NameField } from '../fields.ts';
import { FORMAT_VERSION } from './frame.ts';
import { Malformed } from './malformed.ts';

/** No block has more events than this. One that is recorded now ends long before. */
export const MAX_BLOCK_EVENTS = 1 << 20;

/** The packed events of a block. */
export interface PackedEvents {
  readonly stream: Uint8Array;
  readonly texts: readonly string[];
  readonly data: Uint8Array;
  /** Bit t is set where there is an event of tag t. */
  readonly tags: bigint;
}

/** How many words a field takes. */
function wordsOf(field: Field): number {
  return field.type === 'u64s' ? (field as ListField).length : 1;
}

/** Tag and number of words of each kind of event. */
export const LAYOUT = Object.fromEntries(
  EVENTS.map(({ kind, tag, fields }) => [kind, { tag, words: stored(fields).reduce((sum, [, field]) => sum + wordsOf(field), 0) }]),
) as Readonly<Record<EventKind, { readonly tag: number; readonly words: number }>>;

/** The change of privilege that stands at an event with bit 7 in its tag. */
function enteredBy(cause: TraceEvent): TraceEvent {
  const { at } = cause;
  switch (cause.kind) {
    case 'irq':
    case 'exception':
    case 'syscall':
      return { kind: 'enter-kernel', at, cause: cause.kind };
    case 'software-interrupt':
      return { kind: 'enter-kernel', at, cause: 'int' };
    case 'sysret':
      return { kind: 'enter-user', at, how: cause.how };
    default:
      throw new Malformed(`${cause.kind} changes no privilege`);
  }
}

/** The kinds that may stand at their cause, and those causes. */
const ENTRIES = tagsOfKinds(['enter-kernel', 'enter-user']);
const CAUSES = tagsOfKinds(['irq', 'exception', 'syscall', 'software-interrupt', 'sysret']);

/** The tag of the change of privilege that stands at an event of this tag. */
function enteredTag(tag: number): number {
  if (((CAUSES >> BigInt(tag)) & 1n) === 0n) throw new Malformed(`an event of tag ${tag} changes no privilege`);
  return LAYOUT[tag === LAYOUT.sysret.tag ? 'enter-user' : 'enter-kernel'].tag;
}

/** The fields that have words, in order: all but the position. */
function stored(fields: EventFields): [string, Field][] {
  return Object.entries<Field>(fields).filter(([name]) => name !== 'at');
}

/** As `wanted`: the events of every tag. */
export const ALL_TAGS: bigint = (1n << 64n) - 1n;

/** What is known of one tag while a stream is read. */
interface Row {
  readonly kind: EventKind;
  readonly fields: readonly [string, Field][];
  /** Of the last event of the tag. */
  readonly words: BigUint64Array;
  /** Its events are decoded; the others' words are passed over. What has bytes is always decoded: its words say where the bytes of the next begin. */
  readonly isRead: boolean;
}

class Reader {
  readonly #packed: PackedEvents;
  readonly #view: DataView;
  readonly #rows: ReadonlyMap<number, Row>;
  #at = 0;
  #dataAt = 0;

  constructor(packed: PackedEvents, wanted: bigint) {
    const { stream } = packed;
    this.#packed = packed;
    this.#view = new DataView(stream.buffer, stream.byteOffset, stream.length);
    // A change of privilege that stands at its cause is made from it.
    const read = (wanted & ENTRIES) === 0n ? wanted : wanted | CAUSES;
    this.#rows = new Map(
      EVENTS.map(({ kind, tag, fields }) => {
        const isRead = ((read >> BigInt(tag)) & 1n) === 1n || Object.values<Field>(fields).some(({ type }) => type === 'bytes');
        return [tag, { kind, fields: stored(fields), words: new BigUint64Array(LAYOUT[kind].words), isRead }];
      }),
    );
  }

  /** The events of a block of `count` instructions from `first` on. Those that are not wanted may be missing. */
  events(first: bigint, count: number): TraceEvent[] {
    const events: TraceEvent[] = [];
    const last = this.#go(count, (tag, offset) => {
      const event = this.#event(tag & ~ENTERED, first + BigInt(offset));
      if (event === null) return;
      events.push(event);
      if ((tag & ENTERED) !== 0) events.push(enteredBy(event));
    });
    if (last.tags !== this.#packed.tags) throw new Malformed('the tags of a block are not those of its events');
    if (this.#dataAt !== this.#packed.data.length) throw new Malformed('a block has bytes that belong to no event');
    return events;
  }

  /** How many events a block of `count` instructions has. */
  count(count: number): number {
    return this.#go(count, (tag) => void this.#event(tag & ~ENTERED, 0n)).events;
  }

  /** Goes from event to event; `take` reads each one's words. */
  #go(count: number, take: (tag: number, offset: number) => void): { readonly events: number; readonly tags: bigint } {
    let events = 0;
    let offset = 0;
    const seen = new Uint8Array(256);
    while (this.#at < this.#view.byteLength) {
      const tag = this.#byte();
      offset += this.#distance();
      if (offset > count) throw new Malformed(`event ${events} stands at offset ${offset} of ${count}`);
      take(tag, offset);
      seen[tag] = 1;
      events += (tag & ENTERED) === 0 ? 1 : 2;
      if (events > MAX_BLOCK_EVENTS) throw new Malformed(`more than ${MAX_BLOCK_EVENTS} events in a block`);
    }
    let tags = 0n;
    for (const [tag, times] of seen.entries()) {
      if (times === 0) continue;
      tags |= 1n << BigInt(tag & ~ENTERED);
      if ((tag & ENTERED) !== 0) tags |= 1n << BigInt(enteredTag(tag & ~ENTERED));
    }
    return { events, tags };
  }

  #byte(): number {
    if (this.#at >= this.#view.byteLength) throw new Malformed('the events end within one');
    return this.#view.getUint8(this.#at++);
  }

  /** LEB128 of up to 32 bits. */
  #distance(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Malformed('the distance between two events has more than 32 bits');
  }

  /** Null where the tag is not wanted. */
  #event(tag: number, at: bigint): TraceEvent | null {
    const row = this.#rows.get(tag);
    if (row === undefined) throw new Malformed(`no event of format version ${FORMAT_VERSION} has tag ${tag}`);
    if (!row.isRead) {
      this.#pass(row.words.length);
      return null;
    }
    this.#words(row.words);
    const event: Record<string, unknown> = { kind: row.kind, at };
    let word = 0;
    for (const [name, field] of row.fields) {
      event[name] = this.#value(row, name, field, word);
      word += wordsOf(field);
    }
    return event as unknown as TraceEvent;
  }

  /** Adds to each word what has changed since the last event of the tag. */
  #words(words: BigUint64Array): void {
    const size = lengthBytes(words.length);
    let lengths = 0n;
    for (let i = 0; i < size; i++) lengths |= BigInt(this.#byte()) << BigInt(8 * i);
    if (lengths >> BigInt(4 * words.length) !== 0n) throw new Malformed('an event has changes of more words than it has');
    for (let i = 0; i < words.length; i++) {
      const length = Number((lengths >> BigInt(4 * i)) & 15n);
      if (length > 8) throw new Malformed(`a change of ${length} bytes`);
      let change = 0n;
      for (let j = 0; j < length; j++) change |= BigInt(this.#byte()) << BigInt(8 * j);
      // BigUint64Array takes values modulo 2^64.
      words[i] = (words[i] ?? 0n) + ((change & 1n) === 0n ? change >> 1n : -(change >> 1n) - 1n);
    }
  }

  /** Goes past the changes of so many words. */
  #pass(words: number): void {
    let bytes = 0;
    for (let i = lengthBytes(words); i > 0; i--) {
      const lengths = this.#byte();
      bytes += (lengths & 15) + (lengths >> 4);
    }
    if (this.#at + bytes > this.#view.byteLength) throw new Malformed('the events end within one');
    this.#at += bytes;
  }

  #value({ kind, words }: Row, name: string, field: Field, at: number): unknown {
    const word = words[at] ?? 0n;
    const below = (limit: number): number => {
      if (word >= BigInt(limit)) throw new Malformed(`${kind}.${name} is ${word}; the limit is ${limit}`);
      return Number(word);
    };
    switch (field.type) {
      case 'u8':
        return below(2 ** 8);
      case 'u16':
        return below(2 ** 16);
      case 'u32':
        return below(2 ** 32);
      case 'u64':
        return word;
      case 'u64s':
        return [...words.subarray(at, at + wordsOf(field))];
      case 'flag':
        return below(2) === 1;
      case 'name': {
        const { names } = field as NameField<string>;
        return names[below(names.length)];
      }
      case 'text':
        return this.#packed.texts[below(this.#packed.texts.length)];
      case 'bytes': {
        const from = this.#dataAt;
        this.#dataAt += below(this.#packed.data.length - from + 1);
        return this.#packed.data.slice(from, this.#dataAt);
      }
      default:
        return bug(`no value for a field of type ${field.type}`);
    }
  }
}

/**
 * The events of a block that begins at `first` and holds `count` instructions, in order: those of the tags in `wanted`. `packed` may come from a file: throws
 * `Malformed` where it holds anything but events; what is not wanted is checked only as far as it must be to find the rest.
 */
export function readStream(packed: PackedEvents, first: bigint, count: number, wanted = ALL_TAGS): TraceEvent[] {
  const events = new Reader(packed, wanted).events(first, count);
  return wanted === ALL_TAGS ? events : events.filter(({ kind }) => ((wanted >> BigInt(LAYOUT[kind].tag)) & 1n) === 1n);
}

/** How many events there are in a block of `count` instructions; throws `Malformed`. */
export function countStream(packed: PackedEvents, count: number): number {
  return new Reader(packed, 0n).count(count);
}
