/**
 * The run at a glance: how many events of each lane there are, and who ran, in bins of equal length; made from the trace's event columns alone, block by
 * block, without executing anything. From the bins come the tiles of coarse levels; finer ones are made from the blocks that they touch.
 *
 *     const summary = new Summary(trace);
 *     while (summary.scanNext());
 *     summary.tile(20, 0)              // the first 256 bins of 2^20 instructions
 */
import { UserError } from '../../machine/index.ts';
import type { SkimmedEvents, Trace } from '../../replay/index.ts';
import { LANES, MOST_LEVEL, TILE_BINS, TILE_EVENTS, type Tile } from '../protocol.ts';
import type { Beginning } from './beginning.ts';
import { Bins } from './bins.ts';
import { laneByTag } from './lanes.ts';
import { passThrough, type Running, Spaces, type Visitor } from './passage.ts';

/** The finest level whose bins are kept; longer traces keep coarser ones. */
const KEPT_LEVEL = 14;
const MOST_BINS = 1 << 19;
/** A tile lists its events where it touches so many blocks at most. */
const LISTING_BLOCKS = 4;
/** Blocks whose events are kept. */
const KEPT_BLOCKS = 16;
const LANE_COUNT = LANES.length;

export class Summary {
  readonly spaces = new Spaces();
  readonly end: number;
  readonly #trace: Trace;
  readonly #level: number;
  readonly #bins: Bins;
  /** Who runs at the begin of each block, as far as it is scanned; one more than blocks when all are. */
  readonly #starts: Running[];
  readonly #kept = new Map<number, SkimmedEvents>();

  constructor(trace: Trace, { root, isUser }: Beginning) {
    this.#trace = trace;
    this.#starts = [{ space: this.spaces.placeOf(root), isUser }];
    this.end = Number(trace.instructions);
    let level = KEPT_LEVEL;
    while (this.end / 2 ** level > MOST_BINS) level++;
    this.#level = level;
    this.#bins = new Bins(0, 2 ** level, Math.max(1, Math.ceil(this.end / 2 ** level)));
  }

  get isComplete(): boolean {
    return this.#starts.length > this.#trace.runs;
  }

  /** Instructions whose events have been counted. */
  get scanned(): number {
    return this.isComplete ? this.end : Number(this.#trace.firstOf(this.#starts.length - 1));
  }

  /** Counts the next block; false where there is none. */
  scanNext(): boolean {
    if (this.isComplete) return false;
    const block = this.#starts.length - 1;
    const first = Number(this.#trace.firstOf(block));
    this.#starts.push(passThrough(this.#trace.skim(block), first, this.#endOf(block), this.#start(block), this.spaces, this.#bins));
    if (this.isComplete) this.#bins.finish();
    return true;
  }

  /** Throws UserError where there is no such tile. */
  tile(level: number, index: number): Tile {
    const from = index * TILE_BINS * 2 ** level;
    if (!Number.isInteger(level) || level < 0 || level > MOST_LEVEL)
      throw new UserError(`there are levels 0 to ${MOST_LEVEL}, not ${level}`);
    if (!Number.isInteger(index) || index < 0 || from > this.end) throw new UserError(`there is no tile ${index} of level ${level}`);
    return level < this.#level ? this.#fineTile(level, index, from) : this.#coarseTile(level, index, from);
  }

  #fineTile(level: number, index: number, from: number): Tile {
    const bins = new Bins(from, 2 ** level, TILE_BINS);
    const list = new EventList(from, from + TILE_BINS * 2 ** level);
    const isComplete = this.#visit(from, from + TILE_BINS * 2 ** level, [bins, list]);
    bins.finish();
    return { level, index, isComplete, counts: bins.counts, spans: spansOf(bins, 0, TILE_BINS, 1), events: list.take() };
  }

  #coarseTile(level: number, index: number, from: number): Tile {
    const factor = 2 ** (level - this.#level);
    const first = index * TILE_BINS * factor;
    const last = Math.min(first + TILE_BINS * factor, this.#bins.count);
    const counts = new Uint32Array(TILE_BINS * LANE_COUNT);
    let events = 0;
    for (let bin = first; bin < last; bin++) {
      const to = Math.floor((bin - first) / factor) * LANE_COUNT;
      for (let lane = 0; lane < LANE_COUNT; lane++) {
        const count = this.#bins.counts[bin * LANE_COUNT + lane] ?? 0;
        counts[to + lane] = (counts[to + lane] ?? 0) + count;
        events += count;
      }
    }
    const end = from + TILE_BINS * 2 ** level;
    const isListed = events <= TILE_EVENTS && this.#blocksOf(from, end) <= LISTING_BLOCKS;
    const list = new EventList(from, end);
    const isComplete = isListed ? this.#visit(from, end, [list]) : this.scanned >= Math.min(end, this.end);
    return { level, index, isComplete, counts, spans: spansOf(this.#bins, first, last, factor), events: isListed ? list.take() : null };
  }

  #blocksOf(from: number, end: number): number {
    const { runs } = this.#trace;
    return runs === 0 ? 0 : this.#trace.runAt(BigInt(end)) - this.#trace.runAt(BigInt(from)) + 1;
  }

  /** Shows the blocks that touch a range to visitors; false where not all of them have been scanned. */
  #visit(from: number, end: number, visitors: readonly Visitor[]): boolean {
    if (this.#trace.runs === 0) return true;
    const all: Visitor = {
      span: (start, to, space, isUser) => {
        for (const visitor of visitors) visitor.span(start, to, space, isUser);
      },
      event: (at, tag, value) => {
        for (const visitor of visitors) visitor.event(at, tag, value);
      },
    };
    const last = this.#trace.runAt(BigInt(Math.min(end, this.end)));
    for (let block = this.#trace.runAt(BigInt(from)); block <= last; block++) {
      if (block >= this.#starts.length - 1 && !this.isComplete) return false;
      passThrough(this.#events(block), Number(this.#trace.firstOf(block)), this.#endOf(block), this.#start(block), this.spaces, all);
    }
    return true;
  }

  #events(block: number): SkimmedEvents {
    const events = this.#kept.get(block) ?? this.#trace.skim(block);
    this.#kept.delete(block);
    this.#kept.set(block, events);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_BLOCKS) break;
      this.#kept.delete(oldest);
    }
    return events;
  }

  #start(block: number): Running {
    return this.#starts[block] ?? { space: 0, isUser: false };
  }

  #endOf(block: number): number {
    return block + 1 < this.#trace.runs ? Number(this.#trace.firstOf(block + 1)) : this.end;
  }
}

/** The events of a range, up to TILE_EVENTS of them. */
class EventList implements Visitor {
  readonly #from: number;
  readonly #end: number;
  readonly #events: number[] = [];
  #isFull = false;

  constructor(from: number, end: number) {
    this.#from = from;
    this.#end = end;
  }

  span(): void {}

  event(at: number, tag: number, value: number): void {
    if (at < this.#from || at >= this.#end || (laneByTag[tag] ?? -1) < 0) return;
    if (this.#events.length >= 3 * TILE_EVENTS) this.#isFull = true;
    else this.#events.push(at - this.#from, tag, value);
  }

  /** Null where there are more. */
  take(): Float64Array | null {
    return this.#isFull ? null : Float64Array.from(this.#events);
  }
}

/** Who ran in bins `from` … `to − 1`, `factor` of them made one, as a tile tells it. */
function spansOf(bins: Bins, from: number, to: number, factor: number): Float64Array {
  const found = new Map<number, { user: number; kernel: number }>();
  bins.visit(from, to, (bin, space, user, kernel) => {
    const key = (Math.floor((bin - from) / factor) << 16) | space;
    const sum = found.get(key);
    if (sum === undefined) found.set(key, { user, kernel });
    else {
      sum.user += user;
      sum.kernel += kernel;
    }
  });
  return Float64Array.from([...found].flatMap(([key, { user, kernel }]) => [key, user, kernel]));
}
