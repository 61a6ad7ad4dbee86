/**
 * Takes a player from position to position: from the nearest moment before, be it the one where it stands, one kept in memory, or a checkpoint of the trace.
 * On the way it keeps moments in memory, so that what comes next is near one. Long ways give control back between slices.
 */
import type { Player } from '../player.ts';
import { Waypoints } from './waypoints.ts';

/** A slice takes about so many milliseconds: a search that is interrupted ends after one. */
const SLICE_MS = 10;
const FIRST_SLICE = 1n << 16n;
const MOST_SLICE = 1n << 26n;
/** What is run again from a moment in memory, in instructions, when no more can be gained by a nearer one. */
const NEAR = 8192n;
/** While a run is searched, keeping moments takes at most this part of the time. */
const KEEPING_PART = 10;

/** How a way is run. */
interface Running {
  /** Runs on to `until`; less far where that ends the way. */
  readonly run: (until: bigint) => void;
  /** Asked after each slice: whether the way ends here. */
  readonly isDone?: () => boolean;
  /** Around which position moments are kept: where the way has come to, or its target. Default: none is kept. */
  readonly keep?: 'here' | 'target';
}

export class Traveller {
  readonly #player: Player;
  readonly #waypoints = new Waypoints();
  #slice = FIRST_SLICE;

  constructor(player: Player) {
    this.#player = player;
    this.#keep(player.position);
  }

  /** Goes to a position, before anything that happens at it. `isAnew`: although the player stands there, behind something that has happened. False: interrupted. */
  *go(to: bigint, isAnew: boolean): Generator<void, boolean, boolean> {
    const player = this.#player;
    const run = (until: bigint): void => player.run(until);
    this.#goBefore(to, isAnew);
    // Halfway, and halfway again: who goes on backwards from there finds a moment as near as it was far.
    for (let left = to - player.position; left > 2n * NEAR; left = to - player.position) {
      if (!(yield* this.run(to - left / 2n, { run }))) return false;
      if (to - player.position === left) return true;
      this.#keep(to);
    }
    run(to);
    return true;
  }

  /** Runs on to a position in slices; less far where it is done, or the run over. False: interrupted. */
  *run(to: bigint, { run, isDone, keep }: Running): Generator<void, boolean, boolean> {
    const player = this.#player;
    let ranMs = 0;
    let keptMs = 0;
    while (player.position < to) {
      if (yield) return false;
      const from = player.position;
      const begin = performance.now();
      run(earliest(from + this.#slice, to));
      const ms = performance.now() - begin;
      if (isDone?.() === true || player.position === from) return true;
      if (player.position >= to) break;
      if (ms < SLICE_MS / 2 && this.#slice < MOST_SLICE) this.#slice *= 2n;
      if (ms > SLICE_MS * 2 && this.#slice > 1n) this.#slice /= 2n;
      ranMs += ms;
      if (keep !== undefined && ranMs > keptMs * KEEPING_PART) {
        const keeping = performance.now();
        this.#keep(keep === 'here' ? player.position : to);
        ranMs = 0;
        keptMs = performance.now() - keeping;
      }
    }
    return true;
  }

  /** Where a way to a position would begin, if that is at most `most` before it; else the position. */
  restartNear(position: bigint, most: bigint): bigint {
    const restart = this.#restart(position);
    return position - restart <= most ? restart : position;
  }

  #restart(position: bigint): bigint {
    return latest(this.#stored(position), this.#waypoints.before(position)?.position ?? this.#player.trace.start);
  }

  /** The last checkpoint of the trace at or before a position. */
  #stored(position: bigint): bigint {
    const { trace } = this.#player;
    return trace.checkpoints[trace.checkpointAt(position)] ?? trace.start;
  }

  /** To the nearest moment at or before a position. */
  #goBefore(to: bigint, isAnew: boolean): void {
    const player = this.#player;
    const restart = this.#restart(to);
    const isBehind = player.position > to || (player.position === to && isAnew);
    if (!isBehind && restart <= player.position) return;
    const mark = this.#waypoints.before(to);
    if (mark?.position === restart) return mark.restore();
    player.restoreCheckpoint(player.trace.checkpointAt(to));
    this.#keep(to);
  }

  #keep(here: bigint): void {
    this.#waypoints.add(this.#player.mark(), here);
  }
}

export function earliest(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function latest(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
