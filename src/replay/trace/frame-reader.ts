/** Single frames of a trace: reads one, checks it by itself, and says where the damage is. The order of frames is the business of cursor.ts and reader.ts. */
import { UserError } from '../../machine/isa/bug.ts';
import {
  type ArtefactBlock,
  BLOCK,
  type BlockKind,
  type CheckpointBlock,
  type EndBlock,
  type IndexBlock,
  type RunBlock,
  type TraceHeader,
  unpackArtefactBlock,
  unpackCheckpoint,
  unpackEnd,
  unpackHeader,
  unpackIndex,
  unpackRun,
} from '../schema.ts';
import type { Checksums } from './checksum.ts';
import type { TraceSource } from './file.ts';
import {
  BRANCH_VERSION,
  FORMAT_VERSION,
  type FrameHeader,
  HEADER_BYTES,
  OLDEST_VERSION,
  openPayload,
  PREAMBLE_BYTES,
  parseHeader,
  parsePreamble,
} from './frame.ts';
import { Malformed } from './malformed.ts';
import { Msgpack } from './msgpack.ts';

/** Where a trace is wrong. */
export interface Damage {
  /** Offset in the file of the frame (or of the preamble, the trailer) that is wrong. */
  readonly offset: number;
  /** Sequence number of the frame. */
  readonly block: number;
  readonly reason: string;
}

/** The trace is not what a writer wrote. */
export class TraceDamage extends UserError implements Damage {
  override readonly name = 'TraceDamage';
  readonly offset: number;
  readonly block: number;
  readonly reason: string;

  constructor(damage: Damage) {
    super(`the trace is damaged at offset ${damage.offset} (block ${damage.block}): ${damage.reason}`);
    this.offset = damage.offset;
    this.block = damage.block;
    this.reason = damage.reason;
  }
}

/** What a block of each kind holds. */
export interface BlockValues {
  readonly header: TraceHeader;
  readonly artefact: ArtefactBlock;
  readonly run: RunBlock;
  readonly checkpoint: CheckpointBlock;
  readonly end: EndBlock;
  readonly index: IndexBlock;
}

/** A block of one kind that was read and checked. */
export interface BlockOf<Kind extends BlockKind> {
  readonly kind: Kind;
  readonly value: BlockValues[Kind];
  readonly offset: number;
  readonly sequence: number;
}

/** A block that was read and checked, told apart by `kind`. */
export type Block = { [Kind in BlockKind]: BlockOf<Kind> }[BlockKind];

const UNPACK: { readonly [Kind in BlockKind]: (value: unknown, version: number) => BlockValues[Kind] } = {
  header: unpackHeader,
  artefact: unpackArtefactBlock,
  run: unpackRun,
  checkpoint: unpackCheckpoint,
  end: unpackEnd,
  index: unpackIndex,
};

/** Thrown where the file ends before a frame does. */
export class EndOfFile extends Error {}

/** Reads single frames. */
export class FrameReader {
  readonly source: TraceSource;
  readonly #sums: Checksums;
  readonly #msgpack = new Msgpack();
  /** Of the trace, as its preamble says. */
  #version = FORMAT_VERSION;

  constructor(source: TraceSource, sums: Checksums) {
    this.source = source;
    this.#sums = sums;
  }

  /** The trace's format version. Throws UserError where this is no trace or one of another version, `EndOfFile` where the file is too short to tell. */
  preamble(): number {
    const bytes = this.source.read(0, PREAMBLE_BYTES);
    let version: number;
    try {
      version = parsePreamble(bytes);
    } catch {
      throw new UserError('this is not a Palindrome trace: a trace begins with the text "palindrome-trace"');
    }
    if (bytes.length < PREAMBLE_BYTES) throw new EndOfFile();
    if (version < OLDEST_VERSION || version > BRANCH_VERSION)
      throw new UserError(
        `this trace is of format version ${version}; this version of Palindrome reads format versions ${OLDEST_VERSION} to ${BRANCH_VERSION}${version > BRANCH_VERSION ? '; a newer one, as that which recorded it, reads it' : ''}`,
      );
    this.#version = version;
    return version;
  }

  /** The header of the frame at `offset`, which must have this number. */
  header(offset: number, sequence: number): FrameHeader {
    const bytes = this.source.read(offset, HEADER_BYTES);
    if (bytes.length > 0 && bytes[0] !== 0x97) throw new Malformed('no frame begins here');
    if (bytes.length < HEADER_BYTES) throw new EndOfFile();
    const header = parseHeader(bytes, this.#sums);
    if (header.sequence !== sequence) throw new Malformed(`this is frame ${header.sequence}, frame ${sequence} should stand here`);
    return header;
  }

  /** The block at `offset`, checked by itself, and where it ends. */
  block(offset: number, sequence: number): { readonly block: Block; readonly end: number } {
    const header = this.header(offset, sequence);
    const payload = this.source.read(offset + HEADER_BYTES, header.stored);
    if (payload.length < header.stored) throw new EndOfFile();
    const kind = (Object.keys(BLOCK) as BlockKind[]).find((name) => BLOCK[name] === header.kind);
    if (kind === undefined) throw new Malformed(`no block has kind ${header.kind}`);
    const value = UNPACK[kind](this.#msgpack.decode(openPayload(header, payload, this.#sums)), this.#version);
    return { block: { kind, value, offset, sequence } as Block, end: offset + HEADER_BYTES + header.stored };
  }
}

/** Does `work`; what is malformed in it becomes damage of this place. A file that ends early becomes damage too, unless `onCut` takes it. */
export function placed<T>(offset: number, block: number, work: () => T, onCut?: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof Malformed) throw new TraceDamage({ offset, block, reason: error.message });
    if (!(error instanceof EndOfFile)) throw error;
    if (onCut !== undefined) return onCut();
    throw new TraceDamage({ offset, block, reason: 'the file ends before the block does' });
  }
}
