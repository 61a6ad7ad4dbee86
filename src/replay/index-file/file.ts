/**
 * The file of an index: `TRACE.idx`, beside the trace. The text "palindrome-index" and a version as msgpack, then one frame as a trace has them
 * (trace/frame.ts: checksummed, zstd), which holds a map: `digest` (of the trace that it belongs to), `instructions`, `slice` (instructions, as a power of
 * two), `frames` (of the machine's memory), `written` and `executed` (columns.ts). It is always smaller than the trace, and taken to be hostile: what is not
 * what this module writes for this trace is made anew.
 */
import type { Checksums } from '../trace/checksum.ts';
import { HEADER_BYTES, MAX_PAYLOAD, makeFrame, openPayload, parseHeader } from '../trace/frame.ts';
import { Malformed } from '../trace/malformed.ts';
import { Msgpack } from '../trace/msgpack.ts';
import { TouchColumns } from './columns.ts';
import { slicesOf, TouchIndex } from './touch-index.ts';

/** What an index file must fit to. */
export interface IndexSubject {
  readonly digest: Uint8Array;
  readonly instructions: bigint;
  /** Frames of the machine's memory. */
  readonly frames: number;
}

const MAGIC = 'palindrome-index';
const VERSION = 1;
const PREAMBLE_BYTES = 20;
const FRAME_KIND = 0;
const LEVEL = 6;
const LEAST_SHIFT = 10;
const MOST_SHIFT = 30;
const MOST_SLICES = 2 ** 31;

/** The bytes of an index file; null where they would be more than `most`, or the columns more than a frame may hold. */
export function indexBytes(index: TouchIndex, subject: IndexSubject, sums: Checksums, most: number): Uint8Array | null {
  const columns = [index.written.pack(), index.executed.pack()] as const;
  const size = columns.flat().reduce((sum, { length }) => sum + length, 1024);
  if (size > MAX_PAYLOAD) return null;
  const { instructions, sliceInstructions } = index;
  const { digest, frames } = subject;
  const slice = Math.log2(sliceInstructions);
  const raw = new Msgpack().encode({ digest, instructions, slice, frames, written: columns[0], executed: columns[1] });
  const frame = makeFrame(FRAME_KIND, 0, raw, sums, LEVEL);
  return PREAMBLE_BYTES + frame.length > most ? null : Uint8Array.from(Buffer.concat([preamble(), frame]));
}

/** The index in the bytes of a file that may be hostile; throws `Malformed` where it is none for this trace. */
export function indexFrom(bytes: Uint8Array, subject: IndexSubject, sums: Checksums): TouchIndex {
  if (Buffer.compare(bytes.subarray(0, PREAMBLE_BYTES), preamble()) !== 0)
    throw new Malformed(`no index of version ${VERSION} begins here`);
  if (bytes.length < PREAMBLE_BYTES + HEADER_BYTES) throw new Malformed('the index ends early');
  const header = parseHeader(bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + HEADER_BYTES), sums);
  const payload = bytes.subarray(PREAMBLE_BYTES + HEADER_BYTES);
  if (header.kind !== FRAME_KIND || header.sequence !== 0 || payload.length !== header.stored)
    throw new Malformed('the index is not one frame');
  const map = new Msgpack().decode(openPayload(header, payload, sums));
  if (typeof map !== 'object' || map === null) throw new Malformed('the index is not a map');
  const { digest, instructions, slice, frames, written, executed } = map as Record<string, unknown>;
  if (!(digest instanceof Uint8Array) || Buffer.compare(digest, subject.digest) !== 0)
    throw new Malformed('the index belongs to another trace');
  if (instructions !== subject.instructions || frames !== subject.frames) throw new Malformed('the index is of another run');
  if (typeof slice !== 'number' || !Number.isInteger(slice) || slice < LEAST_SHIFT || slice > MOST_SHIFT)
    throw new Malformed(`slices of 2^${String(slice)} instructions`);
  const sliceInstructions = 2 ** slice;
  const slices = slicesOf(subject.instructions, sliceInstructions);
  if (slices > MOST_SLICES) throw new Malformed(`${slices} slices`);
  const columns = (packed: unknown) => TouchColumns.unpack(packed, subject.frames, slices);
  return new TouchIndex(subject.instructions, sliceInstructions, columns(written), columns(executed));
}

function preamble(): Uint8Array {
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  bytes[0] = 0xa0 | MAGIC.length;
  bytes.set(new TextEncoder().encode(MAGIC), 1);
  bytes[17] = 0xcd;
  new DataView(bytes.buffer).setUint16(18, VERSION);
  return bytes;
}
