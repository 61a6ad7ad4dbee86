/** Compares two run blocks that should be the same, and names what differs. */
import type { PackedAddresses } from '../machine/index.ts';
import { firstDifferentAddress, guessAt, type Said } from './addresses.ts';
import { EVENTS, type TraceEvent } from './events.ts';
import { targetsOf } from './path.ts';
import type { PackedPath, RunBlock } from './schema.ts';
import { FORMAT_VERSION } from './trace/frame.ts';
import { eventsOf } from './trace/run-events.ts';

/** One way in which the blocks differ. Indexes count from the front of the block; null stands for "there are no more". */
export type BlockDifference =
  | { readonly part: 'event'; readonly index: number; readonly recorded: TraceEvent | null; readonly replayed: TraceEvent | null }
  | { readonly part: 'bit'; readonly index: number; readonly recorded: boolean | null; readonly replayed: boolean | null }
  | { readonly part: 'target'; readonly index: number; readonly recorded: bigint | null; readonly replayed: bigint | null }
  | AddressDifference
  | { readonly part: 'count'; readonly recorded: number; readonly replayed: number }
  | { readonly part: 'rip'; readonly recorded: bigint; readonly replayed: bigint }
  | { readonly part: 'hash'; readonly recorded: string; readonly replayed: string };

/** Of addresses what the columns say: null where the guess was right, undefined where there are no more. */
export interface AddressDifference {
  readonly part: 'address';
  readonly index: number;
  readonly recorded: Said;
  readonly replayed: Said;
}

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
  if (a.bitCount !== b.bitCount || a.targetCount !== b.targetCount || !sameBytes(a.bits, b.bits)) return false;
  if (a.guesses === null || b.guesses === null) {
    const [left, right] = [targetsOf(a), targetsOf(b)];
    return left.every((target, i) => target === right[i]);
  }
  return sameBytes(a.guesses, b.guesses) && sameBytes(a.targets, b.targets);
}

function sameAddresses(a: PackedAddresses | null, b: PackedAddresses | null): boolean {
  if (a === null || b === null) return a === b;
  return a.count === b.count && sameBytes(a.misses, b.misses) && sameBytes(a.differences, b.differences);
}

/** Events that a recording of an older format version did not have are left out. */
function sameEvents(recorded: RunBlock, replayed: RunBlock, version: number): boolean {
  if ('stream' in recorded.events && 'stream' in replayed.events) {
    const { stream, texts, data, tags } = recorded.events;
    const other = replayed.events;
    return tags === other.tags && sameBytes(stream, other.stream) && sameBytes(data, other.data) && samePacked(texts, other.texts);
  }
  return firstDifferentEvent(eventsOf(recorded), eventsOfVersion(replayed, version)) === null;
}

function eventsOfVersion(run: RunBlock, version: number): TraceEvent[] {
  const later = new Set<string>(EVENTS.filter(({ since }) => since > version).map(({ kind }) => kind));
  const events = eventsOf(run);
  return later.size === 0 ? events : events.filter(({ kind }) => !later.has(kind));
}

/** Whether the blocks are the same in everything; `version`: of the recording. */
export function sameBlock(recorded: RunBlock, replayed: RunBlock, version = FORMAT_VERSION): boolean {
  return (
    recorded.first === replayed.first &&
    recorded.count === replayed.count &&
    recorded.hash === replayed.hash &&
    recorded.rip === replayed.rip &&
    recorded.mode === replayed.mode &&
    samePath(recorded.path, replayed.path) &&
    sameAddresses(recorded.addresses, replayed.addresses) &&
    sameEvents(recorded, replayed, version)
  );
}

/**
 * Everything in which the blocks differ, one entry for each part. `replayed` may be shorter than `recorded` where `partly` is set: then it is compared
 * with the front of it.
 */
export function differences(recorded: RunBlock, replayed: RunBlock, version = FORMAT_VERSION, partly = false): BlockDifference[] {
  const found: BlockDifference[] = [];
  if (recorded.rip !== replayed.rip || recorded.mode !== replayed.mode)
    found.push({ part: 'rip', recorded: recorded.rip, replayed: replayed.rip });
  const end = replayed.first + BigInt(replayed.count);
  let expected = eventsOf(recorded);
  if (partly) expected = expected.filter((event) => event.at < end);
  const event = firstDifferentEvent(expected, eventsOfVersion(replayed, version));
  if (event !== null) found.push(event);
  if (recorded.path !== null && replayed.path !== null) found.push(...pathDifferences(recorded.path, replayed.path, partly));
  if (recorded.addresses !== null && replayed.addresses !== null) {
    const index = firstDifferentAddress(recorded.addresses, replayed.addresses, partly);
    const said = (column: PackedAddresses) => guessAt(column, index ?? 0);
    if (index !== null) found.push({ part: 'address', index, recorded: said(recorded.addresses), replayed: said(replayed.addresses) });
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
  const target = firstDifferentTarget(targetsOf(recorded), targetsOf(replayed), partly);
  if (target !== null) found.push(target);
  return found;
}

function firstDifferentTarget(recorded: BigUint64Array, replayed: BigUint64Array, partly: boolean): BlockDifference | null {
  const length = partly ? replayed.length : Math.max(recorded.length, replayed.length);
  for (let index = 0; index < length; index++) {
    const a = recorded[index] ?? null;
    const b = replayed[index] ?? null;
    if (a !== b) return { part: 'target', index, recorded: a, replayed: b };
  }
  return null;
}
