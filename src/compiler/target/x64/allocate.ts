/**
 * Register allocation over live ranges: every virtual register gets one place for its whole life, a register or a slot of the frame.
 *
 * The intervals are visited by how much they are used for their length. Each takes the first register of its class in which all its ranges
 * are free, those of the registers that it is copied from or to first, so that the copies vanish. One that finds none is spilled: its
 * users read and write the slot. Holes in an interval are free for others.
 */

import { bug } from '../../../machine/isa/bug.ts';
import { coalesce } from './coalesce.ts';
import { computeLiveness, type Interval } from './liveness.ts';
import type { MachineFunction } from './machine.ts';
import { CALLEE_SAVED_MASK, FIRST_VIRTUAL, FLOATS, GENERAL, WHOLE_FLOATS, WHOLE_GENERAL } from './registers.ts';

export interface Allocation {
  /** By register number: the fixed register, or `-1 - slot` for a spilled one. Fixed registers are themselves. */
  readonly places: Int32Array;
  /** 8-byte slots for spilled values. */
  readonly slotCount: number;
  /** Callee-saved registers that are written, as a mask. */
  readonly saved: number;
}

/** Disjoint ranges that are taken: from, to, from, to … ascending. */
class Track {
  private taken: number[] = [];

  isFree(ranges: readonly number[]): boolean {
    const { taken } = this;
    const count = taken.length;
    if (count === 0) return true;
    for (let k = 0, at = 0; k < ranges.length; k += 2) {
      const from = ranges[k] ?? 0;
      const to = ranges[k + 1] ?? 0;
      at = this.firstEndingAfter(from, at);
      if (at >= count) return true;
      if ((taken[at] ?? 0) < to) return false;
    }
    return true;
  }

  /** They must be free. */
  take(ranges: readonly number[]): void {
    const { taken } = this;
    const first = ranges[0] ?? 0;
    if (taken.length === 0 || (taken[taken.length - 1] ?? 0) <= first) {
      for (const bound of ranges) taken.push(bound);
      return;
    }
    if (ranges.length === 2) {
      taken.splice(this.firstEndingAfter(first, 0), 0, first, ranges[1] ?? 0);
      return;
    }
    const start = this.firstEndingAfter(first, 0);
    const tail = taken.splice(start);
    let a = 0;
    let b = 0;
    while (a < tail.length || b < ranges.length) {
      const fromTail = b >= ranges.length || (a < tail.length && (tail[a] ?? 0) < (ranges[b] ?? 0));
      const list = fromTail ? tail : ranges;
      const at = fromTail ? a : b;
      taken.push(list[at] ?? 0, list[at + 1] ?? 0);
      if (fromTail) a += 2;
      else b += 2;
    }
  }

  /** Even index of the first range that ends behind `point`, from `low` on. */
  private firstEndingAfter(point: number, low: number): number {
    const { taken } = this;
    let from = low >> 1;
    let to = taken.length >> 1;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((taken[2 * middle + 1] ?? 0) <= point) from = middle + 1;
      else to = middle;
    }
    return 2 * from;
  }
}

/** Spilled values look for a slot that is free among this many of the latest. */
const SLOTS_TRIED = 32;
/** What saving and restoring a callee-saved register costs, as a weight. */
const SAVE_COST = 2;

/** @param limit registers of each class that values may be in, for tests of spilling */
export function allocate(fn: MachineFunction, limit = Number.POSITIVE_INFINITY): Allocation {
  const { intervals } = computeLiveness(fn);
  const joined = coalesce(fn, intervals);
  const queue = byPriority(intervals);
  // Without spilled values nobody needs the scratch registers: they are given out as well, and taken back if it is not enough.
  const whole = assign(fn, intervals, queue, WHOLE_GENERAL.slice(0, limit), WHOLE_FLOATS.slice(0, limit));
  const allocation = whole.slotCount === 0 ? whole : assign(fn, intervals, queue, GENERAL.slice(0, limit), FLOATS.slice(0, limit));
  const { places } = allocation;
  for (let register = FIRST_VIRTUAL; register < places.length; register++) {
    places[register] = places[joined(register)] ?? bug('a hole in places');
  }
  return allocation;
}

function assign(
  fn: MachineFunction,
  intervals: readonly (Interval | undefined)[],
  queue: readonly Interval[],
  general: readonly number[],
  floats: readonly number[],
): Allocation {
  const places = new Int32Array(FIRST_VIRTUAL + fn.isFloat.length);
  for (let register = 0; register < FIRST_VIRTUAL; register++) places[register] = register;
  const tracks = Array.from({ length: FIRST_VIRTUAL }, () => new Track());
  let saved = 0;
  for (let register = 0; register < FIRST_VIRTUAL; register++) {
    const interval = intervals[register];
    if (interval === undefined) continue;
    tracks[register]?.take(interval.ranges);
    if (interval.ranges.length > 0) saved |= (1 << register) & CALLEE_SAVED_MASK;
  }

  const slots: Track[] = [];
  const assigned = new Uint8Array(places.length).fill(1, 0, FIRST_VIRTUAL);
  for (const interval of queue) {
    const { register, ranges } = interval;
    const classRegisters = fn.isFloat[register - FIRST_VIRTUAL] === true ? floats : general;
    let place = wish(interval, places, assigned, tracks, classRegisters, saved);
    if (place < 0) {
      const partners = openPartners(interval, intervals, assigned);
      for (const candidate of classRegisters) {
        const isNew = ((1 << candidate) & CALLEE_SAVED_MASK & ~saved) !== 0;
        if (isNew && interval.weight <= SAVE_COST) continue;
        const track = tracks[candidate];
        if (track?.isFree(ranges) !== true) continue;
        const suitsPartners = partners.every((partner) => track.isFree(partner.ranges));
        if (place < 0 || suitsPartners) place = candidate;
        if (suitsPartners) break;
      }
    }
    assigned[register] = 1;
    if (place >= 0) {
      tracks[place]?.take(ranges);
      saved |= (1 << place) & CALLEE_SAVED_MASK;
      places[register] = place;
    } else places[register] = -1 - takeSlot(slots, ranges);
  }
  return { places, slotCount: slots.length, saved: saved & CALLEE_SAVED_MASK };
}

/** Virtual intervals, the most used for their length first; ties by register number. */
function byPriority(intervals: readonly (Interval | undefined)[]): Interval[] {
  const list: { interval: Interval; density: number }[] = [];
  for (let register = FIRST_VIRTUAL; register < intervals.length; register++) {
    const interval = intervals[register];
    if (interval !== undefined) list.push({ interval, density: interval.weight / interval.length });
  }
  list.sort((a, b) => b.density - a.density || a.interval.register - b.interval.register);
  return list.map(({ interval }) => interval);
}

/** A register that a copy would like, if it is free for the interval; -1 if there is none. */
function wish(
  interval: Interval,
  places: Int32Array,
  assigned: Uint8Array,
  tracks: readonly Track[],
  classRegisters: readonly number[],
  saved: number,
): number {
  for (const other of interval.copies) {
    if (assigned[other] !== 1) continue;
    const place = places[other] ?? -1;
    if (place < 0 || !classRegisters.includes(place)) continue;
    if (((1 << place) & CALLEE_SAVED_MASK & ~saved) !== 0 && interval.weight <= SAVE_COST) continue;
    if (tracks[place]?.isFree(interval.ranges) === true) return place;
  }
  return -1;
}

const PARTNERS = 2;

/** Virtual registers without a place that it is copied from or to: a register that suits them too spares the copies. */
function openPartners(interval: Interval, intervals: readonly (Interval | undefined)[], assigned: Uint8Array): Interval[] {
  const partners: Interval[] = [];
  for (const other of interval.copies) {
    const partner = assigned[other] === 1 ? undefined : intervals[other];
    if (partner === undefined || partner === interval || partners.includes(partner)) continue;
    partners.push(partner);
    if (partners.length === PARTNERS) break;
  }
  return partners;
}

function takeSlot(slots: Track[], ranges: readonly number[]): number {
  for (let slot = Math.max(0, slots.length - SLOTS_TRIED); slot < slots.length; slot++) {
    const track = slots[slot] ?? bug('a hole in slots');
    if (!track.isFree(ranges)) continue;
    track.take(ranges);
    return slot;
  }
  const track = new Track();
  track.take(ranges);
  slots.push(track);
  return slots.length - 1;
}
