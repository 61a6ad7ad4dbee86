/** Tiles of the timeline: asked for when they are looked at, a few at a time, the ones last used kept. */
import { MOST_LEVEL, TILE_BINS, type Tile } from '../../protocol.ts';
import { askTile, isGivenUp } from '../client.ts';

const MOST_KEPT = 400;
const MOST_ASKED = 4;
/** A tile whose events are still being counted is asked for again after so long. */
const AGAIN_MS = 250;

interface Kept {
  readonly tile: Tile;
  readonly since: number;
}

export class Tiles {
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Set<string>();
  readonly #changed: () => void;
  readonly #failed: (error: unknown) => void;

  /** `changed` is told when there is something new to draw. */
  constructor(changed: () => void, failed: (error: unknown) => void) {
    this.#changed = changed;
    this.#failed = failed;
  }

  /** A tile, or null while it is on its way; what is looked at is asked for. */
  get(level: number, index: number): Tile | null {
    const key = `${level}/${index}`;
    const kept = this.#kept.get(key);
    if (kept === undefined || (!kept.tile.isComplete && performance.now() - kept.since > AGAIN_MS)) this.#ask(key, level, index);
    if (kept === undefined) return null;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    return kept.tile;
  }

  /** The nearest coarser tile that is there. */
  coarser(level: number, index: number): Tile | null {
    for (let up = 1; level + up <= MOST_LEVEL; up++) {
      const found = this.#kept.get(`${level + up}/${Math.floor(index / 2 ** up)}`);
      if (found !== undefined) return found.tile;
    }
    return null;
  }

  #ask(key: string, level: number, index: number): void {
    if (this.#asked.has(key) || this.#asked.size >= MOST_ASKED) return;
    this.#asked.add(key);
    askTile(level, index, AbortSignal.timeout(30_000))
      .then((tile) => this.#keep(key, tile))
      .catch((error: unknown) => {
        if (!isGivenUp(error)) this.#failed(error);
      })
      .finally(() => {
        this.#asked.delete(key);
        this.#changed(); // what had to wait is asked for now
      });
  }

  #keep(key: string, tile: Tile): void {
    this.#kept.set(key, { tile, since: performance.now() });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    if (!tile.isComplete) setTimeout(this.#changed, AGAIN_MS + 10);
  }
}

/** Instructions that a tile of a level covers. */
export function tileLength(level: number): number {
  return TILE_BINS * 2 ** level;
}
