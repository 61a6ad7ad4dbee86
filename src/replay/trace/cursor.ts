/**
 * Goes through a trace from front to back and checks everything: order, gaps, checksums, index, trailer. The file is taken to be hostile: whatever
 * its bytes, reading ends with blocks whose every value was checked, or with `TraceDamage`, which says where; memory stays within a small multiple
 * of the largest block that the format allows. Events alone are checked where they are decoded (run-events.ts), or found to be the same as the replay's.
 */
import { bug } from '../../machine/isa/bug.ts';
import { type ArtefactBlock, BLOCK, type CheckpointBlock, checkRun, type RunBlock, type TraceHeader } from '../schema.ts';
import { checksums } from './checksum.ts';
import type { TraceSource } from './file.ts';
import { PREAMBLE_BYTES, parseTrailer, TRAILER_BYTES } from './frame.ts';
import { type Block, type BlockOf, EndOfFile, FrameReader, placed } from './frame-reader.ts';
import { IndexBuilder, type IndexEntry } from './index.ts';
import { Malformed } from './malformed.ts';
import { tagsOf } from './run-events.ts';

/** A trace that ends before its end: all blocks before `offset` are whole. */
export interface Cut {
  readonly offset: number;
  /** How many whole blocks there are. */
  readonly blocks: number;
}

/**
 * The way through one trace:
 *
 *     const cursor = await TraceCursor.open(source);
 *     for (let block = cursor.next(); block !== null; block = cursor.next()) …      // throws TraceDamage
 *     cursor.cut                                                                    // null where the trace is complete
 */
export class TraceCursor {
  readonly #frames: FrameReader;
  readonly #index = new IndexBuilder();
  #offset = PREAMBLE_BYTES;
  #header: TraceHeader | null = null;
  /** Bytes seen of each artefact. */
  #artefactBytes: number[] = [];
  #position = 0n;
  #hasRun = false;
  #partsLeft = 0;
  #lastCheckpoint: CheckpointBlock | null = null;
  #ended = false;
  #done = false;
  #cut: Cut | null = null;

  private constructor(frames: FrameReader) {
    this.#frames = frames;
  }

  /** Throws UserError where the source is no trace, or one of another format version. */
  static async open(source: TraceSource): Promise<TraceCursor> {
    const cursor = new TraceCursor(new FrameReader(source, await checksums()));
    placed(
      0,
      0,
      () => void cursor.#frames.preamble(),
      () => cursor.#cutHere(0),
    );
    return cursor;
  }

  /** Where the trace was cut, once `next` has given null; null for a complete one. */
  get cut(): Cut | null {
    return this.#cut;
  }

  /** What was seen so far, as an index knows it. */
  get entries(): readonly IndexEntry[] {
    return this.#index.entries;
  }

  /** What was seen so far, but for a checkpoint of which parts are missing at the end. */
  get wholeEntries(): readonly IndexEntry[] {
    const seen = this.#partsLeft === 0 || this.#lastCheckpoint === null ? 0 : this.#lastCheckpoint.part + 1;
    return this.entries.slice(0, this.entries.length - seen);
  }

  /** The next block, or null at the end or the cut. After damage there is nothing more. */
  next(): Block | null {
    if (this.#done) return null;
    const offset = this.#offset;
    const sequence = this.#index.entries.length;
    try {
      return placed(
        offset,
        sequence,
        () => this.#read(offset, sequence),
        () => this.#cutHere(offset),
      );
    } catch (error) {
      this.#done = true;
      throw error;
    }
  }

  #cutHere(offset: number): null {
    this.#done = true;
    this.#cut = { offset, blocks: this.#index.entries.length };
    return null;
  }

  #read(offset: number, sequence: number): Block {
    const { block, end } = this.#frames.block(offset, sequence);
    const { tags, position } = this.#follow(block);
    if (block.kind === 'index') this.#finish(block, end);
    else this.#index.add({ offset, kind: BLOCK[block.kind], position, tags });
    this.#offset = end;
    return block;
  }

  /** Checks that the block may stand after those before it. */
  #follow(block: Block): { readonly tags: bigint; readonly position: bigint } {
    if ((this.#header === null) !== (block.kind === 'header'))
      throw new Malformed(`a ${block.kind} block where the header should be, or a second header`);
    if (this.#ended !== (block.kind === 'index')) throw new Malformed(`a ${block.kind} block ${this.#ended ? 'after' : 'before'} the end`);
    if (this.#partsLeft > 0 && block.kind !== 'checkpoint') throw new Malformed(`a ${block.kind} block inside a checkpoint`);
    if (block.kind !== 'header' && block.kind !== 'artefact') this.#checkArtefactsWhole();
    switch (block.kind) {
      case 'header':
        this.#header = block.value;
        this.#artefactBytes = block.value.artefacts.map(() => 0);
        this.#position = block.value.branch?.at ?? 0n;
        return { tags: 0n, position: 0n };
      case 'artefact':
        this.#followArtefact(block.value);
        return { tags: 0n, position: 0n };
      case 'run':
        return this.#followRun(block.value);
      case 'checkpoint':
        this.#followCheckpoint(block.value);
        return { tags: 0n, position: block.value.at };
      case 'end':
        if (block.value.at !== this.#position)
          throw new Malformed(`the end is at ${block.value.at}, the last block ended at ${this.#position}`);
        this.#ended = true;
        return { tags: 0n, position: block.value.at };
      case 'index':
        return { tags: 0n, position: 0n };
    }
  }

  #followArtefact(value: ArtefactBlock): void {
    if (this.#hasRun) throw new Malformed('an artefact block after a run block');
    const artefact = this.#header?.artefacts[value.artefact];
    const seen = this.#artefactBytes[value.artefact];
    if (artefact === undefined || seen === undefined || !artefact.embedded)
      throw new Malformed(`no artefact ${value.artefact} is embedded`);
    if (value.offset !== seen || value.data.length === 0 || seen + value.data.length > artefact.size)
      throw new Malformed(
        `${value.data.length} bytes at ${value.offset} of artefact ${value.artefact}, of which ${seen} bytes of ${artefact.size} were seen`,
      );
    this.#artefactBytes[value.artefact] = seen + value.data.length;
  }

  #checkArtefactsWhole(): void {
    for (const [i, artefact] of (this.#header?.artefacts ?? []).entries())
      if (artefact.embedded && this.#artefactBytes[i] !== artefact.size)
        throw new Malformed(`artefact ${i} has ${this.#artefactBytes[i]} bytes of ${artefact.size}`);
  }

  #followRun(run: RunBlock): { readonly tags: bigint; readonly position: bigint } {
    if (this.#header?.branch && this.#lastCheckpoint === null) throw new Malformed('a branch begins without its checkpoint');
    if (run.first !== this.#position) throw new Malformed(`a block from ${run.first} where ${this.#position} is next`);
    checkRun(run, this.#header ?? bug('a run block before the header'));
    this.#hasRun = true;
    this.#position += BigInt(run.count);
    return { tags: tagsOf(run), position: run.first };
  }

  #followCheckpoint(value: CheckpointBlock): void {
    if (value.at !== this.#position) throw new Malformed(`a checkpoint at ${value.at} where the run is at ${this.#position}`);
    const before = this.#partsLeft > 0 ? this.#lastCheckpoint : null;
    const part = before === null ? 0 : before.part + 1;
    if (value.part !== part || (before !== null && before.parts !== value.parts))
      throw new Malformed(`part ${value.part} of a checkpoint where ${part} is next`);
    this.#partsLeft = value.parts - part - 1;
    this.#lastCheckpoint = value;
  }

  #finish(block: BlockOf<'index'>, end: number): void {
    const mine = this.#index.build(this.#position);
    const same = (['offsets', 'kinds', 'positions', 'tags'] as const).every((key) => Buffer.from(mine[key]).equals(block.value[key]));
    if (!same || mine.instructions !== block.value.instructions) throw new Malformed('the index does not fit the blocks');
    const trailer = this.#frames.source.read(end, TRAILER_BYTES + 1);
    if (trailer.length < TRAILER_BYTES) throw new EndOfFile();
    if (trailer.length > TRAILER_BYTES) throw new Malformed('bytes follow the trailer');
    if (parseTrailer(trailer) !== block.offset) throw new Malformed('the trailer does not point to the index');
    this.#done = true;
  }
}
