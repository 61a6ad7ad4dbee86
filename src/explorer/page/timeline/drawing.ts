/**
 * Draws the timeline: pictures of tiles, then what is sharp at every zoom (axis, single events with their names, instructions, cursor, findings, marks).
 * Each frame draws what is visible alone.
 */
import { type InstructionLine, LANES, type SpacesInfo, TILE_BINS, type Tile, type TraceInfo } from '../../protocol.ts';
import { short } from '../format.ts';
import { AXIS, GUTTER, LANE_NAMES, type Layout, type Palette } from './layout.ts';
import { pictureOf } from './picture.ts';
import { type Tiles, tileLength } from './tiles.ts';

/** What is visible: `from` is the position at the left edge, right of the gutter. */
export interface View {
  readonly from: number;
  /** Instructions for a CSS pixel. */
  readonly perPixel: number;
}

export interface Scene {
  readonly info: TraceInfo;
  readonly spaces: SpacesInfo;
  /** By the root: who had it last. */
  readonly names: ReadonlyMap<string, string>;
  readonly position: number;
  readonly marks: readonly { readonly at: number; readonly name: string }[];
  readonly instructions: readonly InstructionLine[];
}

const FONT = '11px system-ui, sans-serif';
const CODE_FONT = '11px ui-monospace, monospace';
/** Least width of what has a text. */
const TEXT_PIXELS = 26;
const MOST_PICTURES = 200;
const SNAP_PIXELS = 6;

export class Drawing {
  readonly #context: CanvasRenderingContext2D;
  readonly #tiles: Tiles;
  #layout: Layout;
  #palette: Palette;
  #scale = 1;
  #width = 0;
  readonly #pictures = new Map<Tile, OffscreenCanvas>();

  constructor(context: CanvasRenderingContext2D, tiles: Tiles, layout: Layout, palette: Palette) {
    this.#context = context;
    this.#tiles = tiles;
    this.#layout = layout;
    this.#palette = palette;
  }

  /** Other colours, another size: pictures are made again. */
  prepare(layout: Layout, palette: Palette, width: number, scale: number): void {
    this.#layout = layout;
    this.#palette = palette;
    this.#width = width;
    this.#scale = scale;
    this.#pictures.clear();
  }

  draw(view: View, scene: Scene): void {
    const context = this.#context;
    context.setTransform(this.#scale, 0, 0, this.#scale, 0, 0);
    context.fillStyle = this.#palette.background;
    context.fillRect(0, 0, this.#width, this.#layout.height);
    context.save();
    context.beginPath();
    context.rect(GUTTER, 0, this.#width - GUTTER, this.#layout.height);
    context.clip();
    this.#drawRows();
    this.#drawTiles(view, scene);
    this.#drawInstructions(view, scene);
    this.#drawAxis(view, scene);
    this.#drawPlaces(view, scene);
    context.restore();
    this.#drawGutter(scene);
  }

  /** The position at a point: that of a single event or finding where one is near. */
  snapped({ from, perPixel }: View, x: number, y: number, info: TraceInfo): number {
    const at = from + (x - GUTTER) * perPixel;
    const near = SNAP_PIXELS * perPixel;
    const finding = info.findings.find((each) => Math.abs(each.at - at) <= 2 * near);
    if (finding !== undefined && y < AXIS) return finding.at;
    const level = levelFor(perPixel);
    const index = Math.floor(at / tileLength(level));
    const tile = index < 0 ? null : this.#tiles.get(level, index);
    const lane = Math.floor((y - this.#layout.lanes.top) / this.#layout.lanes.height);
    let best = Math.max(0, Math.floor(at));
    let distance = near;
    const events = tile?.events ?? [];
    for (let i = 0; i < events.length; i += 3) {
      const position = index * tileLength(level) + (events[i] ?? 0);
      const isOfLane = LANES.indexOf(info.kinds[events[i + 1] ?? 0]?.lane ?? 'devices') === lane;
      if (!isOfLane || Math.abs(position - at) > distance) continue;
      distance = Math.abs(position - at);
      best = position;
    }
    return best;
  }

  #x(view: View, position: number): number {
    return GUTTER + (position - view.from) / view.perPixel;
  }

  #drawRows(): void {
    const context = this.#context;
    const { lanes } = this.#layout;
    context.fillStyle = this.#palette.line;
    for (let lane = 0; lane <= LANES.length; lane++) context.fillRect(GUTTER, lanes.top + lane * lanes.height - 1, this.#width - GUTTER, 1);
  }

  #drawTiles(view: View, scene: Scene): void {
    const level = levelFor(view.perPixel);
    const length = tileLength(level);
    const end = Math.min(view.from + (this.#width - GUTTER) * view.perPixel, scene.info.end);
    const listed: Tile[] = [];
    for (let index = Math.max(0, Math.floor(view.from / length)); index * length < end; index++) {
      const tile = this.#tiles.get(level, index);
      if (tile !== null) {
        this.#drawTile(view, tile, index * length, length);
        listed.push(tile);
      } else {
        const coarser = this.#tiles.coarser(level, index);
        if (coarser !== null) this.#drawTile(view, coarser, index * length, length);
      }
    }
    const taken = LANES.map(() => this.#width);
    for (const tile of listed.reverse()) this.#drawEvents(view, scene, tile, taken);
  }

  /** Of a tile, which may be coarser, the part from `from` on. */
  #drawTile(view: View, tile: Tile, from: number, length: number): void {
    const picture = this.#pictureOf(tile);
    const own = tileLength(tile.level);
    const left = ((from - tile.index * own) / own) * TILE_BINS;
    const width = (length / own) * TILE_BINS;
    const context = this.#context;
    context.imageSmoothingEnabled = false;
    context.drawImage(picture, left, 0, width, picture.height, this.#x(view, from), 0, length / view.perPixel, this.#layout.height);
  }

  #pictureOf(tile: Tile): OffscreenCanvas {
    const made = this.#pictures.get(tile) ?? pictureOf(tile, this.#layout, this.#palette, this.#scale);
    this.#pictures.delete(tile);
    this.#pictures.set(tile, made);
    for (const oldest of this.#pictures.keys()) {
      if (this.#pictures.size <= MOST_PICTURES) break;
      this.#pictures.delete(oldest);
    }
    return made;
  }

  /** The names of events that have room, from right to left. `taken`: where the next one begins, of each lane. */
  #drawEvents(view: View, { info }: Scene, { events, level, index }: Tile, taken: number[]): void {
    if (events === null) return;
    const context = this.#context;
    const { lanes } = this.#layout;
    const from = index * tileLength(level);
    context.font = FONT;
    context.textBaseline = 'middle';
    for (let i = events.length - 3; i >= 0; i -= 3) {
      const x = this.#x(view, from + (events[i] ?? 0));
      const tag = events[i + 1] ?? 0;
      const lane = LANES.indexOf(info.kinds[tag]?.lane ?? 'devices');
      const room = (taken[lane] ?? 0) - x;
      taken[lane] = x;
      if (room < TEXT_PIXELS || x < GUTTER - 200) continue;
      const text = eventName(info, tag, events[i + 2] ?? 0);
      const middle = lanes.top + (lane + 0.5) * lanes.height;
      const { width } = context.measureText(text);
      if (width > room - 8) continue;
      context.fillStyle = this.#palette.background;
      context.globalAlpha = 0.8;
      context.fillRect(x + Math.max(2, 1 / view.perPixel + 1), middle - 7, width + 4, 14);
      context.globalAlpha = 1;
      context.fillStyle = this.#palette.text;
      context.fillText(text, x + Math.max(2, 1 / view.perPixel + 1) + 2, middle);
    }
  }

  /** At the closest, each instruction that is known has its text in the row of the axis. */
  #drawInstructions(view: View, { instructions }: Scene): void {
    const width = 1 / view.perPixel;
    if (width < 5) return;
    const context = this.#context;
    context.font = CODE_FONT;
    context.textBaseline = 'middle';
    for (const { at, text } of instructions) {
      const x = this.#x(view, at);
      if (x < GUTTER - width || x > this.#width) continue;
      context.fillStyle = this.#palette.line;
      context.fillRect(x, AXIS, 1, this.#layout.height - AXIS);
      if (width < TEXT_PIXELS) continue;
      context.save();
      context.beginPath();
      context.rect(x + 2, 0, width - 3, this.#layout.height);
      context.clip();
      context.fillStyle = this.#palette.text;
      context.fillText(text, x + 4, this.#layout.spaces.top + this.#layout.spaces.count * this.#layout.spaces.height + 9);
      context.restore();
    }
  }

  #drawAxis(view: View, { info }: Scene): void {
    const context = this.#context;
    const step = niceStep(view.perPixel * 110);
    context.font = FONT;
    context.textBaseline = 'alphabetic';
    const last = Math.min(info.end, view.from + (this.#width - GUTTER) * view.perPixel);
    for (let at = Math.ceil(view.from / step) * step; at <= last; at += step) {
      const x = this.#x(view, at);
      context.fillStyle = this.#palette.line;
      context.fillRect(x, AXIS - 7, 1, 7);
      context.fillStyle = this.#palette.faint;
      context.fillText(short(at, step), x + 3, AXIS - 9);
    }
    context.fillStyle = this.#palette.line;
    context.fillRect(GUTTER, AXIS - 1, this.#width - GUTTER, 1);
    const end = this.#x(view, info.end);
    if (end < this.#width) {
      context.fillStyle = this.#palette.line;
      context.fillRect(end, 0, this.#width - end, this.#layout.height);
    }
  }

  /** Findings, marks and the cursor: each has a form of its own as well as a colour. */
  #drawPlaces(view: View, { info, marks, position }: Scene): void {
    const context = this.#context;
    const { height } = this.#layout;
    context.font = `bold ${FONT}`;
    context.textBaseline = 'alphabetic';
    for (const { at, invariant } of info.findings) {
      const x = this.#x(view, at) + 0.5 / view.perPixel;
      context.strokeStyle = this.#palette.finding;
      context.fillStyle = this.#palette.finding;
      context.setLineDash([4, 3]);
      line(context, x, 0, height);
      context.setLineDash([]);
      diamond(context, x, 7, 6);
      const isLeft = x + 9 + context.measureText(invariant).width > this.#width;
      label(context, invariant, isLeft ? x - 10 - context.measureText(invariant).width : x + 9, 11, this.#palette.background);
    }
    for (const { at, name } of marks) {
      const x = this.#x(view, at) + 0.5;
      context.strokeStyle = this.#palette.mark;
      context.fillStyle = this.#palette.mark;
      line(context, x, 0, height);
      context.fillRect(x, 0, 8, 6);
      label(context, name, x + 11, 8, this.#palette.background);
    }
    const x = this.#x(view, position);
    const width = Math.max(2, 1 / view.perPixel);
    context.fillStyle = this.#palette.cursor;
    context.globalAlpha = width > 4 ? 0.25 : 1;
    context.fillRect(x - (width <= 2 ? 1 : 0), 0, width, height);
    context.globalAlpha = 1;
    triangle(context, x + (width <= 2 ? 0 : width / 2), AXIS - 1, 6);
  }

  #drawGutter({ spaces, names }: Scene): void {
    const context = this.#context;
    const { spaces: rows, lanes, height } = this.#layout;
    context.fillStyle = this.#palette.background;
    context.fillRect(0, 0, GUTTER, height);
    context.font = FONT;
    context.textBaseline = 'middle';
    for (const [index, root] of spaces.roots.entries()) {
      if (rows.height < 11 || index >= rows.count) break;
      context.fillStyle = this.#palette.text;
      context.fillText(
        names.get(root) ?? (root === '0x0' ? 'start' : `CR3 ${root}`),
        8,
        rows.top + (index + 0.5) * rows.height,
        GUTTER - 12,
      );
    }
    if (rows.height < 11) {
      context.fillStyle = this.#palette.text;
      context.fillText(`${rows.count} address spaces`, 8, rows.top + (rows.count * rows.height) / 2, GUTTER - 12);
    }
    for (const [index, lane] of LANES.entries()) {
      const middle = lanes.top + (index + 0.5) * lanes.height;
      context.fillStyle = this.#palette.lanes[index] ?? this.#palette.text;
      context.fillRect(8, middle - 4, 8, 8);
      context.fillStyle = this.#palette.text;
      context.fillText(LANE_NAMES[lane], 22, middle, GUTTER - 26);
    }
    context.fillStyle = this.#palette.line;
    context.fillRect(GUTTER - 1, 0, 1, height);
  }
}

function eventName(info: TraceInfo, tag: number, value: number): string {
  const kind = info.kinds[tag]?.kind ?? '';
  if (kind === 'syscall') return info.calls[value] ?? `call ${value}`;
  if (kind === 'exception' || kind === 'software-interrupt') return info.vectors[value] ?? `vector ${value}`;
  if (kind === 'irq') return `irq ${value}`;
  if (kind === 'context-switch') return `→ 0x${value.toString(16)}`;
  if (kind === 'control-register') return `cr${value}`;
  if (kind === 'output') return value === 10 ? 'output ⏎' : `output ${String.fromCharCode(value)}`;
  return kind;
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  if (least <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return (least <= power ? 1 : least <= 2 * power ? 2 : least <= 5 * power ? 5 : 10) * power;
}

function line(context: CanvasRenderingContext2D, x: number, from: number, to: number): void {
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
}

function diamond(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x, y - size);
  context.lineTo(x + size, y);
  context.lineTo(x, y + size);
  context.lineTo(x - size, y);
  context.fill();
}

function triangle(context: CanvasRenderingContext2D, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size, y - size);
  context.lineTo(x + size, y - size);
  context.fill();
}

/** A text with its background, in the colour that is set. */
function label(context: CanvasRenderingContext2D, text: string, x: number, y: number, background: string): void {
  const colour = context.fillStyle;
  const { width } = context.measureText(text);
  context.fillStyle = background;
  context.fillRect(x - 2, y - 9, width + 4, 12);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}

/** Bins of one to two pixels: none is lost where they are stretched. */
function levelFor(perPixel: number): number {
  return Math.max(0, Math.ceil(Math.log2(perPixel)));
}
