/** Compares two run blocks that should be the same, and names what differs. */
import type { TraceEvent } from './events.ts';
import type { PackedPath, RunBlock } from './schema.ts';
import { unpackEvents } from './trace/columns.ts';

/** One way in which the blocks differ. Indexes count from the front of the block; null stands for "there are no more". */
export type BlockDifference =
  | { readonly part: 'event'; readonly index: number; readonly recorded: TraceEvent | null; readonly replayed: TraceEvent | null }
  | { readonly part: 'bit'; readonly index: number; readonly recorded: boolean | null; readonly replayed: boolean | null }
  | { readonly part: 'target' | 'address'; readonly index: number; readonly recorded: bigint | null; readonly replayed: bigint | null }
  | { readonly part: 'count'; readonly recorded: number; readonly replayed: number }
  | { readonly part: 'rip'; readonly recorded: bigint; readonly replayed: bigint }
  | { readonly part: 'hash'; readonly recorded: string; readonly replayed: string };

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** Whether two packed values (bytes, texts, numbers, arrays of such) are the same. */
function samePacked(a: unknown, b: unknown): boolean {
  if (a instanceof Uint8Array) return b instanceof Uint8Array && sameBytes(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => samePacked(item, b[i]));
  return a === b;
}

function samePath(a: PackedPath | null, b: PackedPath | null): boolean {
  if (a === null || b === null) return a === b;
  return a.bitCount === b.bitCount && sameBytes(a.bits, b.bits) && sameBytes(a.targets, b.targets);
}

/** Whether the blocks are the same in everything. */
export function sameBlock(recorded: RunBlock, replayed: RunBlock): boolean {
  return (
    recorded.first === replayed.first &&
    recorded.count === replayed.count &&
    recorded.hash === replayed.hash &&
    recorded.rip === replayed.rip &&
    recorded.mode === replayed.mode &&
    samePath(recorded.path, replayed.path) &&
    samePacked(recorded.addresses, replayed.addresses) &&
    samePacked(recorded.events, replayed.events)
  );
}

/**
 * Everything in which the blocks differ, one entry for each part. `replayed` may be shorter than `recorded` where `partly` is set: then it is compared
 * with the front of it.
 */
export function differences(recorded: RunBlock, replayed: RunBlock, partly = false): BlockDifference[] {
  const found: BlockDifference[] = [];
  if (recorded.rip !== replayed.rip || recorded.mode !== replayed.mode)
    found.push({ part: 'rip', recorded: recorded.rip, replayed: replayed.rip });
  const end = replayed.first + BigInt(replayed.count);
  let expected = unpackEvents(recorded.events, recorded.first, recorded.count);
  if (partly) expected = expected.filter((event) => event.at < end);
  const event = firstDifferentEvent(expected, unpackEvents(replayed.events, replayed.first, replayed.count));
  if (event !== null) found.push(event);
  if (recorded.path !== null && replayed.path !== null) found.push(...pathDifferences(recorded.path, replayed.path, partly));
  if (recorded.addresses !== null && replayed.addresses !== null) {
    const address = firstDifferentWord('address', recorded.addresses, replayed.addresses, partly);
    if (address !== null) found.push(address);
  }
  if (partly && replayed.count < recorded.count) return found;
  if (recorded.count !== replayed.count) found.push({ part: 'count', recorded: recorded.count, replayed: replayed.count });
  if (recorded.hash !== replayed.hash) found.push({ part: 'hash', recorded: recorded.hash, replayed: replayed.hash });
  return found;
}

function firstDifferentEvent(recorded: readonly TraceEvent[], replayed: readonly TraceEvent[]): BlockDifference | null {
  const length = Math.max(recorded.length, replayed.length);
  for (let index = 0; index < length; index++) {
    const a = recorded[index] ?? null;
    const b = replayed[index] ?? null;
    if (a === null || b === null || !sameEvent(a, b)) return { part: 'event', index, recorded: a, replayed: b };
  }
  return null;
}

function sameEvent(a: TraceEvent, b: TraceEvent): boolean {
  const left = a as unknown as Record<string, unknown>;
  const right = b as unknown as Record<string, unknown>;
  return a.kind === b.kind && Object.keys(left).every((key) => samePacked(left[key], right[key]));
}

function pathDifferences(recorded: PackedPath, replayed: PackedPath, partly: boolean): BlockDifference[] {
  const found: BlockDifference[] = [];
  const bit = (path: PackedPath, i: number): boolean | null =>
    i < path.bitCount ? (((path.bits[i >> 3] ?? 0) >> (i & 7)) & 1) === 1 : null;
  const length = partly ? replayed.bitCount : Math.max(recorded.bitCount, replayed.bitCount);
  for (let index = 0; index < length; index++) {
    const a = bit(recorded, index);
    const b = bit(replayed, index);
    if (a === b) continue;
    found.push({ part: 'bit', index, recorded: a, replayed: b });
    break;
  }
  const target = firstDifferentWord('target', recorded.targets, replayed.targets, partly);
  if (target !== null) found.push(target);
  return found;
}

function firstDifferentWord(
  part: 'target' | 'address',
  recorded: Uint8Array,
  replayed: Uint8Array,
  partly: boolean,
): BlockDifference | null {
  const word = (bytes: Uint8Array, i: number): bigint | null =>
    i * 8 < bytes.length ? new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(i * 8, true) : null;
  const length = (partly ? replayed.length : Math.max(recorded.length, replayed.length)) / 8;
  for (let index = 0; index < length; index++) {
    const a = word(recorded, index);
    const b = word(replayed, index);
    if (a !== b) return { part, index, recorded: a, replayed: b };
  }
  return null;
}
