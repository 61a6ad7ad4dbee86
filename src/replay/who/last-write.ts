/**
 * The last writes to bytes of physical memory before a moment: the index names the slice, watching the bytes in it finds the write.
 *
 * *Before* a position n: by whatever happened at positions below n. Before instruction n: also by what was delivered to it (the CPU's own stores at n).
 */
import { bug } from '../../machine/isa/bug.ts';
import type { Range, TouchIndex } from '../index-file/touch-index.ts';
import { latest } from '../timeline/traveller.ts';
import type { Moment, Stage, Write } from './stage.ts';

const PAGE = 4096n;

/** Bytes that one write made last, next to each other. */
export interface LastWrite {
  readonly physical: bigint;
  readonly length: number;
  /** Null: nothing wrote them; they are what the boot put there. */
  readonly write: Write | null;
  /** The instruction at the write's position; null where `write` is, or none retired there. */
  readonly moment: Moment | null;
}

export interface Bound {
  readonly at: bigint;
  /** What the CPU itself wrote at `at` counts, too. */
  readonly isDelivered: boolean;
}

/** For each of the bytes: the last write before `bound`; those of one write that lie side by side together, ascending. */
export function lastWrites(stage: Stage, index: TouchIndex, physical: bigint, length: number, bound: Bound): LastWrite[] {
  const found = new Array<Found | null | undefined>(length);
  for (let from = 0; from < length; ) {
    const left = Number(PAGE - ((physical + BigInt(from)) % PAGE));
    const to = Math.min(length, from + left);
    searchPage(stage, index, physical, found, { from, to }, bound);
    from = to;
  }
  return grouped(physical, found);
}

interface Found {
  readonly write: Write;
  readonly moment: Moment | null;
}

/** Fills in `found` for the bytes `from` … `to` - 1, which lie in one frame. */
function searchPage(
  stage: Stage,
  index: TouchIndex,
  physical: bigint,
  found: (Found | null | undefined)[],
  { from, to }: { readonly from: number; readonly to: number },
  { at, isDelivered }: Bound,
): void {
  const frame = Number((physical + BigInt(from)) / PAGE);
  const isMissing = (i: number): boolean => found[i] === undefined;
  const range = Array.from({ length: to - from }, (_, i) => from + i);
  const search = (ranges: readonly Range[], takes: (write: Write) => boolean): void => {
    const last = new Map<number, Write>();
    for (const each of ranges)
      stage.writes(each, physical + BigInt(from), to - from, (write) => {
        if (!takes(write)) return;
        for (const i of range) if (isMissing(i) && covers(write, physical + BigInt(i))) last.set(i, write);
      });
    const again = keepMade(stage, physical, last, found);
    // A store that was told and not made: its instruction faulted. What was made before it is still to be found.
    if (again !== null) search(cut(ranges, again), takes);
  };
  if (isDelivered) search([{ from: at, to: at + 1n }], ({ implicit, linear }) => implicit && linear !== null);
  let size = BigInt(index.sliceInstructions);
  for (let before = at; range.some(isMissing); size *= 2n) {
    const slice = index.previous('written', frame, before);
    if (slice === null) break;
    // Windows twice as long each time: where a page is written all the time, slice by slice would run the way to each of them.
    const window = slice.to - size < slice.from ? latest(slice.to - size, 0n) : slice.from;
    const first = stage.restartNear(window, size);
    search(touched(index, frame, first, slice.to), () => true);
    before = first;
  }
  for (const i of range) if (isMissing(i)) found[i] = null;
}

/** The slices within a range in which the frame was written. */
function touched(index: TouchIndex, frame: number, from: bigint, to: bigint): Range[] {
  const ranges: Range[] = [];
  for (let at = from; at < to; ) {
    const slice = index.next('written', frame, at);
    if (slice === null || slice.from >= to) break;
    at = slice.to < to ? slice.to : to;
    const last = ranges.at(-1);
    if (last?.to === slice.from) ranges[ranges.length - 1] = { from: last.from, to: at };
    else ranges.push({ from: slice.from, to: at });
  }
  return ranges;
}

/** What of the ranges lies before a position. */
function cut(ranges: readonly Range[], before: bigint): Range[] {
  return ranges.filter(({ from }) => from < before).map(({ from, to }) => ({ from, to: to < before ? to : before }));
}

/** Enters the writes that were made; gives the position of the last that was not, null: all were. */
function keepMade(stage: Stage, physical: bigint, last: ReadonlyMap<number, Write>, found: (Found | null | undefined)[]): bigint | null {
  let refused: bigint | null = null;
  const moments = new Map<bigint, Moment | null>();
  for (const [i, write] of last) {
    const known = moments.get(write.at);
    const moment = known === undefined ? stage.moment(write.at) : known;
    moments.set(write.at, moment);
    if (write.implicit || isMade(moment, write, physical + BigInt(i))) found[i] = { write, moment };
    else if (refused === null || write.at > refused) refused = write.at;
  }
  return refused;
}

/** Whether the instruction that retired at the write's position makes this write, and not one before it that faulted. */
function isMade(moment: Moment | null, write: Write, byte: bigint): boolean {
  if (moment === null || moment.flow === null) return false;
  return moment.flow.stored(linearOf(write, byte)) !== null;
}

/** Where a byte of a write lies in linear memory. */
export function linearOf({ linear, physical }: Write, byte: bigint): bigint {
  return (linear ?? bug('a write of an instruction without a linear address')) + (byte - physical);
}

function covers({ physical, size }: Write, byte: bigint): boolean {
  return byte >= physical && byte < physical + BigInt(size);
}

function grouped(physical: bigint, found: readonly (Found | null | undefined)[]): LastWrite[] {
  const groups: LastWrite[] = [];
  for (const [i, each] of found.entries()) {
    const last = groups.at(-1);
    const write = each?.write ?? null;
    if (last !== undefined && isSame(last.write, write)) groups[groups.length - 1] = { ...last, length: last.length + 1 };
    else groups.push({ physical: physical + BigInt(i), length: 1, write, moment: each?.moment ?? null });
  }
  return groups;
}

/** The same event: pieces of one store, on two pages or of a device, are one. */
function isSame(a: Write | null, b: Write | null): boolean {
  return a === b || (a !== null && b !== null && a.at === b.at && a.implicit === b.implicit && (a.linear === null) === (b.linear === null));
}
