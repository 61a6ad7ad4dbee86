/**
 * What a trace's run touched when: which frames of physical memory were written, and from which code was executed, slice by slice. It answers where the next
 * and the previous touch is without executing anything; the exact instruction is found by running one slice (who/).
 *
 *     const index = await indexOf(trace, 'run.mpk');                    // beside it as run.mpk.idx: read, or built and written
 *     index.previous('written', 0x1234, 1_000_000n)                      // { from: 786432n, to: 1000000n }: the last slice in which frame 0x1234 was written
 *     index.next('executed', 0x1234, 1_000_000n)
 *
 * A slice that is named holds a touch of the frame (executed: at least a fetch from it), but what is asked for may lie before `to` or after it, where a slice
 * is cut by the question.
 */
import type { TouchColumns } from './columns.ts';

export type Touch = 'written' | 'executed';

/** Instructions `from` ≤ n < `to`. */
export interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

export class TouchIndex {
  /** Instructions of the trace. */
  readonly instructions: bigint;
  /** Instructions of a slice; a power of two. */
  readonly sliceInstructions: number;
  readonly written: TouchColumns;
  readonly executed: TouchColumns;

  constructor(instructions: bigint, sliceInstructions: number, written: TouchColumns, executed: TouchColumns) {
    this.instructions = instructions;
    this.sliceInstructions = sliceInstructions;
    this.written = written;
    this.executed = executed;
  }

  /** The first slice, cut to what is at or after `from`, in which the frame was touched; null: there is none. */
  next(touch: Touch, frame: number, from: bigint): Range | null {
    const slice = Number(from / this.#length);
    const run = this[touch].from(frame, slice);
    if (run === null) return null;
    const begin = BigInt(Math.max(run.start, slice)) * this.#length;
    const end = begin + this.#length;
    return { from: begin > from ? begin : from, to: end < this.instructions ? end : this.instructions };
  }

  /** The last slice, cut to what is before `before`, in which the frame was touched; null: there is none. */
  previous(touch: Touch, frame: number, before: bigint): Range | null {
    if (before <= 0n) return null;
    const slice = Number((before - 1n) / this.#length);
    const run = this[touch].upTo(frame, slice);
    if (run === null) return null;
    const begin = BigInt(Math.min(run.end - 1, slice)) * this.#length;
    const end = begin + this.#length;
    return { from: begin, to: end < before ? end : before };
  }

  get #length(): bigint {
    return BigInt(this.sliceInstructions);
  }
}

/** How many slices so many instructions have. */
export function slicesOf(instructions: bigint, sliceInstructions: number): number {
  return Number((instructions + BigInt(sliceInstructions) - 1n) / BigInt(sliceInstructions));
}
