/** Counts of events by lane and bin, and who ran in each bin, sparsely: most bins have one address space or two. */
import { LANES, MOST_SPACES } from '../protocol.ts';
import { laneByTag } from './lanes.ts';
import type { Visitor } from './passage.ts';

export class Bins implements Visitor {
  readonly #from: number;
  readonly #binSize: number;
  readonly counts: Uint32Array;
  /** Of bin i: entries starts[i] … starts[i + 1] of the columns below. */
  readonly #starts: Uint32Array;
  #columns = { space: new Uint8Array(64), user: new Float64Array(64), kernel: new Float64Array(64) };
  #entries = 0;
  /** The bin that is being filled: spans come in order. */
  #bin = 0;
  readonly #user = new Float64Array(MOST_SPACES);
  readonly #kernel = new Float64Array(MOST_SPACES);
  readonly #touched: number[] = [];

  /** `count` bins of `binSize` instructions each, from instruction `from` on. */
  constructor(from: number, binSize: number, count: number) {
    this.#from = from;
    this.#binSize = binSize;
    this.counts = new Uint32Array(count * LANES.length);
    this.#starts = new Uint32Array(count + 1);
  }

  get count(): number {
    return this.#starts.length - 1;
  }

  event(at: number, tag: number): void {
    const lane = laneByTag[tag] ?? -1;
    // What happened behind the last instruction belongs to it.
    const bin = Math.min(Math.floor((at - this.#from) / this.#binSize), this.count - 1);
    if (lane < 0 || bin < 0 || at > this.#from + this.#binSize * this.count) return;
    const place = bin * LANES.length + lane;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
  }

  span(from: number, to: number, space: number, isUser: boolean): void {
    let at = Math.max(from, this.#from);
    const end = Math.min(to, this.#from + this.#binSize * this.count);
    while (at < end) {
      const bin = Math.floor((at - this.#from) / this.#binSize);
      this.#open(bin);
      const next = Math.min(end, this.#from + (bin + 1) * this.#binSize);
      this.#add(space, isUser, next - at);
      at = next;
    }
  }

  /** Nothing more comes for the bins before this one. */
  #open(bin: number): void {
    if (bin === this.#bin) return;
    this.#flush();
    for (let next = this.#bin + 1; next <= bin; next++) this.#starts[next] = this.#entries;
    this.#bin = bin;
  }

  #add(space: number, isUser: boolean, instructions: number): void {
    if (this.#user[space] === 0 && this.#kernel[space] === 0) this.#touched.push(space);
    const column = isUser ? this.#user : this.#kernel;
    column[space] = (column[space] ?? 0) + instructions;
  }

  /** No more spans come. */
  finish(): void {
    this.#flush();
    this.#starts.fill(this.#entries, this.#bin + 1);
  }

  /** Writes down what was added to the bin that is open. */
  #flush(): void {
    for (const space of this.#touched) {
      if (this.#entries === this.#columns.space.length) this.#grow();
      this.#columns.space[this.#entries] = space;
      this.#columns.user[this.#entries] = this.#user[space] ?? 0;
      this.#columns.kernel[this.#entries++] = this.#kernel[space] ?? 0;
      this.#user[space] = 0;
      this.#kernel[space] = 0;
    }
    this.#touched.length = 0;
  }

  /** Tells a visitor who ran in bins `from` … `to − 1`. */
  visit(from: number, to: number, visit: (bin: number, space: number, user: number, kernel: number) => void): void {
    const { space, user, kernel } = this.#columns;
    for (let bin = from; bin < to; bin++) {
      const end = this.#starts[bin + 1] ?? 0;
      for (let i = this.#starts[bin] ?? 0; i < end; i++) visit(bin, space[i] ?? 0, user[i] ?? 0, kernel[i] ?? 0);
    }
  }

  #grow(): void {
    const size = 2 * this.#entries;
    const { space, user, kernel } = this.#columns;
    this.#columns = { space: new Uint8Array(size), user: new Float64Array(size), kernel: new Float64Array(size) };
    this.#columns.space.set(space);
    this.#columns.user.set(user);
    this.#columns.kernel.set(kernel);
  }
}
