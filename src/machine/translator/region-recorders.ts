/** What a region records, while it runs in locals: the path's bits, and addresses. */
import { RegionAddresses } from './address-recorder.ts';
import type { LocalPool } from './lowering-context.ts';
import { pathRecorder } from './path-recorder.ts';
import type { Recorded, Recorders } from './recorders.ts';
import type { Block, RegionInstruction } from './region-graph.ts';
import { RegionBits } from './region-path.ts';
import type { FunctionBuilder } from './wasm.ts';

export class RegionRecorders {
  readonly #f: FunctionBuilder;
  readonly #base: number;
  readonly #bits: RegionBits | null;
  readonly #addresses: RegionAddresses | null;

  constructor(f: FunctionBuilder, base: number, page: number, { hasPath, hasAddresses }: Recorded) {
    this.#f = f;
    this.#base = base;
    this.#bits = hasPath ? new RegionBits(f, base) : null;
    this.#addresses = hasAddresses ? new RegionAddresses(f, base, page) : null;
  }

  /** `ends`: the block that the instruction is the last of; null: it is the last of none. */
  of(instruction: RegionInstruction, ends: Block | null, locals: LocalPool): Recorders {
    const bits = ends === null ? this.#bits : (this.#bits?.ofBranch(ends) ?? null);
    return {
      path: bits === null ? null : pathRecorder(this.#f, locals, this.#base, bits),
      addresses: this.#addresses?.of(instruction) ?? null,
    };
  }

  /** At the region's begin. */
  load(): void {
    this.#bits?.load();
    this.#addresses?.load();
  }

  /** Where it is left. */
  store(): void {
    this.#bits?.store();
    this.#addresses?.store();
  }
}
