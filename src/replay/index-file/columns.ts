/**
 * Which frames were touched when: for each frame the *runs* of slices in which it was, ascending and apart from each other. Slices are numbered from the
 * begin of the trace. In memory as arrays, in a file as columns of small numbers, which zstd makes smaller still.
 */
import { Malformed } from '../trace/malformed.ts';

/** A run of slices: `end` is the first that is left out. */
export interface SliceRun {
  readonly start: number;
  readonly end: number;
}

/** More runs are not kept: slices are made longer until there are fewer (12 bytes each in memory). */
export const MOST_RUNS = 4 << 20;

export class TouchColumns {
  /** Ascending. */
  readonly frames: Uint32Array;
  /** Runs of frame number i are those from `first[i]` on, up to `first[i + 1]`. */
  readonly first: Uint32Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;

  constructor(frames: Uint32Array, first: Uint32Array, starts: Uint32Array, ends: Uint32Array) {
    this.frames = frames;
    this.first = first;
    this.starts = starts;
    this.ends = ends;
  }

  get runs(): number {
    return this.starts.length;
  }

  /** The first run of slices of a frame that ends after `slice`; null: there is none. */
  from(frame: number, slice: number): SliceRun | null {
    const { low, high } = this.#range(frame);
    return this.#run(
      lowest(low, high, (i) => (this.ends[i] ?? 0) > slice),
      high,
    );
  }

  /** The last run of slices of a frame that begins at or before `slice`; null: there is none. */
  upTo(frame: number, slice: number): SliceRun | null {
    const { low, high } = this.#range(frame);
    const behind = lowest(low, high, (i) => (this.starts[i] ?? 0) > slice);
    return behind === low ? null : this.#run(behind - 1, high);
  }

  #range(frame: number): { readonly low: number; readonly high: number } {
    const at = lowest(0, this.frames.length, (i) => (this.frames[i] ?? 0) >= frame);
    return this.frames[at] === frame ? { low: this.first[at] ?? 0, high: this.first[at + 1] ?? 0 } : { low: 0, high: 0 };
  }

  #run(at: number, high: number): SliceRun | null {
    return at < high ? { start: this.starts[at] ?? 0, end: this.ends[at] ?? 0 } : null;
  }

  /** The columns as they stand in a file: frames, numbers of runs, gaps before runs, and lengths, each less what it is at least. */
  pack(): Uint8Array[] {
    const [frames, counts, gaps, lengths] = [new Varints(), new Varints(), new Varints(), new Varints()];
    let nextFrame = 0;
    for (const [at, frame] of this.frames.entries()) {
      frames.push(frame - nextFrame);
      nextFrame = frame + 1;
      const [from, to] = [this.first[at] ?? 0, this.first[at + 1] ?? 0];
      counts.push(to - from - 1);
      let next = 0;
      for (let run = from; run < to; run++) {
        const [start, end] = [this.starts[run] ?? 0, this.ends[run] ?? 0];
        gaps.push(start - next);
        lengths.push(end - start - 1);
        next = end + 1;
      }
    }
    return [frames, counts, gaps, lengths].map((column) => column.bytes());
  }

  /** The columns of a file that may be hostile: `frames` and `slices` are how many there are. Throws `Malformed`. */
  static unpack(packed: unknown, frames: number, slices: number): TouchColumns {
    if (!Array.isArray(packed) || packed.length !== 4) throw new Malformed('what was touched is not [frames, counts, gaps, lengths]');
    const [frameColumn, counts, gaps, lengths] = packed.map((column) => new VarintReader(column)) as [
      VarintReader,
      VarintReader,
      VarintReader,
      VarintReader,
    ];
    const columns = new Growing();
    for (let nextFrame = 0; !frameColumn.isDone; ) {
      const frame = nextFrame + frameColumn.next(frames);
      if (frame >= frames) throw new Malformed(`frame ${frame} was touched where there are ${frames}`);
      nextFrame = frame + 1;
      let next = 0;
      for (let left = counts.next(MOST_RUNS) + 1; left > 0; left--) {
        const start = next + gaps.next(slices);
        const end = start + lengths.next(slices) + 1;
        if (end > slices) throw new Malformed(`a frame was touched in slice ${end - 1} where there are ${slices}`);
        columns.push(frame, start, end);
        next = end + 1;
      }
    }
    if (!counts.isDone || !gaps.isDone || !lengths.isDone) throw new Malformed('columns of what was touched are longer than others');
    return columns.sorted();
  }
}

/** Runs as they come, in any order of frames; of one frame in order of their starts. */
export class Growing {
  #length = 0;
  #items = new Uint32Array(3 * 256);

  get length(): number {
    return this.#length;
  }

  push(frame: number, start: number, end: number): void {
    if (this.#length === MOST_RUNS) throw new Malformed(`more than ${MOST_RUNS} runs of slices`);
    if (3 * this.#length === this.#items.length) {
      const larger = new Uint32Array(2 * this.#items.length);
      larger.set(this.#items);
      this.#items = larger;
    }
    this.#items.set([frame, start, end], 3 * this.#length++);
  }

  /** By frame; runs of one that touch or overlap are one. */
  sorted(): TouchColumns {
    const { places, frames } = this.#byFrame();
    const items = this.#items;
    const [starts, ends] = [new Uint32Array(places.length), new Uint32Array(places.length)];
    const first = new Uint32Array(frames.length + 1);
    let runs = 0;
    let number = -1;
    for (const at of places) {
      const [frame, start, end] = [items[at] ?? 0, items[at + 1] ?? 0, items[at + 2] ?? 0];
      if (frames[number] === frame && start <= (ends[runs - 1] ?? 0)) {
        ends[runs - 1] = Math.max(ends[runs - 1] ?? 0, end);
        continue;
      }
      if (frames[number] !== frame) first[++number] = runs;
      starts[runs] = start;
      ends[runs++] = end;
    }
    first[frames.length] = runs;
    return new TouchColumns(frames, first, starts.slice(0, runs), ends.slice(0, runs));
  }

  /** Where the runs lie in `#items`, in order of their frames, and which those are. */
  #byFrame(): { readonly places: Uint32Array; readonly frames: Uint32Array } {
    const items = this.#items;
    let most = 0;
    for (let at = 0; at < 3 * this.#length; at += 3) most = Math.max(most, items[at] ?? 0);
    const next = new Uint32Array(most + 2);
    for (let at = 0; at < 3 * this.#length; at += 3) {
      const behind = (items[at] ?? 0) + 1;
      next[behind] = (next[behind] ?? 0) + 1;
    }
    const frames: number[] = [];
    for (let frame = 0; frame <= most; frame++) {
      if ((next[frame + 1] ?? 0) > 0) frames.push(frame);
      next[frame + 1] = (next[frame + 1] ?? 0) + (next[frame] ?? 0);
    }
    const places = new Uint32Array(this.#length);
    for (let at = 0; at < 3 * this.#length; at += 3) {
      const frame = items[at] ?? 0;
      const place = next[frame] ?? 0;
      places[place] = at;
      next[frame] = place + 1;
    }
    return { places, frames: Uint32Array.from(frames) };
  }
}

/** The lowest i with low ≤ i < high for which it holds, and for all behind it; `high`: for none. */
function lowest(low: number, high: number, holds: (i: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Numbers below 2^32, seven bits a byte, the lowest first; bit 7 says that more follow. */
class Varints {
  #bytes = new Uint8Array(256);
  #length = 0;

  push(value: number): void {
    if (this.#length + 5 > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

class VarintReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(column: unknown) {
    if (!(column instanceof Uint8Array)) throw new Malformed('a column of what was touched is not a bin');
    this.#bytes = column;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The next number, `most` at most. */
  next(most: number): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Malformed('a column of what was touched ends early');
      value += (byte & 0x7f) * 2 ** shift;
      if (byte > 0x7f) continue;
      if (value > most) throw new Malformed(`${value} in a column of what was touched; the limit is ${most}`);
      return value;
    }
    throw new Malformed('a number in a column of what was touched is too long');
  }
}
