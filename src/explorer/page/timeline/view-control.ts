/** Which part of the run is visible, and how it moves: zooming keeps what is under the pointer in its place, and is spread over some frames. */
import type { View } from './drawing.ts';
import { GUTTER } from './layout.ts';

/** At the closest an instruction is so wide. */
const MOST_PIXELS = 160;
const GLIDE = 0.3;

export class ViewControl {
  readonly #end: number;
  #width = 800;
  #from = 0;
  #perPixel = 1;
  /** Where the glide goes. */
  #to: View = { from: 0, perPixel: 1 };

  constructor(end: number) {
    this.#end = Math.max(1, end);
  }

  get view(): View {
    return { from: this.#from, perPixel: this.#perPixel };
  }

  /** Pixels of the timeline, right of the gutter. */
  get width(): number {
    return this.#width;
  }

  resize(width: number): void {
    const isFirst = this.#width === 800 && this.#from === 0 && this.#perPixel === 1;
    this.#width = Math.max(50, width - GUTTER);
    if (isFirst) this.showAll(true);
    else this.#aim(this.#to.from, this.#to.perPixel);
  }

  /** The position at a pixel of the canvas. */
  at(x: number): number {
    return this.#from + (x - GUTTER) * this.#perPixel;
  }

  showAll(isAtOnce = false): void {
    this.#aim(0, this.#coarsest);
    if (isAtOnce) this.#arrive();
  }

  /** Zooms by a factor (below 1: closer) about a pixel, or the position that is given. */
  zoom(factor: number, x = GUTTER + this.#width / 2): void {
    const { from, perPixel } = this.#to;
    const anchor = from + (x - GUTTER) * perPixel;
    const next = this.#clamp(perPixel * factor);
    this.#aim(anchor - (x - GUTTER) * next, next);
  }

  /** By pixels. */
  pan(pixels: number): void {
    this.#aim(this.#to.from + pixels * this.#to.perPixel, this.#to.perPixel);
    this.#from = this.#to.from;
  }

  /** Brings a position into view, in the middle where it was outside; `perPixel` to zoom there. */
  reveal(position: number, perPixel = this.#to.perPixel): void {
    const { from } = this.#to;
    const margin = Math.min(40, this.#width / 8) * perPixel;
    const isVisible = perPixel === this.#to.perPixel && position >= from + margin && position <= from + this.#width * perPixel - margin;
    if (!isVisible) this.#aim(position - (this.#width / 2) * perPixel, this.#clamp(perPixel));
  }

  /** One frame of the glide; false where it has come to rest. */
  advance(): boolean {
    const { from, perPixel } = this.#to;
    const isNear = Math.abs(Math.log(perPixel / this.#perPixel)) < 0.002 && Math.abs(from - this.#from) < 0.25 * perPixel;
    if (isNear) {
      const isMoved = this.#from !== from || this.#perPixel !== perPixel;
      this.#arrive();
      return isMoved;
    }
    this.#perPixel *= (perPixel / this.#perPixel) ** GLIDE;
    this.#from += (from - this.#from) * GLIDE;
    return true;
  }

  get #coarsest(): number {
    return Math.max((this.#end / this.#width) * 1.02, 1 / MOST_PIXELS);
  }

  #clamp(perPixel: number): number {
    return Math.min(this.#coarsest, Math.max(1 / MOST_PIXELS, perPixel));
  }

  /** The run stays in view. */
  #aim(from: number, perPixel: number): void {
    const clamped = this.#clamp(perPixel);
    const most = Math.max(0, this.#end - this.#width * clamped * 0.98);
    this.#to = { from: Math.min(most, Math.max(0, from)), perPixel: clamped };
  }

  #arrive(): void {
    this.#from = this.#to.from;
    this.#perPixel = this.#to.perPixel;
  }
}
