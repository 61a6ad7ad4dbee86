/**
 * The outermost layer of a trace file: a preamble, then frames, then a trailer. All of it is valid msgpack, so that any msgpack tool can walk over
 * a trace; but the parts have fixed sizes, and the reader accepts exactly these bytes.
 *
 *     preamble   b0 "palindrome-trace"  cd version:u16                                                                    20 bytes
 *     frame      97 kind:u7  ce sequence:u32  ce stored:u32  ce raw:u32  cf checksum:u64  ce headerChecksum:u32  c6 stored:u32  payload
 *     trailer    cf offset:u64   where the frame of the index begins                                                      9 bytes
 *
 * Numbers are big-endian, as msgpack has them. A frame's `checksum` is the xxHash64 of the payload as stored, `headerChecksum` the xxHash32 of
 * the 26 bytes before it: so a wrong length is told from a file that was cut. Where `stored` is less than `raw`, the payload is one zstd frame
 * that holds `raw` bytes; where they are equal it is stored as it is. Sequence numbers count from 0 and show a frame that was taken out or moved.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { UserError } from '../../machine/isa/bug.ts';
import type { Checksums } from './checksum.ts';
import { Malformed } from './malformed.ts';

/** The format that this module writes. A trace with addresses of memory operands says ADDRESSES_VERSION, which is that with a column more. */
export const FORMAT_VERSION = 3;
export const ADDRESSES_VERSION = 4;
/** That of a branch (schema.ts), with addresses or without: the newest. */
export const BRANCH_VERSION = 5;
/** The oldest format that is read. Versions differ in the events that they have (`since` in events.ts) and in the form of run blocks and checkpoints (`unpackRun`, `unpackCheckpoint` in schema.ts). */
export const OLDEST_VERSION = 1;

export const PREAMBLE_BYTES = 20;
export const HEADER_BYTES = 36;
export const TRAILER_BYTES = 9;

/** No payload is larger than this, stored or raw: a reader never needs more memory than a small multiple of it. */
export const MAX_PAYLOAD = 64 << 20;

const MAGIC = 'palindrome-trace';
const CHECKED_BYTES = 26;

/** The fields of a frame's header that its reader needs. */
export interface FrameHeader {
  readonly kind: number;
  readonly sequence: number;
  readonly stored: number;
  readonly raw: number;
  readonly checksum: bigint;
}

export function makePreamble(version: number): Uint8Array {
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  bytes[0] = 0xa0 | MAGIC.length;
  bytes.set(new TextEncoder().encode(MAGIC), 1);
  bytes[17] = 0xcd;
  new DataView(bytes.buffer).setUint16(18, version);
  return bytes;
}

/** The version in a preamble (0 where it is cut off); throws `Malformed` where the bytes are not the beginning of one. */
export function parsePreamble(bytes: Uint8Array): number {
  const wanted = makePreamble(FORMAT_VERSION);
  for (let i = 0; i < Math.min(bytes.length, PREAMBLE_BYTES - 2); i++)
    if (bytes[i] !== wanted[i]) throw new Malformed('this is not a Palindrome trace');
  return ((bytes[18] ?? 0) << 8) | (bytes[19] ?? 0);
}

export function makeTrailer(indexOffset: number): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  bytes[0] = 0xcf;
  new DataView(bytes.buffer).setBigUint64(1, BigInt(indexOffset));
  return bytes;
}

/** The offset in a trailer; throws `Malformed` where the bytes are no trailer. */
export function parseTrailer(bytes: Uint8Array): number {
  const offset = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(1);
  if (bytes[0] !== 0xcf || offset > BigInt(Number.MAX_SAFE_INTEGER)) throw new Malformed('the trailer is damaged');
  return Number(offset);
}

/** Payloads are opened in pieces of this size at most: a header may promise more than there is. */
const MOST_AT_ONCE = 4 << 20;
/** Small payloads, of which there are many, are compressed by the level that begins quickest; they gain nothing from a higher one. */
const SMALL_BYTES = 64 << 10;

function compress(raw: Uint8Array, level: number): Uint8Array {
  const isSmall = raw.length < SMALL_BYTES;
  const params = { [constants.ZSTD_c_compressionLevel]: isSmall ? 1 : level };
  return zstdCompressSync(raw, { params, chunkSize: isSmall ? Math.max(raw.length, 1024) : SMALL_BYTES });
}

/** A whole frame around `raw` bytes, compressed (by that level of zstd) where that makes them fewer. Throws UserError where they are more than a frame may hold. */
export function makeFrame(kind: number, sequence: number, raw: Uint8Array, sums: Checksums, level = 3): Uint8Array {
  if (raw.length > MAX_PAYLOAD)
    throw new UserError(
      `a block of ${raw.length} bytes does not fit into a trace (the limit is ${MAX_PAYLOAD}): give the guest smaller inputs`,
    );
  const packed = compress(raw, level);
  const payload = packed.length < raw.length ? packed : raw;
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x97;
  frame[1] = kind;
  frame[2] = 0xce;
  view.setUint32(3, sequence);
  frame[7] = 0xce;
  view.setUint32(8, payload.length);
  frame[12] = 0xce;
  view.setUint32(13, raw.length);
  frame[17] = 0xcf;
  view.setBigUint64(18, sums.wide(payload));
  frame[26] = 0xce;
  view.setUint32(27, sums.narrow(frame.subarray(0, CHECKED_BYTES)));
  frame[31] = 0xc6;
  view.setUint32(32, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** Reads and checks a frame's header; throws `Malformed`. */
export function parseHeader(bytes: Uint8Array, sums: Checksums): FrameHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const shaped =
    bytes[0] === 0x97 &&
    bytes[2] === 0xce &&
    bytes[7] === 0xce &&
    bytes[12] === 0xce &&
    bytes[17] === 0xcf &&
    bytes[26] === 0xce &&
    bytes[31] === 0xc6;
  if (!shaped) throw new Malformed('no frame begins here');
  if (view.getUint32(27) !== sums.narrow(bytes.subarray(0, CHECKED_BYTES)))
    throw new Malformed("the checksum of the frame's header is wrong");
  const header = {
    kind: bytes[1] ?? 0,
    sequence: view.getUint32(3),
    stored: view.getUint32(8),
    raw: view.getUint32(13),
    checksum: view.getBigUint64(18),
  };
  if (view.getUint32(32) !== header.stored) throw new Malformed("the frame's two lengths differ");
  if (header.stored > header.raw || header.raw > MAX_PAYLOAD)
    throw new Malformed(`a payload of ${header.stored} bytes for ${header.raw}; the limit is ${MAX_PAYLOAD}`);
  return header;
}

/** The raw bytes of a payload, checked against its header; throws `Malformed`. */
export function openPayload(header: FrameHeader, payload: Uint8Array, sums: Checksums): Uint8Array {
  if (sums.wide(payload) !== header.checksum) throw new Malformed("the payload's checksum is wrong");
  if (header.stored === header.raw) return payload;
  let raw: Uint8Array;
  try {
    // In one piece, with a byte to spare by which zstd sees that it is done.
    const opened = zstdDecompressSync(payload, { maxOutputLength: header.raw, chunkSize: Math.min(header.raw + 64, MOST_AT_ONCE) });
    raw = new Uint8Array(opened.buffer, opened.byteOffset, opened.length);
  } catch (error) {
    throw new Malformed(
      `the payload does not decompress to ${header.raw} bytes (${error instanceof Error ? error.message : String(error)})`,
    );
  }
  if (raw.length !== header.raw) throw new Malformed(`the payload decompresses to ${raw.length} bytes instead of ${header.raw}`);
  return raw;
}
