/** Measures one image on every machine: round by round, each machine in turn, so that what disturbs the host disturbs all alike. */
import type { Image } from './build.ts';
import { BenchError } from './error.ts';
import type { Peer, Run } from './peers/peer.ts';

export type Cell =
  | { readonly kind: 'timed'; readonly cpuSeconds: number; readonly traceBytes: number | null }
  | { readonly kind: 'error'; readonly message: string }
  | { readonly kind: 'not installed' }
  /** The machine cannot run it, or the short form leaves it out. */
  | { readonly kind: 'left out' };

export interface Measured {
  readonly image: Image;
  /** Counted by our machine; NaN where it failed. */
  readonly instructions: number;
  /** By the machine's name. */
  readonly cells: ReadonlyMap<string, Cell>;
}

/** A machine that takes longer is measured once. */
const SLOW_SECONDS = 15;

export function measure(image: Image, peers: readonly Peer[], rounds: number, show: (what: string) => void): Measured {
  const cells = new Map<string, Cell>();
  const runs = new Map<Peer, Run[]>();
  const expected = new Expected();
  for (let round = 0; round < rounds; round++) {
    for (const peer of peers) {
      const before = runs.get(peer) ?? [];
      if (peer.version === null) cells.set(peer.name, { kind: 'not installed' });
      else if (!peer.canRun(image)) cells.set(peer.name, { kind: 'left out' });
      if (cells.has(peer.name) || (before[0]?.cpuSeconds ?? 0) > SLOW_SECONDS) continue;
      show(`${image.name}: ${peer.name}, round ${round + 1} of ${rounds}`);
      try {
        const run = peer.run(image);
        expected.check(run);
        runs.set(peer, [...before, run]);
      } catch (error) {
        if (!(error instanceof BenchError)) throw error;
        cells.set(peer.name, { kind: 'error', message: error.message });
      }
    }
  }
  for (const [{ name }, done] of runs) {
    if (cells.has(name)) continue;
    const cpuSeconds = median(done.map((run) => run.cpuSeconds));
    cells.set(name, { kind: 'timed', cpuSeconds, traceBytes: done[0]?.traceBytes ?? null });
  }
  return { image, instructions: expected.instructions, cells };
}

/** What the first machine said, and every other must. */
class Expected {
  #console: string | null = null;
  #hash: string | null = null;
  instructions = Number.NaN;

  check({ console, hash, instructions }: Run): void {
    if (console !== null) {
      this.#console ??= console;
      if (console !== this.#console)
        throw new BenchError(`another answer: ${JSON.stringify(console)} for ${JSON.stringify(this.#console)}`);
    }
    if (hash !== undefined && instructions !== undefined) {
      this.#hash ??= hash;
      if (Number.isNaN(this.instructions)) this.instructions = instructions;
      if (hash !== this.#hash || instructions !== this.instructions)
        throw new BenchError(`another end: hash ${hash} after ${instructions} instructions for ${this.#hash} after ${this.instructions}`);
    }
  }
}

export const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

export const geometricMean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
