/**
 * Opens a trace by its index and reads any block when it is asked for; where there is no index (the recording was killed, or the tail was cut off)
 * or it is damaged, goes through the file once (cursor.ts) and knows all whole blocks. The file is taken to be hostile.
 */
import { createHash } from 'node:crypto';
import type { TraceEvent } from '../events.ts';
import {
  type Artefact,
  BLOCK,
  type BlockKind,
  type CheckpointBlock,
  checkRun,
  type EndBlock,
  type RunBlock,
  type TraceHeader,
} from '../schema.ts';
import { checksums } from './checksum.ts';
import { type Cut, TraceCursor } from './cursor.ts';
import type { TraceSource } from './file.ts';
import { HEADER_BYTES, PREAMBLE_BYTES, parseTrailer, TRAILER_BYTES } from './frame.ts';
import { type BlockValues, type Damage, EndOfFile, FrameReader, placed, TraceDamage } from './frame-reader.ts';
import { type IndexEntry, indexEntries } from './index.ts';
import { Malformed } from './malformed.ts';
import { eventCountOf, eventsOf } from './run-events.ts';
import { type SkimmedEvents, skimEvents } from './skim.ts';

/** A trace that is open for reading at any place. */
export class Trace {
  /** The format version that the trace was written in. */
  readonly version: number;
  readonly header: TraceHeader;
  /** Every frame but the index. */
  readonly entries: readonly IndexEntry[];
  /** How the run ended; null where the trace was cut. */
  readonly end: EndBlock | null;
  /** Where the trace was cut; null for a complete one. */
  readonly cut: Cut | null;
  /** What stopped the reading of a trace without a usable index; blocks before it can be read. */
  readonly damage: Damage | null;
  readonly #frames: FrameReader;
  readonly #runs: { readonly entry: IndexEntry; readonly sequence: number }[] = [];
  /** First parts of checkpoints. */
  readonly #checkpoints: { readonly entry: IndexEntry; readonly sequence: number }[] = [];

  private constructor(frames: FrameReader, version: number, entries: readonly IndexEntry[], cut: Cut | null, damage: Damage | null) {
    this.#frames = frames;
    this.version = version;
    this.entries = entries;
    this.cut = cut;
    this.damage = damage;
    for (const [sequence, entry] of entries.entries()) {
      if (entry.kind === BLOCK.run) this.#runs.push({ entry, sequence });
      if (entry.kind === BLOCK.checkpoint && this.#checkpoints.at(-1)?.entry.position !== entry.position)
        this.#checkpoints.push({ entry, sequence });
    }
    this.header = this.#block(0, 'header');
    const last = entries.length - 1;
    this.end = entries[last]?.kind === BLOCK.end ? this.#block(last, 'end') : null;
    if (this.end !== null && this.end.at !== entries[last]?.position)
      throw new TraceDamage({ offset: entries[last]?.offset ?? 0, block: last, reason: 'the index puts the end elsewhere' });
  }

  /** Throws UserError where the source is no trace or one of another version, `TraceDamage` where not even its header can be read. */
  static async open(source: TraceSource): Promise<Trace> {
    const frames = new FrameReader(source, await checksums());
    const version = placed(0, 0, () => frames.preamble());
    const entries = Trace.#indexed(frames);
    if (entries !== null) return new Trace(frames, version, entries, null, null);
    const cursor = await TraceCursor.open(source);
    let damage: Damage | null = null;
    try {
      while (cursor.next() !== null);
    } catch (error) {
      if (!(error instanceof TraceDamage) || cursor.entries.length === 0) throw error;
      damage = { offset: error.offset, block: error.block, reason: error.reason };
    }
    if (cursor.entries.length === 0) throw new TraceDamage({ offset: 0, block: 0, reason: 'the file ends before its header does' });
    return new Trace(frames, version, cursor.wholeEntries, cursor.cut, damage);
  }

  /** The entries by the index at the end of the file; null where there is none, or it does not fit. */
  static #indexed(frames: FrameReader): readonly IndexEntry[] | null {
    const { source } = frames;
    try {
      const trailer = source.read(Math.max(0, source.size - TRAILER_BYTES), TRAILER_BYTES);
      const offset = parseTrailer(trailer);
      const header = source.read(offset, HEADER_BYTES);
      if (header.length < HEADER_BYTES) return null;
      const sequence = new DataView(header.buffer, header.byteOffset).getUint32(3);
      const { block, end } = frames.block(offset, sequence);
      if (block.kind !== 'index' || end + TRAILER_BYTES !== source.size || block.value.kinds.length !== sequence) return null;
      const first = frames.block(PREAMBLE_BYTES, 0).block;
      if (first.kind !== 'header') return null;
      const entries = indexEntries(block.value, offset, first.value.branch?.at ?? 0n);
      return entries[0]?.kind === BLOCK.header && entries.at(-1)?.kind === BLOCK.end ? entries : null;
    } catch (error) {
      if (error instanceof Malformed || error instanceof EndOfFile || error instanceof RangeError) return null;
      throw error;
    }
  }

  /** The first position: 0, or where a branch begins. */
  get start(): bigint {
    return this.header.branch?.at ?? 0n;
  }

  /** The last position: instructions that had retired when the run ended, or was cut. */
  get instructions(): bigint {
    if (this.end !== null) return this.end.at;
    const last = this.#runs.length - 1;
    if (last < 0) return this.start;
    const { first, count } = this.run(last);
    return first + BigInt(count);
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#frames.source.size;
  }

  /** What tells this trace from others: SHA-256 over the headers of its frames, which hold the checksums of what they carry. */
  digest(): Uint8Array {
    const digest = createHash('sha256');
    for (const { offset } of this.entries) digest.update(this.#frames.source.read(offset, HEADER_BYTES));
    return Uint8Array.from(digest.digest());
  }

  /** How many run blocks there are. */
  get runs(): number {
    return this.#runs.length;
  }

  /** Run block `index`; throws `TraceDamage`. */
  run(index: number): RunBlock {
    const { entry, sequence } = this.#runs[index] ?? outside(index, this.#runs.length);
    const run = this.#block(sequence, 'run');
    if (run.first !== entry.position)
      throw new TraceDamage({ offset: entry.offset, block: sequence, reason: 'the index puts this block elsewhere' });
    placed(entry.offset, sequence, () => checkRun(run, this.header));
    return run;
  }

  /** Position of the first instruction of run block `index`, without reading it. */
  firstOf(index: number): bigint {
    return (this.#runs[index] ?? outside(index, this.#runs.length)).entry.position;
  }

  /** Instructions from the begin of run block `index` to that of the next; of the last, as many as a full block has. */
  lengthOf(index: number): number {
    const next = this.#runs[index + 1];
    return next === undefined ? this.header.blockInstructions : Number(next.entry.position - this.firstOf(index));
  }

  /** The events of run block `index`, in order; with `tags` (a bit for each, `tagsOfKinds`) only those, which saves decoding the others. */
  events(index: number, tags?: bigint): readonly TraceEvent[] {
    const run = this.run(index);
    return this.placed(index, () => eventsOf(run, tags));
  }

  /** How many events run block `index` has. */
  eventCount(index: number): number {
    const run = this.run(index);
    return this.placed(index, () => eventCountOf(run));
  }

  /** Kinds and positions of the events of run block `index`, without decoding them. */
  skim(index: number): SkimmedEvents {
    const run = this.run(index);
    return this.placed(index, () => skimEvents(run));
  }

  /** Does `work` with run block `index`: what is malformed in it is damage there. */
  placed<T>(index: number, work: () => T): T {
    const { entry, sequence } = this.#runs[index] ?? outside(index, this.#runs.length);
    return placed(entry.offset, sequence, work);
  }

  /** Bit t is set where run block `index` has an event of tag t, without reading it. */
  tagsOf(index: number): bigint {
    return (this.#runs[index] ?? outside(index, this.#runs.length)).entry.tags;
  }

  /** Whether run block `index` has an event of this tag, without reading it. */
  hasTag(index: number, tag: number): boolean {
    return ((this.tagsOf(index) >> BigInt(tag)) & 1n) === 1n;
  }

  /** The run block that holds the instruction at `position`; the last one for positions at or after the end. */
  runAt(position: bigint): number {
    return Math.max(0, lastAtOrBefore(this.#runs, position));
  }

  /** Positions at which there are checkpoints. */
  get checkpoints(): readonly bigint[] {
    return this.#checkpoints.map(({ entry }) => entry.position);
  }

  /** Part `part` of checkpoint `index`. */
  checkpointPart(index: number, part: number): CheckpointBlock {
    const { sequence } = this.#checkpoints[index] ?? outside(index, this.#checkpoints.length);
    const place = sequence + part;
    if (place >= this.entries.length) throw new TraceDamage({ offset: 0, block: place, reason: 'a part of a checkpoint is missing' });
    const block = this.#block(place, 'checkpoint');
    if (block.part !== part)
      throw new TraceDamage({ offset: 0, block: place, reason: `part ${block.part} of a checkpoint where ${part} is` });
    return block;
  }

  /** Where the first block of checkpoint `index` stands in the file. */
  placeOfCheckpoint(index: number): { readonly offset: number; readonly block: number } {
    const { entry, sequence } = this.#checkpoints[index] ?? outside(index, this.#checkpoints.length);
    return { offset: entry.offset, block: sequence };
  }

  /** The last checkpoint at or before `position`, or -1. */
  checkpointAt(position: bigint): number {
    return lastAtOrBefore(this.#checkpoints, position);
  }

  /** The bytes of an artefact by its place in the header: out of the trace, checked by its hash; null where it is not embedded. */
  artefact(index: number): Uint8Array | null {
    const artefact = this.header.artefacts[index] ?? outside(index, this.header.artefacts.length);
    if (!artefact.embedded) return null;
    const pieces: Uint8Array[] = [];
    let size = 0;
    let place = { offset: 0, block: 0 };
    for (const [sequence, entry] of this.entries.entries()) {
      if (entry.kind !== BLOCK.artefact) continue;
      const piece = this.#block(sequence, 'artefact');
      if (piece.artefact !== index) continue;
      place = { offset: entry.offset, block: sequence };
      if (piece.offset !== size || size + piece.data.length > artefact.size)
        throw new TraceDamage({ ...place, reason: `pieces of ${artefact.name} do not fit` });
      pieces.push(piece.data);
      size += piece.data.length;
    }
    if (size < artefact.size) {
      const offset = this.cut?.offset ?? place.offset;
      throw new TraceDamage({ offset, block: this.entries.length, reason: `the file ends before the bytes of ${artefact.name} do` });
    }
    const bytes = Uint8Array.from(Buffer.concat(pieces));
    if (!isArtefact(artefact, bytes))
      throw new TraceDamage({ ...place, reason: `the bytes of ${artefact.name} do not have the hash that the header says` });
    return bytes;
  }

  close(): void {
    this.#frames.source.close();
  }

  #block<Kind extends BlockKind>(sequence: number, kind: Kind): BlockValues[Kind] {
    const entry = this.entries[sequence] ?? outside(sequence, this.entries.length);
    return placed(entry.offset, sequence, () => {
      const { block } = this.#frames.block(entry.offset, sequence);
      if (block.kind !== kind) throw new Malformed(`a ${block.kind} block where the index says ${kind}`);
      return block.value as BlockValues[Kind];
    });
  }
}

/** Whether these bytes are the artefact that the header names. */
export function isArtefact(artefact: Artefact, bytes: Uint8Array): boolean {
  return bytes.length === artefact.size && createHash('sha256').update(bytes).digest('hex') === artefact.sha256;
}

function outside(index: number, length: number): never {
  throw new RangeError(`no block ${index}: there are ${length}`);
}

function lastAtOrBefore(list: readonly { readonly entry: IndexEntry }[], position: bigint): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle]?.entry.position ?? 0n) <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
