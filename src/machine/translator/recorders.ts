/** What the second body of code records: its emitter calls a recorder where something is to be written down. */
import { MOST_ACCESSES } from '../cpu/address-log.ts';
import type { SegmentRef, Step } from '../isa/dsl.ts';
import type { Place } from './memory-access.ts';

/** Which code is emitted; without either nothing of what follows is. */
export interface Recorded {
  readonly hasPath: boolean;
  readonly hasAddresses: boolean;
}

export interface PathRecorder {
  /** Appends a bit that is known now. */
  bit(value: 0 | 1): void;
  /** Appends the target in this i64 local. */
  target(local: number): void;
  /** A call that returns to the address in this i64 local. */
  call(returnTo: number): void;
  /** A return to the address in this i64 local. */
  return(target: number): void;
}

/** The accesses of a row's steps, by their places. Of what is read and then written the address is recorded once: both have one place. */
export function accessesOf(steps: readonly Step[], places: ReadonlyMap<number, Place>): RecordedAccess[] {
  const accesses = new Map<Place, RecordedAccess>();
  for (const [i, step] of steps.entries()) {
    const place = places.get(i);
    if (step.kind !== 'fault' && place !== undefined) accesses.set(place, { linear: place.linear, segment: step.segment });
  }
  return [...accesses.values()].slice(0, MOST_ACCESSES);
}

/** An access that was done: its linear address in an i64 local, and the segment as the row names it. */
export interface RecordedAccess {
  readonly linear: number;
  readonly segment: SegmentRef;
}

export interface AddressRecorder {
  /** Appends the accesses of an instruction that can no longer fail, in order. */
  append(accesses: readonly RecordedAccess[]): void;
}

export interface Recorders {
  readonly path: PathRecorder | null;
  readonly addresses: AddressRecorder | null;
}
