/**
 * The events of one block without their fields: kind and position of each, and the low half of its most telling word. For overviews of long traces: it
 * makes no objects, and costs some 70 ns an event where decoding them costs 1.7 µs (a guest that switches tasks all the time, 3.7 million events).
 */
import { ENTERED, lengthBytes } from '../../machine/index.ts';
import { EVENTS } from '../events.ts';
import type { RunBlock } from '../schema.ts';
import { LAYOUT, MAX_BLOCK_EVENTS, type PackedEvents } from './event-stream.ts';
import { FORMAT_VERSION } from './frame.ts';
import { Malformed } from './malformed.ts';
import { eventsOf } from './run-events.ts';

/** Columns, of `count` values each; events in order. */
export interface SkimmedEvents {
  readonly count: number;
  /** Bit 7 is set where the event changes the privilege level as well (`enter-kernel`, `enter-user`, which have no row of their own then). */
  readonly tags: Uint8Array;
  /** Position less the block's first. */
  readonly offsets: Uint32Array;
  /** The low 32 bits of the telling word: number of a system call, vector, root of the address space that is entered, else the event's first word. */
  readonly values: Uint32Array;
}

/** The place of the telling word among an event's, where it is not the first: `to` of a context switch. */
const TELLING: Readonly<Record<number, number>> = { [LAYOUT['context-switch'].tag]: 2 };

/** Words of an event by its tag; -1: there is no such tag. */
const WORDS = Int8Array.from({ length: 128 }, (_, tag) => {
  const row = EVENTS.find((event) => event.tag === tag);
  return row === undefined ? -1 : LAYOUT[row.kind].words;
});

/** Throws `Malformed` where the block holds anything but events. */
export function skimEvents(run: RunBlock): SkimmedEvents {
  return 'stream' in run.events ? skimStream(run.events, run.count) : skimDecoded(run);
}

/** Versions 1 and 2, whose events are in columns. */
function skimDecoded(run: RunBlock): SkimmedEvents {
  const events = eventsOf(run);
  const columns = new Columns(events.length);
  for (const event of events) {
    const { tag } = LAYOUT[event.kind];
    const words = Object.values(event).slice(2).flat() as unknown[]; // kind and position come first
    const word = words[TELLING[tag] ?? 0];
    const low = typeof word === 'bigint' ? Number(BigInt.asUintN(32, word)) : typeof word === 'number' ? word : 0;
    columns.add(tag, Number(event.at - run.first), low);
  }
  return columns.take();
}

function skimStream({ stream }: PackedEvents, count: number): SkimmedEvents {
  const columns = new Columns(stream.length >> 2);
  const last = new Uint32Array(128);
  const { length } = stream;
  let at = 0;
  let offset = 0;
  while (at < length) {
    const tagged = stream[at++] ?? 0;
    const tag = tagged & ~ENTERED;
    let shift = 0;
    for (;;) {
      if (at >= length || shift > 28) throw new Malformed('the events end within the distance of one');
      const byte = stream[at++] ?? 0;
      offset += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) break;
      shift += 7;
    }
    if (offset > count) throw new Malformed(`event ${columns.length} stands at offset ${offset} of ${count}`);
    const words = WORDS[tag] ?? -1;
    if (words < 0) throw new Malformed(`no event of format version ${FORMAT_VERSION} has tag ${tag}`);
    const lengths = at;
    at += lengthBytes(words);
    const telling = TELLING[tag] ?? 0;
    for (let word = 0; word < words; word++) {
      const size = ((stream[lengths + (word >> 1)] ?? 0) >> (4 * (word & 1))) & 15;
      if (size > 8) throw new Malformed(`a change of ${size} bytes`);
      if (word === telling) last[tag] = (last[tag] ?? 0) + lowChange(stream, at, size);
      at += size;
    }
    if (at > length) throw new Malformed('the events end within one');
    if (columns.length >= MAX_BLOCK_EVENTS) throw new Malformed(`more than ${MAX_BLOCK_EVENTS} events in a block`);
    columns.add(tagged, offset, last[tag] ?? 0);
  }
  return columns.take();
}

/** The low 32 bits of a change of `size` bytes: its sign is bit 0, what is above is its amount. */
function lowChange(stream: Uint8Array, at: number, size: number): number {
  let low = 0;
  for (let i = 0; i < size && i < 4; i++) low |= (stream[at + i] ?? 0) << (8 * i);
  const bit32 = size > 4 ? (stream[at + 4] ?? 0) & 1 : 0;
  const amount = (low >>> 1) | (bit32 << 31);
  return (low & 1) === 0 ? amount : ~amount;
}

/** Columns that grow. */
class Columns {
  length = 0;
  #tags: Uint8Array;
  #offsets: Uint32Array;
  #values: Uint32Array;

  constructor(size: number) {
    this.#tags = new Uint8Array(size);
    this.#offsets = new Uint32Array(size);
    this.#values = new Uint32Array(size);
  }

  add(tag: number, offset: number, value: number): void {
    if (this.length === this.#tags.length) this.#grow();
    this.#tags[this.length] = tag;
    this.#offsets[this.length] = offset;
    this.#values[this.length++] = value;
  }

  take(): SkimmedEvents {
    const { length } = this;
    return {
      count: length,
      tags: this.#tags.slice(0, length),
      offsets: this.#offsets.slice(0, length),
      values: this.#values.slice(0, length),
    };
  }

  #grow(): void {
    const size = 2 * this.length + 16;
    const grown = <T extends Uint8Array | Uint32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.#tags = grown(this.#tags, new Uint8Array(size));
    this.#offsets = grown(this.#offsets, new Uint32Array(size));
    this.#values = grown(this.#values, new Uint32Array(size));
  }
}
