/**
 * Makes an index by running the trace once, in slices: behind each the machine says which frames were touched (its dirty list, and the pages that were entered
 * for execution), so that it runs nearly as fast as a replay.
 */
import { UserError } from '../../machine/isa/bug.ts';
import type { Player } from '../player.ts';
import { Growing, MOST_RUNS, type TouchColumns } from './columns.ts';
import { TouchIndex } from './touch-index.ts';

export interface BuildOptions {
  /** Instructions of the shortest slices, a power of two. */
  readonly leastSlice?: number;
  /** Told after each slice. */
  readonly progress?: (instructions: bigint) => void;
}

/** A slice is executed in a tenth of a millisecond: shorter ones would cost more to begin than to execute. */
const LEAST_SLICE = 1 << 14;
const MOST_SLICES = 1 << 13;

/** `player` goes through the whole trace; nobody may observe it. Throws UserError where the run is not the recorded one. */
export function buildIndex(player: Player, { leastSlice = LEAST_SLICE, progress }: BuildOptions = {}): TouchIndex {
  const { machine, end } = player;
  player.seek(0n);
  const frames = machine.config.memoryBytes / 4096;
  const logs = { written: new TouchLog(frames), executed: new TouchLog(frames) };
  let slice = leastSlice;
  while (BigInt(slice) * BigInt(MOST_SLICES) < end) slice *= 2;
  machine.takeTouched();
  for (let number = 0; player.position < end; number++) {
    const to = BigInt(number + 1) * BigInt(slice);
    player.run(to < end ? to : end);
    if (player.position < to && player.position < end) throw otherRun(`it ends at ${player.position}, not at ${end}`);
    const touched = machine.takeTouched();
    logs.written.add(number, touched.written);
    logs.executed.add(number, touched.executed);
    // Both keep the same slices; one that is whole now becomes the first half of a longer one.
    if ((number & 1) === 1 && (logs.written.isFull || logs.executed.isFull)) {
      logs.written.halve();
      logs.executed.halve();
      slice *= 2;
      number >>= 1;
    }
    progress?.(player.position);
  }
  const recorded = player.trace.end?.hash;
  if (recorded !== undefined && recorded !== machine.hash()) {
    // What ended the run may have come after its last instruction: a fault on the way to a fault.
    player.run(end + 1n);
    if (player.position !== end || recorded !== machine.hash()) throw otherRun('it ends with another state');
  }
  return new TouchIndex(end, slice, logs.written.columns(), logs.executed.columns());
}

function otherRun(how: string): UserError {
  return new UserError(`the run cannot be made again as it was recorded: ${how}; \`palindrome replay\` shows where it differs`);
}

/** The same index with slices twice as long: smaller, and less exact. */
export function coarser({ instructions, sliceInstructions, written, executed }: TouchIndex): TouchIndex {
  return new TouchIndex(instructions, 2 * sliceInstructions, halved(written).sorted(), halved(executed).sorted());
}

function halved({ frames, first, starts, ends }: TouchColumns): Growing {
  const runs = new Growing();
  for (const [at, frame] of frames.entries()) {
    for (let run = first[at] ?? 0; run < (first[at + 1] ?? 0); run++)
      runs.push(frame, (starts[run] ?? 0) >>> 1, ((ends[run] ?? 0) + 1) >>> 1);
  }
  return runs;
}

/** Of each frame, the run of slices that may still go on, and those before. */
class TouchLog {
  #runs = new Growing();
  readonly #start: Uint32Array;
  /** 0: none. */
  readonly #end: Uint32Array;
  #open = 0;

  constructor(frames: number) {
    this.#start = new Uint32Array(frames);
    this.#end = new Uint32Array(frames);
  }

  /** Runs that are open need a place, too. */
  get isFull(): boolean {
    return this.#runs.length + this.#open > MOST_RUNS / 2;
  }

  add(slice: number, frames: Uint32Array): void {
    for (const frame of frames) {
      // Code may lie in no RAM.
      if (frame >= this.#end.length) continue;
      const end = this.#end[frame] ?? 0;
      if (end !== slice || end === 0) {
        if (end === 0) this.#open++;
        else this.#runs.push(frame, this.#start[frame] ?? 0, end);
        this.#start[frame] = slice;
      }
      this.#end[frame] = slice + 1;
    }
  }

  halve(): void {
    this.#runs = halved(this.columns());
    this.#end.fill(0);
    this.#open = 0;
  }

  /** All of them; nothing is added after this. */
  columns(): TouchColumns {
    const all = this.#runs;
    for (const [frame, end] of this.#end.entries()) if (end !== 0) all.push(frame, this.#start[frame] ?? 0, end);
    return all.sorted();
  }
}
