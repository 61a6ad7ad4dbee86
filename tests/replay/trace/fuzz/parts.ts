/** A trace taken apart into its frames, to be put together again in another way, with all checksums right. */
import { zstdCompressSync } from 'node:zlib';
import { BLOCK } from '../../../../src/replay/schema.ts';
import type { Checksums } from '../../../../src/replay/trace/checksum.ts';
import {
  HEADER_BYTES,
  makePreamble,
  makeTrailer,
  openPayload,
  PREAMBLE_BYTES,
  parseHeader,
  parsePreamble,
  TRAILER_BYTES,
} from '../../../../src/replay/trace/frame.ts';
import { IndexBuilder } from '../../../../src/replay/trace/index.ts';
import { Msgpack } from '../../../../src/replay/trace/msgpack.ts';

/** What a forger says of a frame, where it is not what the frame has. */
export interface Forged {
  readonly stored?: number;
  readonly raw?: number;
  readonly sequence?: number;
  readonly checksum?: bigint;
}

export interface Frame {
  readonly kind: number;
  readonly raw: Uint8Array;
  /** The frame as it stood in the file, as number `sequence`; null where it was changed. */
  readonly original: { readonly bytes: Uint8Array; readonly sequence: number } | null;
  /** What the index says of it. */
  readonly position: bigint;
  readonly tags: bigint;
  readonly forged?: Forged;
  readonly isCompressed?: boolean;
}

/** All frames but the index. */
export interface Parts {
  readonly version: number;
  readonly frames: readonly Frame[];
}

const msgpack = new Msgpack();

export function takeApart(trace: Uint8Array, sums: Checksums): Parts {
  const frames: Frame[] = [];
  const places = new Map<number, { position: bigint; tags: bigint }>();
  for (let at = PREAMBLE_BYTES; at < trace.length - TRAILER_BYTES; ) {
    const header = parseHeader(trace.subarray(at, at + HEADER_BYTES), sums);
    const end = at + HEADER_BYTES + header.stored;
    const raw = openPayload(header, trace.subarray(at + HEADER_BYTES, end), sums).slice();
    if (header.kind !== BLOCK.index) {
      const original = { bytes: trace.slice(at, end), sequence: header.sequence };
      frames.push({ kind: header.kind, raw, original, position: 0n, tags: 0n });
    } else {
      const index = msgpack.decode(raw) as { positions: Uint8Array; tags: Uint8Array };
      const word = (of: Uint8Array, i: number) => new DataView(of.buffer, of.byteOffset).getBigUint64(8 * i, true);
      for (const i of frames.keys()) places.set(i, { position: word(index.positions, i), tags: word(index.tags, i) });
    }
    at = end;
  }
  return { version: parsePreamble(trace), frames: frames.map((frame, i) => ({ ...frame, ...places.get(i) })) };
}

/** How a trace ends: with an index and a trailer (which `forge` may change), or cut behind its last frame. */
export interface Tail {
  readonly hasIndex: boolean;
  readonly forge?: (columns: { offsets: Uint8Array; kinds: Uint8Array; positions: Uint8Array; tags: Uint8Array }) => void;
}

export function putTogether({ version, frames }: Parts, sums: Checksums, { hasIndex, forge }: Tail): Uint8Array {
  const pieces: Uint8Array[] = [makePreamble(version)];
  const index = new IndexBuilder();
  let offset = PREAMBLE_BYTES;
  for (const [sequence, frame] of frames.entries()) {
    const bytes = frame.original?.sequence === sequence ? frame.original.bytes : frameBytes(frame, sequence, sums);
    index.add({ offset, kind: frame.kind, position: frame.position, tags: frame.tags });
    pieces.push(bytes);
    offset += bytes.length;
  }
  if (hasIndex) {
    const built = index.build(frames.at(-1)?.position ?? 0n);
    forge?.(built);
    const raw = Uint8Array.from(msgpack.encode(built));
    pieces.push(frameBytes({ kind: BLOCK.index, raw }, frames.length, sums), makeTrailer(offset));
  }
  return joined(pieces);
}

/** A frame by its number, its checksums right for what it says. */
export function frameBytes(
  { kind, raw, forged = {}, isCompressed = false }: Pick<Frame, 'kind' | 'raw' | 'forged' | 'isCompressed'>,
  sequence: number,
  sums: Checksums,
): Uint8Array {
  const packed = isCompressed ? zstdCompressSync(raw) : raw;
  return headed({ kind, sequence, raw: raw.length, ...forged }, packed, sums);
}

/** A payload as it is stored, behind a header that says this of it. */
export function headed(
  says: { readonly kind: number; readonly sequence: number; readonly raw: number } & Forged,
  payload: Uint8Array,
  sums: Checksums,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  for (const [at, tag] of [[0, 0x97], [2, 0xce], [7, 0xce], [12, 0xce], [17, 0xcf], [26, 0xce], [31, 0xc6]] as const) bytes[at] = tag; // biome-ignore format: one list
  bytes[1] = says.kind;
  view.setUint32(3, says.sequence);
  view.setUint32(8, says.stored ?? payload.length);
  view.setUint32(13, says.raw);
  view.setBigUint64(18, says.checksum ?? sums.wide(payload));
  view.setUint32(27, sums.narrow(bytes.subarray(0, 26)));
  view.setUint32(32, says.stored ?? payload.length);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Pieces one after the other. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.concat(pieces);
  return new Uint8Array(buffer, byteOffset, length);
}
