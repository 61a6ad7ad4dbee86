/**
 * Writes a trace, block by block, into a sink:
 *
 *     const writer = new TraceWriter(new FileSink(path), await checksums(), header, contents);
 *     writer.run(block); … writer.checkpoint(parts); …
 *     writer.end(end);                                   // index, trailer, rename
 *
 * The same blocks give the same bytes. A writer that is given up half way leaves a trace that reads up to its last whole block.
 */
import { Bug, UserError } from '../../machine/isa/bug.ts';
import {
  type ArtefactBlock,
  BLOCK,
  type BlockKind,
  type CheckpointBlock,
  type EndBlock,
  packEnd,
  packHeader,
  packRun,
  type RunBlock,
  type TraceHeader,
  unpackHeader,
  versionOf,
} from '../schema.ts';
import type { Checksums } from './checksum.ts';
import type { TraceSink } from './file.ts';
import { makeFrame, makePreamble, makeTrailer } from './frame.ts';
import { IndexBuilder } from './index.ts';
import { Malformed } from './malformed.ts';
import { Msgpack } from './msgpack.ts';
import { tagsOf } from './run-events.ts';

/** Bytes of an artefact in one block. */
const PIECE_BYTES = 4 << 20;
/** zstd levels: pages gain little from a higher one. */
const PAGES_LEVEL = 1;
const RUN_LEVEL = 3;

export class TraceWriter {
  readonly #sink: TraceSink;
  readonly #sums: Checksums;
  readonly #msgpack = new Msgpack();
  readonly #index = new IndexBuilder();
  #offset = 0;

  /** Writes the preamble, the header and the embedded artefacts; `contents` holds the bytes of each artefact, null for those not embedded. Throws UserError for a header beyond the format's limits. */
  constructor(sink: TraceSink, sums: Checksums, header: TraceHeader, contents: readonly (Uint8Array | null)[]) {
    this.#sink = sink;
    this.#sums = sums;
    const version = versionOf(header);
    this.#checkHeader(header, version);
    this.#put(makePreamble(version));
    this.#block('header', packHeader(header, version), 0n, 0n);
    for (const [artefact, { embedded, size, name }] of header.artefacts.entries()) {
      if (!embedded) continue;
      const bytes = contents[artefact];
      if (bytes?.length !== size) throw new Bug(`the contents of ${name} are not given`);
      for (let offset = 0; offset < size; offset += PIECE_BYTES) {
        const block: ArtefactBlock = { artefact, offset, data: bytes.subarray(offset, offset + PIECE_BYTES) };
        this.#block('artefact', block, 0n, 0n);
      }
    }
  }

  /** What a reader would refuse is not written. */
  #checkHeader(header: TraceHeader, version: number): void {
    try {
      unpackHeader(this.#msgpack.decode(this.#msgpack.encode(packHeader(header, version))), version);
    } catch (error) {
      if (error instanceof Malformed) throw new UserError(`this run cannot be recorded: ${error.message}`);
      throw error;
    }
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#offset;
  }

  run(block: RunBlock): void {
    this.#block('run', packRun(block), block.first, tagsOf(block));
  }

  /** One part; they come in order. */
  checkpoint(part: CheckpointBlock): void {
    this.#block('checkpoint', part, part.at, 0n);
  }

  /** The last blocks: the trace is whole after it. */
  end(end: EndBlock): void {
    this.#block('end', packEnd(end), end.at, 0n);
    const indexOffset = this.#offset;
    this.#frame('index', this.#index.build(end.at));
    this.#put(makeTrailer(indexOffset));
    this.#sink.finish();
  }

  /** Leaves the trace as it is: it can be read up to the last block written. */
  abandon(): void {
    this.#sink.abandon();
  }

  #block(kind: BlockKind, value: object, position: bigint, tags: bigint): void {
    const offset = this.#offset;
    this.#frame(kind, value);
    this.#index.add({ offset, kind: BLOCK[kind], position, tags });
  }

  #frame(kind: BlockKind, value: object): void {
    this.#put(
      makeFrame(
        BLOCK[kind],
        this.#index.entries.length,
        this.#msgpack.encode(value),
        this.#sums,
        kind === 'checkpoint' ? PAGES_LEVEL : RUN_LEVEL,
      ),
    );
  }

  #put(bytes: Uint8Array): void {
    this.#sink.write(bytes);
    this.#offset += bytes.length;
  }
}
