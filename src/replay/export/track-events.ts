/**
 * A file of Perfetto's (perfetto.dev, protos/perfetto/trace): packets with TrackEvents on tracks, names written once and named by number afterwards. The
 * field numbers are the format's; tests/replay/ask/perfetto.proto says them again for the decoders that judge this.
 */
import { ProtoWriter } from './protobuf.ts';

const TRACE = { packet: 1 } as const;
const PACKET = { timestamp: 8, sequence: 10, trackEvent: 11, internedData: 12, sequenceFlags: 13, trackDescriptor: 60 } as const;
const FLAGS = { cleared: 1, needed: 2 } as const;
const DESCRIPTOR = { uuid: 1, name: 2, process: 3, thread: 4, parent: 5 } as const;
const PROCESS = { pid: 1, name: 6 } as const;
const THREAD = { pid: 1, tid: 2, name: 5 } as const;
const EVENT = { categories: 3, annotations: 4, type: 9, name: 10, track: 11 } as const;
const TYPE = { begin: 1, end: 2, instant: 3 } as const;
const ANNOTATION = { name: 1, unsigned: 3, string: 6, pointer: 7 } as const;
const INTERNED = { categories: 1, names: 2, annotationNames: 3 } as const;
const ENTRY = { iid: 1, name: 2 } as const;
/** Any number but 0: there is one writer. */
const SEQUENCE = 1;

const PIECE_BYTES = 1 << 16;

/** What is said of an event beside its name: a text, a number, or an address. */
export type Annotations = Readonly<Record<string, string | number | bigint>>;

/** Names of one kind, numbered from 1 as they come. */
class Names {
  readonly #field: number;
  readonly #numbers = new Map<string, number>();

  constructor(field: number) {
    this.#field = field;
  }

  /** The number of a name; a new one is added to `news`, the interned data of its packet. */
  number(name: string, news: ProtoWriter): number {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      this.#numbers.set(name, (number = this.#numbers.size + 1));
      news.message(this.#field, new ProtoWriter().number(ENTRY.iid, number).string(ENTRY.name, name));
    }
    return number;
  }
}

export class TrackEventWriter {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #categories = new Names(INTERNED.categories);
  readonly #names = new Names(INTERNED.names);
  readonly #annotationNames = new Names(INTERNED.annotationNames);
  #isFirst = true;
  #piece = new ProtoWriter();

  /** `write` takes some packets at a time, each whole; the bytes are valid until it returns. `flush` at the end. */
  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  /** A track that stands by itself or below another one. */
  track(uuid: number, name: string, parent: number | null = null): void {
    const descriptor = new ProtoWriter().number(DESCRIPTOR.uuid, uuid).string(DESCRIPTOR.name, name);
    if (parent !== null) descriptor.number(DESCRIPTOR.parent, parent);
    this.#packet(null, PACKET.trackDescriptor, descriptor, null);
  }

  /** A process, with a name that may be said again and be another then. */
  process(uuid: number, pid: number, name: string): void {
    const process = new ProtoWriter().number(PROCESS.pid, pid).string(PROCESS.name, name);
    this.#packet(null, PACKET.trackDescriptor, new ProtoWriter().number(DESCRIPTOR.uuid, uuid).message(DESCRIPTOR.process, process), null);
  }

  /** The only thread of a process. */
  thread(uuid: number, parent: number, pid: number, name: string): void {
    const thread = new ProtoWriter().number(THREAD.pid, pid).number(THREAD.tid, pid).string(THREAD.name, name);
    const descriptor = new ProtoWriter().number(DESCRIPTOR.uuid, uuid).number(DESCRIPTOR.parent, parent).message(DESCRIPTOR.thread, thread);
    this.#packet(null, PACKET.trackDescriptor, descriptor, null);
  }

  begin(at: bigint, track: number, category: string, name: string, annotations: Annotations = {}): void {
    this.#event(at, TYPE.begin, track, category, name, annotations);
  }

  instant(at: bigint, track: number, category: string, name: string, annotations: Annotations = {}): void {
    this.#event(at, TYPE.instant, track, category, name, annotations);
  }

  /** Ends what was begun last on the track. */
  end(at: bigint, track: number, annotations: Annotations = {}): void {
    this.#event(at, TYPE.end, track, null, null, annotations);
  }

  #event(at: bigint, type: number, track: number, category: string | null, name: string | null, annotations: Annotations): void {
    const news = new ProtoWriter();
    const event = new ProtoWriter().number(EVENT.type, type).number(EVENT.track, track);
    if (category !== null) event.number(EVENT.categories, this.#categories.number(category, news));
    if (name !== null) event.number(EVENT.name, this.#names.number(name, news));
    for (const [key, value] of Object.entries(annotations)) {
      const annotation = new ProtoWriter().number(ANNOTATION.name, this.#annotationNames.number(key, news));
      if (typeof value === 'string') annotation.string(ANNOTATION.string, value);
      else annotation.number(typeof value === 'bigint' ? ANNOTATION.pointer : ANNOTATION.unsigned, value);
      event.message(EVENT.annotations, annotation);
    }
    this.#packet(at, PACKET.trackEvent, event, news);
  }

  #packet(at: bigint | null, field: number, message: ProtoWriter, news: ProtoWriter | null): void {
    const packet = new ProtoWriter();
    if (at !== null) packet.number(PACKET.timestamp, at);
    packet.number(PACKET.sequence, SEQUENCE).number(PACKET.sequenceFlags, this.#isFirst ? FLAGS.cleared : FLAGS.needed);
    this.#isFirst = false;
    if (news !== null && news.written.length > 0) packet.message(PACKET.internedData, news);
    packet.message(field, message);
    this.#piece.message(TRACE.packet, packet);
    if (this.#piece.written.length >= PIECE_BYTES) this.flush();
  }

  flush(): void {
    this.#write(this.#piece.written);
    this.#piece = new ProtoWriter();
  }
}
