/** Instructions as the page shows them, and those around a position, which are kept: going on by one executes one. */
import type { InstructionView, Timeline } from '../../replay/index.ts';
import type { InstructionLine } from '../protocol.ts';

const MOST_KEPT = 50_000;

export class Listing {
  readonly #timeline: Timeline;
  readonly #kept = new Map<bigint, InstructionLine>();

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The instructions from `from` on, up to `to`. The timeline is moved. */
  between(from: bigint, to: bigint): InstructionLine[] {
    const last = to < this.#timeline.end ? to : this.#timeline.end;
    this.#fill(from, last);
    const lines: InstructionLine[] = [];
    for (let at = from; at < last; at++) {
      const line = this.#kept.get(at);
      if (line !== undefined) lines.push(line);
    }
    return lines;
  }

  /** Executes what is not known yet. */
  #fill(from: bigint, to: bigint): void {
    const timeline = this.#timeline;
    if (this.#kept.size > MOST_KEPT) this.#kept.clear();
    for (let at = from; at < to; at++) {
      if (this.#kept.has(at)) continue;
      let end = at + 1n;
      while (end < to && !this.#kept.has(end)) end++;
      timeline.seek(at);
      for (const view of timeline.instructions(Number(end - at))) this.#kept.set(view.at, lineOf(view));
      if (!this.#kept.has(at)) return; // the run ends here
    }
  }
}

/** An instruction as the page shows it. */
export function lineOf({ at, rip, cpl, bytes, text, place }: InstructionView): InstructionLine {
  const source = /^(.*):(\d+):\d+$/.exec(place?.source ?? '');
  return {
    at: Number(at),
    rip: `0x${rip.toString(16)}`,
    cpl,
    bytes: Buffer.from(bytes).toString('hex'),
    text,
    symbol: place?.symbol ?? null,
    image: place?.image ?? null,
    file: source?.[1] ?? null,
    line: source?.[2] === undefined ? null : Number(source[2]),
  };
}
