/** The timeline: a canvas that is drawn when something has changed, at most once a frame. For screen readers it is a slider; the table of events says the same. */
import { useEffect, useRef } from 'preact/hooks';
import type { NameView, SpacesInfo } from '../../protocol.ts';
import { ask, isGivenUp } from '../client.ts';
import { grouped } from '../format.ts';
import { type Store, useStore } from '../store.ts';
import { Drawing } from './drawing.ts';
import { GUTTER, layoutFor, paletteOf } from './layout.ts';
import { Tiles } from './tiles.ts';
import { ViewControl } from './view-control.ts';

/** Names of address spaces are asked for when the view has rested so long. */
const REST_MS = 300;
/** A press that moves less is a click. */
const CLICK_PIXELS = 4;

export function Timeline({ store, theme }: { readonly store: Store; readonly theme: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const stage = useRef<Stage | null>(null);
  const state = useStore(store);

  useEffect(() => {
    if (canvas.current === null) return;
    const made = new Stage(canvas.current, store);
    stage.current = made;
    return () => made.end();
  }, [store]);
  useEffect(() => stage.current?.restyle(), [theme]);
  useEffect(() => stage.current?.reveal(state.position), [state.position]);

  const { position, info, moment } = state;
  const line = moment?.instructions.find(({ at }) => at === position);
  return (
    <section class="timeline" aria-label="Timeline">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="slider"
        aria-label="Position in the run. Arrow keys step, n and p go to events, plus and minus zoom; the table of events has the same."
        aria-valuemin={info.start}
        aria-valuemax={info.end}
        aria-valuenow={position}
        aria-valuetext={`instruction ${grouped(position)} of ${grouped(info.end)}${line === undefined ? '' : `: ${line.text}`}`}
      />
      <fieldset class="zoom" aria-label="Zoom">
        <button type="button" onClick={() => stage.current?.zoom(0.5)} title="closer (+)" aria-label="Zoom in">
          +
        </button>
        <button type="button" onClick={() => stage.current?.zoom(2)} title="farther (-)" aria-label="Zoom out">
          −
        </button>
        <button type="button" onClick={() => stage.current?.showAll()} title="the whole run (0)">
          all
        </button>
        <button type="button" onClick={() => stage.current?.closest()} title="single instructions at the cursor (z)">
          1:1
        </button>
      </fieldset>
    </section>
  );
}

/** Everything behind the canvas: it outlives drawings of the component. */
class Stage {
  readonly #canvas: HTMLCanvasElement;
  readonly #store: Store;
  readonly #tiles: Tiles;
  readonly #control: ViewControl;
  readonly #drawing: Drawing;
  readonly #ends: (() => void)[] = [];
  readonly #names = new Map<string, string>();
  #frame = 0;
  #resting = 0;
  #scanning = 0;
  /** Where the pointer went down, and how far it has moved since. */
  #press: { readonly x: number; last: number; moved: number } | null = null;

  constructor(canvas: HTMLCanvasElement, store: Store) {
    this.#canvas = canvas;
    this.#store = store;
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('the browser has no canvas');
    this.#tiles = new Tiles(
      () => this.#request(),
      (error) => store.say(error instanceof Error ? error.message : String(error)),
    );
    this.#control = new ViewControl(store.state.info.end);
    this.#drawing = new Drawing(context, this.#tiles, layoutFor(1), paletteOf(canvas));
    const observer = new ResizeObserver(() => this.restyle());
    observer.observe(canvas.parentElement ?? canvas);
    this.#ends.push(
      () => observer.disconnect(),
      store.subscribe(() => this.#request()),
    );
    this.#listen();
    this.restyle();
    void this.#watchSpaces();
  }

  end(): void {
    for (const end of this.#ends) end();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#resting);
    clearTimeout(this.#scanning);
  }

  /** After another theme, size or number of rows. */
  restyle(): void {
    const canvas = this.#canvas;
    const layout = layoutFor(this.#store.state.spaces.roots.length);
    const width = canvas.parentElement?.clientWidth ?? 800;
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(layout.height * scale);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${layout.height}px`;
    this.#drawing.prepare(layout, paletteOf(canvas), width, scale);
    this.#control.resize(width);
    this.#request();
  }

  reveal(position: number): void {
    this.#control.reveal(position);
    this.#request();
  }

  zoom(factor: number): void {
    const { position } = this.#store.state;
    const { from, perPixel } = this.#control.view;
    const x = GUTTER + (position - from) / perPixel;
    const isVisible = x >= GUTTER && x <= GUTTER + this.#control.width;
    this.#control.zoom(factor, isVisible ? x : undefined);
    this.#request();
  }

  showAll(): void {
    this.#control.showAll();
    this.#request();
  }

  /** Single instructions, with their text. */
  closest(): void {
    this.#control.reveal(this.#store.state.position + 0.5, 1 / 110);
    this.#request();
  }

  #request(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      const isMoving = this.#control.advance();
      const { info, spaces, position, marks, moment } = this.#store.state;
      const instructions = moment?.instructions ?? [];
      this.#nameCurrent();
      this.#drawing.draw(this.#control.view, { info, spaces, names: this.#names, position, marks, instructions });
      if (isMoving) this.#request();
      else this.#rest();
    });
  }

  /** Who runs at the cursor is known already. */
  #nameCurrent(): void {
    const { moment } = this.#store.state;
    const cr3 = moment?.registers.control.find(({ name }) => name === 'CR3')?.value;
    if (moment?.process == null || cr3 === undefined) return;
    this.#names.set(`0x${(BigInt(cr3) & ~0xfffn).toString(16)}`, moment.process);
  }

  #rest(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => void this.#askNames(), REST_MS);
  }

  /** Who had the address spaces by the end of what is visible. */
  async #askNames(): Promise<void> {
    const { from, perPixel } = this.#control.view;
    const { end } = this.#store.state.info;
    const to = Math.min(end, Math.max(1, Math.ceil(from + this.#control.width * perPixel)));
    for (const root of this.#store.state.spaces.roots) {
      if (root === '0x0') continue;
      try {
        const { name } = await ask<NameView>('name', { root, from: Math.max(0, Math.floor(from)), to });
        if (name === null || this.#names.get(root) === name) continue;
        this.#names.set(root, name);
        this.#request();
      } catch (error) {
        if (!isGivenUp(error)) return; // names are a convenience: without them the rows show the roots
      }
    }
  }

  /** Until all events are counted. */
  async #watchSpaces(): Promise<void> {
    const spaces = await ask<SpacesInfo>('spaces');
    const isMore = spaces.roots.length !== this.#store.state.spaces.roots.length;
    this.#store.update({ spaces });
    if (isMore) this.restyle();
    if (!spaces.isComplete) this.#scanning = setTimeout(() => void this.#watchSpaces(), REST_MS);
  }

  #listen(): void {
    const canvas = this.#canvas;
    const on = <Type extends keyof HTMLElementEventMap>(type: Type, listener: (event: HTMLElementEventMap[Type]) => void): void => {
      canvas.addEventListener(type, listener, { passive: false });
      this.#ends.push(() => canvas.removeEventListener(type, listener));
    };
    on('wheel', (event) => {
      event.preventDefault();
      const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const isPan = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
      if (isPan) this.#control.pan((event.deltaX || event.deltaY) * unit);
      else this.#control.zoom(Math.exp(event.deltaY * unit * 0.003), Math.max(GUTTER, event.offsetX));
      this.#request();
    });
    on('pointerdown', (event) => {
      if (event.button !== 0) return;
      canvas.setPointerCapture(event.pointerId);
      this.#press = { x: event.offsetX, last: event.offsetX, moved: 0 };
    });
    on('pointermove', (event) => {
      const press = this.#press;
      if (press === null) return;
      press.moved = Math.max(press.moved, Math.abs(event.offsetX - press.x));
      if (press.moved >= CLICK_PIXELS) this.#control.pan(press.last - event.offsetX);
      press.last = event.offsetX;
      this.#request();
    });
    on('pointerup', (event) => {
      const press = this.#press;
      this.#press = null;
      if (press === null || press.moved >= CLICK_PIXELS || event.offsetX < GUTTER) return;
      this.#store.goTo(this.#drawing.snapped(this.#control.view, event.offsetX, event.offsetY, this.#store.state.info));
    });
    on('pointercancel', () => {
      this.#press = null;
    });
    on('dblclick', (event) => {
      this.#control.zoom(1 / 8, event.offsetX);
      this.#request();
    });
    const zoomKeys = (event: KeyboardEvent): void => {
      if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '+' || event.key === '=') this.zoom(0.5);
      else if (event.key === '-') this.zoom(2);
      else if (event.key === '0') this.showAll();
      else if (event.key === 'z') this.closest();
    };
    window.addEventListener('keydown', zoomKeys);
    this.#ends.push(() => window.removeEventListener('keydown', zoomKeys));
  }
}
