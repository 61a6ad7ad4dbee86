/**
 * A mutated trace by its seed: some changes of its parts (after which all checksums are right again, as a forger would have them), or of its bytes, or
 * both.
 */
import { BLOCK } from '../../../../src/replay/schema.ts';
import { Msgpack } from '../../../../src/replay/trace/msgpack.ts';
import { type Frame, joined, type Parts, putTogether, type Tail } from './parts.ts';
import { Choices } from './random.ts';
import { changedBin, changedPayload, forgedEncoding, pack } from './values.ts';
import type { Victim, Victims } from './victims.ts';

export interface Mutant {
  readonly bytes: Uint8Array;
  /** What was done, for people. */
  readonly how: string;
}

const msgpack = new Msgpack();

/** What may be done to the parts, and how often. */
const PART_CHANGES = {
  value: 50,
  encoding: 14,
  bytes: 10,
  drop: 5,
  double: 4,
  exchange: 4,
  graft: 8,
  kind: 3,
  'frame header': 5,
  compressed: 3,
  version: 3,
  artefacts: 2,
  bomb: 1,
} as const;

/** What may be done to the file. */
const FILE_CHANGES = { flip: 5, cut: 4, take: 2, put: 2, copy: 2, splice: 3 } as const;

export function mutant(victims: Victims, seed: string, from: readonly Victim[] = victims.all): Mutant {
  const choices = new Choices(seed);
  const victim = choices.pick(from);
  const { sums } = victims;
  const how: string[] = [victim.name];
  let { bytes } = victim;
  const isForged = choices.chance(0.85);
  if (isForged) {
    let { parts } = victim;
    for (let i = choices.pick([0, 0, 0, 0, 1, 1, 2]); i >= 0; i--) {
      const change = choices.weighted(PART_CHANGES);
      how.push(change);
      parts = changeParts(change, parts, victims, choices);
    }
    const tail = choices.weighted({ index: 60, 'forged index': 15, 'no index': 25 });
    how.push(tail);
    const forge: Tail['forge'] = (columns) => {
      const name = choices.pick(['offsets', 'kinds', 'positions', 'tags'] as const);
      columns[name] = changedBin(columns[name], choices);
    };
    bytes = putTogether(parts, sums, { hasIndex: tail !== 'no index', ...(tail === 'forged index' && { forge }) });
  }
  if (!isForged || choices.chance(0.1)) {
    const change = choices.weighted(FILE_CHANGES);
    how.push(change);
    bytes = changeFile(change, bytes, victims, choices);
  }
  return { bytes, how: how.join(', ') };
}

function changeParts(change: keyof typeof PART_CHANGES, parts: Parts, victims: Victims, choices: Choices): Parts {
  const { frames } = parts;
  const at = choices.below(frames.length);
  const frame = frames[at];
  if (frame === undefined) return parts;
  const put = (changed: Partial<Frame>): Parts => ({ ...parts, frames: frames.with(at, { ...frame, original: null, ...changed }) });
  switch (change) {
    case 'value':
      return put({ raw: changedPayload(frame.raw, choices) });
    case 'encoding':
      return put({ raw: forgedEncoding(frame.raw, choices) });
    case 'bytes':
      return put({ raw: changedBin(frame.raw, choices) });
    case 'drop':
      return { ...parts, frames: frames.toSpliced(at, 1) };
    case 'double':
      return { ...parts, frames: frames.toSpliced(at, 0, frame) };
    case 'exchange': {
      const other = choices.below(frames.length);
      return { ...parts, frames: frames.with(at, frames[other] ?? frame).with(other, frame) };
    }
    case 'graft': {
      // Of the other trace, a frame of the same kind mostly.
      const all = choices.pick(victims.all).parts.frames;
      const same = all.filter(({ kind }) => kind === frame.kind);
      const graft = choices.pick(same.length > 0 && choices.chance(0.8) ? same : all);
      return { ...parts, frames: frames.toSpliced(at, choices.below(2), graft) };
    }
    case 'kind':
      return put({ kind: choices.pick([0, 1, 2, 3, 4, 5, 6, 127, 255]) });
    case 'frame header':
      return put({ forged: forgedHeader(frame, choices) });
    case 'compressed':
      return put({ isCompressed: true, raw: choices.chance(0.5) ? frame.raw : changedBin(frame.raw, choices) });
    case 'version':
      return versioned(parts, choices);
    case 'artefacts':
      return put({ kind: BLOCK.artefact, raw: pack({ artefact: choices.below(3), offset: choices.below(400), data: choices.bytes(8) }) });
    case 'bomb':
      // They take as long as hundreds of the others.
      if (choices.chance(0.95)) return put({ raw: changedPayload(frame.raw, choices) });
      return { ...parts, frames: frames.toSpliced(at, choices.below(2), bomb(frame, choices)) };
  }
}

function forgedHeader(frame: Frame, choices: Choices): Frame['forged'] & object {
  const lengths = [0, 1, frame.raw.length - 1, frame.raw.length + 1, 2 * frame.raw.length, 64 << 20, (64 << 20) + 1, 2 ** 31, 2 ** 32 - 1];
  const length = Math.max(0, choices.pick(lengths));
  switch (choices.below(5)) {
    case 0:
      return { stored: length };
    case 1:
      return { stored: length, raw: length };
    case 2:
      return { sequence: choices.pick([0, 1, 2, 2 ** 32 - 1]) };
    case 3:
      return { checksum: BigInt(choices.below(2 ** 31)) };
    default:
      return { raw: length };
  }
}

/** The version in the preamble, in the header, or in both. */
function versioned(parts: Parts, choices: Choices): Parts {
  const version = choices.pick([0, 1, 2, 3, 4, 5, 6, 255, 65535]);
  const [header, ...rest] = parts.frames;
  if (header === undefined || choices.chance(0.4)) return { ...parts, version };
  let value: unknown;
  try {
    value = msgpack.decode(header.raw);
  } catch {
    return { ...parts, version };
  }
  const raw = pack({ ...(value as object), version });
  return { version: choices.chance(0.6) ? version : parts.version, frames: [{ ...header, raw, original: null }, ...rest] };
}

const MIB = 1 << 20;
/** Small payloads that are large when they are opened: zeros, one bin of zeros, a list without end, one event after the other. */
const BOMBS: readonly Uint8Array[] = [
  new Uint8Array(64 * MIB),
  pack({ artefact: 0, offset: 0, data: new Uint8Array(63 * MIB) }),
  Uint8Array.from(Buffer.concat([Uint8Array.of(0xdd, 0, 0xff, 0xff, 0xff), new Uint8Array(16 * MIB).fill(0xc0)])),
  new Uint8Array(16 * MIB).fill(0x91),
];

/** In the place of a frame, one that bursts. */
function bomb(frame: Frame, choices: Choices): Frame {
  if (frame.kind === BLOCK.run && choices.chance(0.6)) {
    try {
      return { ...frame, raw: eventBomb(msgpack.decode(frame.raw) as object), original: null, isCompressed: true };
    } catch {
      // It had been changed before.
    }
  }
  return { ...frame, raw: choices.pick(BOMBS), original: null, isCompressed: true };
}

/** As many events as fit: outputs (tag 20) at one position, of which each takes three bytes, or columns of one byte each. */
function eventBomb(run: { readonly events?: unknown }): Uint8Array {
  const isStream = Array.isArray(run.events) && run.events.length === 4;
  const stream = new Uint8Array(2 * MIB - 2);
  for (let i = 0; i < stream.length; i += 3) stream[i] = 20;
  const count = 1 << 20;
  const columns = [new Uint8Array(count).fill(20), new Uint8Array(4 * count), [[20, new Uint8Array(count)]]];
  return pack({ ...run, events: isStream ? [stream, [], new Uint8Array(0), 1n << 20n] : columns });
}

function changeFile(change: keyof typeof FILE_CHANGES, bytes: Uint8Array, victims: Victims, choices: Choices): Uint8Array {
  const at = choices.below(bytes.length);
  const join = (...pieces: Uint8Array[]): Uint8Array => joined(pieces);
  switch (change) {
    case 'flip': {
      const flipped = bytes.slice();
      for (let i = choices.below(4); i >= 0; i--) {
        const place = choices.below(bytes.length);
        flipped[place] = (flipped[place] ?? 0) ^ (1 << choices.below(8));
      }
      return flipped;
    }
    case 'cut':
      return bytes.slice(0, at);
    case 'take':
      return join(bytes.subarray(0, at), bytes.subarray(at + 1 + choices.below(64)));
    case 'put':
      return join(bytes.subarray(0, at), choices.bytes(1 + choices.below(64)), bytes.subarray(at));
    case 'copy': {
      const from = choices.below(bytes.length);
      return join(bytes.subarray(0, at), bytes.subarray(from, from + choices.below(4096)), bytes.subarray(at));
    }
    case 'splice': {
      const other = choices.pick(victims.all).bytes;
      return join(bytes.subarray(0, at), other.subarray(choices.below(other.length)));
    }
  }
}
