/**
 * When an instruction (and so the block of code that begins with it) was executed: the index says in which slices anything was executed from its frame, and
 * the path of the trace's blocks that have such slices says at which positions it was.
 *
 *     const executions = await Executions.open(trace, index);
 *     executions.previousExecution([{ physical: 0x10a418n, length: 1 }], 1_000_000n)     // 876543n: the last position below at which it was executed
 *     executions.nextExecution([{ physical: 0x10a418n, length: 1 }], 1_000_000n)         // the first at or after it; null: there is none
 *
 * An instruction is asked for by its first byte in physical memory, so that it is the same in every address space. It was *executed* at position n where it is
 * the instruction that retired from n to n + 1; of a repeated one, each iteration. Interrupted by a fault, it was not.
 *
 * What executes: a machine, on the way from the checkpoint before such a block to its begin, for the code bytes and translations of that moment. Within
 * the block the path is walked without it, but where other code is met, a flush forgot a translation, or IRET and far transfers may have changed the mode.
 */
import type { PlayerOptions } from '../player.ts';
import { earliest, latest } from '../timeline/traveller.ts';
import type { Trace } from '../trace/reader.ts';
import type { CodeBlock } from '../walk/code-block.ts';
import { Walker } from '../walk/walker.ts';
import type { Range, TouchIndex } from './touch-index.ts';

/** Bytes of physical memory in which an instruction begins that is asked for. */
export interface CodePiece {
  readonly physical: bigint;
  readonly length: number;
}

const PAGE_BYTES = 4096;

export class Executions {
  readonly #index: TouchIndex;
  readonly #finder: Finder;
  readonly #walker: Walker<null>;

  private constructor(index: TouchIndex, finder: Finder, walker: Walker<null>) {
    this.#index = index;
    this.#finder = finder;
    this.#walker = walker;
  }

  /** `index`: of this trace. UserError where the trace cannot be played. */
  static async open(trace: Trace, index: TouchIndex, options: PlayerOptions = {}): Promise<Executions> {
    const finder = new Finder();
    const isUnwritten = (frame: number, from: bigint, to: bigint): boolean => {
      const slice = index.next('written', frame, from);
      return slice === null || slice.from >= to;
    };
    const walker = await Walker.open<null>(trace, { ownerOf: () => null, sink: finder, isUnwritten }, options);
    finder.found = () => walker.stop();
    return new Executions(index, finder, walker);
  }

  /** The first position at or after `from` at which an instruction that begins in one of the pieces was executed. UserError where the trace has no path. */
  nextExecution(pieces: readonly CodePiece[], from: bigint): bigint | null {
    const { trace } = this.#walker.player;
    this.#finder.seek(pieces, true);
    return this.#walk(latest(from, trace.start), trace.instructions);
  }

  /** The last position below `before`. */
  previousExecution(pieces: readonly CodePiece[], before: bigint): bigint | null {
    const { trace } = this.#walker.player;
    const finder = this.#finder;
    finder.seek(pieces, false);
    let to = earliest(before, trace.instructions);
    // Twice as many blocks each time: each begins with the way from a checkpoint.
    for (let blocks = 1; to > trace.start; blocks *= 2) {
      const slice = this.#previous(to);
      if (slice === null || slice.to <= trace.start) return null;
      const first = trace.firstOf(Math.max(0, trace.runAt(slice.to - 1n) - blocks + 1));
      const found = this.#walk(first, slice.to);
      if (found !== null) return found;
      to = first;
    }
    return null;
  }

  /** Walks what has slices of the frames, block of the trace by block: to the first execution, or to the end and gives the last, as the finder seeks. */
  #walk(from: bigint, to: bigint): bigint | null {
    const { trace } = this.#walker.player;
    const finder = this.#finder;
    for (let at = from; at < to; ) {
      const slice = this.#next(at);
      if (slice === null || slice.from >= to) break;
      const block = trace.runAt(slice.from);
      const end = earliest(trace.firstOf(block) + BigInt(trace.lengthOf(block)), to);
      this.#walker.walk(slice.from, end);
      if (finder.isFirst && finder.at !== null) break;
      at = end;
    }
    return finder.at === null ? null : BigInt(finder.at);
  }

  #next(from: bigint): Range | null {
    const slices = this.#finder.frames.map((frame) => this.#index.next('executed', frame, from));
    return slices.reduce((a, b) => (b === null || (a !== null && a.from <= b.from) ? a : b), null);
  }

  #previous(before: bigint): Range | null {
    const slices = this.#finder.frames.map((frame) => this.#index.previous('executed', frame, before));
    return slices.reduce((a, b) => (b === null || (a !== null && a.to >= b.to) ? a : b), null);
  }
}

/** Looks for the pieces in what is walked. */
class Finder {
  isFirst = true;
  /** Where it was found. */
  at: number | null = null;
  /** Called when the first was. */
  found: () => void = () => {};
  #pieces: readonly CodePiece[] = [];
  #frames: readonly number[] = [];
  /** Which instructions of a block are asked for. */
  readonly #known = new Map<CodeBlock<null>, readonly number[]>();

  seek(pieces: readonly CodePiece[], isFirst: boolean): void {
    this.#pieces = pieces;
    this.#frames = [...new Set(pieces.flatMap(framesOf))];
    this.#known.clear();
    this.isFirst = isFirst;
    this.at = null;
  }

  get frames(): readonly number[] {
    return this.#frames;
  }

  block(block: CodeBlock<null>, count: number, _isTaken: boolean, at: number): void {
    if (!this.#frames.includes(block.page.frame)) return;
    let wanted = this.#known.get(block);
    if (wanted === undefined) this.#known.set(block, (wanted = this.#wantedOf(block)));
    if (wanted.length === 0) return;
    if (this.isFirst) {
      const index = wanted[0] ?? 0;
      if (index >= count) return;
      this.at = at + index;
      this.found();
    } else if (block.isRepeated) {
      this.at = at + count - 1;
    } else {
      const index = wanted.findLast((each) => each < count);
      if (index !== undefined) this.at = at + index;
    }
  }

  dropped(block: CodeBlock<null>): void {
    this.#known.delete(block);
  }

  #wantedOf({ rip, offsets, page }: CodeBlock<null>): readonly number[] {
    const begin = BigInt(page.frame * PAGE_BYTES + Number((page.mode === 64 ? rip : page.base + rip) & BigInt(PAGE_BYTES - 1)));
    return offsets.flatMap((offset, index) => {
      const physical = begin + BigInt(offset);
      return this.#pieces.some((piece) => physical >= piece.physical && physical < piece.physical + BigInt(piece.length)) ? [index] : [];
    });
  }
}

function framesOf({ physical, length }: CodePiece): number[] {
  const first = Number(physical / BigInt(PAGE_BYTES));
  const last = Number((physical + BigInt(length - 1)) / BigInt(PAGE_BYTES));
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
