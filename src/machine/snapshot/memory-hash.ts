/**
 * The hash of RAM: a sum over pages, each hashed (xxh64) with its page number as the seed; a page of zeros adds nothing. Kept up to date from the
 * list of frames written since: a hash costs what changed.
 */
import { FRAME } from '../memory/frames.ts';
import type { PhysicalMemory } from '../memory/physical.ts';
import { PAGE_BYTES } from '../platform/memory-map.ts';

/** 64-bit hash of bytes with a seed. */
export type Hash64 = (bytes: Uint8Array, seed: bigint) => bigint;

export class MemoryHash {
  readonly #physical: PhysicalMemory;
  readonly #hash: Hash64;
  readonly #terms: BigUint64Array;
  #sum = 0n;
  /** The terms at the last `takeChanged`. */
  #marked = new BigUint64Array(0);
  /** Frames whose terms were made anew since then, some perhaps more than once; null before the first. */
  #renewed: number[] | null = null;
  /** Frames that `takeWritten` took out of the dirty list before they were hashed. */
  readonly #waiting = new Set<number>();

  constructor(physical: PhysicalMemory, hash: Hash64) {
    this.#physical = physical;
    this.#hash = hash;
    this.#terms = new BigUint64Array(physical.frames);
  }

  /** The sum, with all dirty frames taken in. The caller has dropped their frames from the write arrays of the software TLB. */
  update(): bigint {
    const { unhashed } = this.#physical;
    for (let i = 0; i < unhashed.length; i++) this.#renew(unhashed.items[i] ?? 0);
    for (const frame of this.#waiting) this.#renew(frame);
    this.#waiting.clear();
    this.#physical.clearList(unhashed, FRAME.unhashed);
    return this.#sum;
  }

  #renew(frame: number): void {
    const { u8 } = this.#physical;
    const term = this.#isZero(frame) ? 0n : this.#hash(u8.subarray(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES), BigInt(frame));
    this.#sum = BigInt.asUintN(64, this.#sum + term - (this.#terms[frame] ?? 0n));
    this.#terms[frame] = term;
    this.#renewed?.push(frame);
  }

  /** The frames written since the last call (or `update`), which the next `update` takes in. The caller has dropped them as for `update`. */
  takeWritten(): Uint32Array {
    const { unhashed } = this.#physical;
    const written = Uint32Array.from(unhashed.items.subarray(0, unhashed.length));
    for (const frame of written) this.#waiting.add(frame);
    this.#physical.clearList(unhashed, FRAME.unhashed);
    return written;
  }

  /** The frames whose bytes are others than at the last call (the first: than zeros), ascending; as of the last `update`. */
  takeChanged(): Uint32Array {
    if (this.#marked.length === 0) this.#marked = new BigUint64Array(this.#terms.length);
    const changed = (this.#renewed ?? [...this.#terms.keys()]).filter((frame) => {
      const isOther = this.#marked[frame] !== this.#terms[frame];
      this.#marked[frame] = this.#terms[frame] ?? 0n;
      return isOther;
    });
    this.#renewed = [];
    return Uint32Array.from(changed).sort();
  }

  #isZero(frame: number): boolean {
    return this.#physical.nextUsed(frame * PAGE_BYTES, (frame + 1) * PAGE_BYTES) === (frame + 1) * PAGE_BYTES;
  }
}
