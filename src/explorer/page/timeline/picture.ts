/**
 * A tile as a picture: a pixel wide for each bin, as high as the timeline. It is drawn once, and then stretched to where it is shown, which costs next to
 * nothing for each frame.
 */
import { LANES, TILE_BINS, type Tile } from '../../protocol.ts';
import type { Layout, Palette } from './layout.ts';

/** `scale`: device pixels for a CSS pixel. */
export function pictureOf(tile: Tile, layout: Layout, palette: Palette, scale: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(TILE_BINS, Math.max(1, Math.round(layout.height * scale)));
  const context = canvas.getContext('2d');
  if (context === null) return canvas;
  context.scale(1, scale);
  drawSpaces(context, tile, layout, palette);
  drawLanes(context, tile, layout, palette);
  return canvas;
}

/** The upper part of a row is user mode, the lower one the kernel on its behalf; how strong, how much of the bin it had. */
function drawSpaces(
  context: OffscreenCanvasRenderingContext2D,
  { spans, level }: Tile,
  { spaces }: Layout,
  { user, kernel }: Palette,
): void {
  const size = 2 ** level;
  const gap = spaces.height > 8 ? 2 : 0;
  const upper = Math.round((spaces.height - gap) * 0.55);
  const parts = [
    { colour: user, column: 1, from: gap / 2, height: upper },
    { colour: kernel, column: 2, from: gap / 2 + upper, height: spaces.height - gap - upper },
  ];
  for (const { colour, column, from, height } of parts) {
    context.fillStyle = colour;
    for (let i = 0; i < spans.length; i += 3) {
      const share = (spans[i + column] ?? 0) / size;
      if (share === 0) continue;
      const key = spans[i] ?? 0;
      context.globalAlpha = 0.3 + 0.7 * Math.sqrt(Math.min(1, share));
      context.fillRect(key >> 16, spaces.top + (key & 0xffff) * spaces.height + from, 1, height);
    }
  }
  context.globalAlpha = 1;
}

/** A bar for each bin: by the logarithm of how many events it has, of as many as it has instructions. */
function drawLanes(context: OffscreenCanvasRenderingContext2D, { counts, level }: Tile, { lanes }: Layout, palette: Palette): void {
  const most = Math.log2(1 + 2 ** level);
  for (let lane = 0; lane < LANES.length; lane++) {
    context.fillStyle = palette.lanes[lane] ?? palette.text;
    const bottom = lanes.top + (lane + 1) * lanes.height - 2;
    for (let bin = 0; bin < TILE_BINS; bin++) {
      const count = counts[bin * LANES.length + lane] ?? 0;
      if (count === 0) continue;
      const height = Math.max(5, Math.min(1, Math.log2(1 + count) / most) * (lanes.height - 4));
      context.fillRect(bin, bottom - height, 1, height);
    }
  }
}
