/**
 * Which code was executed, how often, and which ways its conditional branches went: exact counts by address in each image, from the recorded paths of any
 * number of traces. lcov.ts says it by source lines.
 *
 *     const coverage = new Coverage();
 *     for (const trace of traces) await coverage.add(trace);
 *     writeFileSync('run.info', lcovText(coverage));
 */
import { createHash } from 'node:crypto';
import type { ElfImage } from '../../compiler/image/read-elf.ts';
import { type PlayerOptions, symbolsOf } from '../player.ts';
import type { KnownImage } from '../symbols.ts';
import type { Trace } from '../trace/reader.ts';
import type { CodeBlock } from '../walk/code-block.ts';
import { Walker } from '../walk/walker.ts';

export interface CoverageOptions extends PlayerOptions {
  /** First position; default 0. */
  readonly from?: bigint;
  /** First position that is left out; default: the end. */
  readonly to?: bigint;
  readonly progress?: (position: bigint) => void;
}

/** How often a conditional branch was executed, and taken. */
export interface BranchCount {
  executed: number;
  taken: number;
}

/** What was executed of one image. */
export interface ImageCoverage {
  readonly name: string;
  readonly elf: ElfImage;
  /** Executions of the instruction at an address; a repeated one counts its iterations. */
  readonly instructions: Map<bigint, number>;
  readonly branches: Map<bigint, BranchCount>;
}

export class Coverage {
  /** By the SHA-256 of the file: the same program in two traces is one. */
  readonly #images = new Map<string, ImageCoverage>();

  get images(): Iterable<ImageCoverage> {
    return this.#images.values();
  }

  /** Adds what was executed in a trace, and its images whether they were or not. */
  async add(trace: Trace, options: CoverageOptions = {}): Promise<void> {
    const symbols = symbolsOf(trace, options);
    const images = new Map(symbols.images.map((known) => [known, this.#imageOf(known)]));
    const take = (block: CodeBlock<KnownImage | null>): void => {
      const image = block.owner === null ? undefined : images.get(block.owner);
      if (image !== undefined) addBlock(image, block);
    };
    const walker = await Walker.open<KnownImage | null>(
      trace,
      {
        ownerOf: (rip, bytes) => symbols.imageAt(rip, bytes),
        sink: { block: () => {}, dropped: take },
      },
      options,
    );
    for (const position of walker.blockwise(options.from ?? 0n, options.to ?? trace.instructions)) options.progress?.(position);
    for (const block of walker.blocks()) take(block);
  }

  #imageOf({ name, bytes, elf }: KnownImage): ImageCoverage {
    const hash = createHash('sha256').update(bytes).digest('hex');
    let image = this.#images.get(hash);
    if (image === undefined) this.#images.set(hash, (image = { name, elf, instructions: new Map(), branches: new Map() }));
    return image;
  }
}

function addBlock({ instructions, branches }: ImageCoverage, block: CodeBlock<unknown>): void {
  for (const [index, count] of block.counts().entries()) {
    if (count === 0) continue;
    const address = block.ripOf(index);
    instructions.set(address, (instructions.get(address) ?? 0) + count);
  }
  if (block.flow !== 'branch' || block.executed === 0) return;
  const address = block.ripOf(block.count - 1);
  let branch = branches.get(address);
  if (branch === undefined) branches.set(address, (branch = { executed: 0, taken: 0 }));
  branch.executed += block.executed;
  branch.taken += block.taken;
}
