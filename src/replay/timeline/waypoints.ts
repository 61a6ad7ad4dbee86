/**
 * Moments of a run kept in memory, so that going back is quick: dense near the position where somebody looks, ever sparser away from it, within a limit of
 * memory. Each costs the pages that were written since the one before.
 */
import type { Snapshot } from '../../machine/index.ts';
import type { Mark } from '../player.ts';

/** Pages that all of them together may hold: 256 MiB. */
const MOST_PAGES = 65_536;
/** None is kept where two neighbours are nearer to each other than this part of their distance from the position. */
const CROWDED = 2n;

interface Waypoint {
  readonly mark: Mark;
  /** Pages that the one before does not share. */
  pages: number;
}

export class Waypoints {
  /** By position. */
  readonly #list: Waypoint[] = [];
  readonly #mostPages: number;

  constructor(mostPages = MOST_PAGES) {
    this.#mostPages = mostPages;
  }

  get length(): number {
    return this.#list.length;
  }

  /** Pages that they hold, shared ones counted once. */
  get pages(): number {
    return this.#list.reduce((sum, { pages }) => sum + pages, 0);
  }

  /** The last at or before a position; null where there is none. */
  before(position: bigint): Mark | null {
    return this.#list[this.#countTo(position) - 1]?.mark ?? null;
  }

  /** Keeps a moment, and drops those that are too many now that the position is `here`. */
  add(mark: Mark, here: bigint): void {
    const place = this.#countTo(mark.position);
    if (this.#list[place - 1]?.mark.position === mark.position) return;
    this.#list.splice(place, 0, { mark, pages: 0 });
    this.#weigh(place);
    this.#weigh(place + 1);
    this.#thin(here);
  }

  /** How many stand at or before a position. */
  #countTo(position: bigint): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#list[middle]?.mark.position ?? 0n) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #weigh(place: number): void {
    const waypoint = this.#list[place];
    if (waypoint !== undefined) waypoint.pages = waypoint.mark.snapshot.ownPages(this.#snapshot(place - 1));
  }

  #snapshot(place: number): Snapshot | null {
    return this.#list[place]?.mark.snapshot ?? null;
  }

  #thin(here: bigint): void {
    for (let place = this.#list.length - 2; place > 0; place--) {
      const { distance, gap } = this.#around(place, here);
      if (gap * CROWDED < distance) this.#drop(place);
    }
    while (this.pages > this.#mostPages && this.#list.length > 1) this.#drop(this.#farthest(here));
  }

  /** How far one stands from the position, and how far its neighbours from each other. */
  #around(place: number, here: bigint): { readonly distance: bigint; readonly gap: bigint } {
    const [before, at, after] = [place - 1, place, place + 1].map((each) => this.#list[each]?.mark.position ?? here);
    const distance = (at ?? here) - here;
    return { distance: distance < 0n ? -distance : distance, gap: (after ?? here) - (before ?? here) };
  }

  #farthest(here: bigint): number {
    const first = here - (this.#list[0]?.mark.position ?? here);
    const last = (this.#list.at(-1)?.mark.position ?? here) - here;
    return last > first ? this.#list.length - 1 : 0;
  }

  #drop(place: number): void {
    this.#list.splice(place, 1);
    this.#weigh(place);
  }
}
