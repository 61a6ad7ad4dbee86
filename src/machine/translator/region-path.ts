/** The path's column of bits in a region: the last up to 64 bits are in a local, and so is their number; memory gets them by whole words. */
import { PATH_BIT_COUNT, PATH_BITS } from '../cpu/state.ts';
import type { BitColumn } from './path-recorder.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

export class RegionBits implements BitColumn {
  readonly #f: FunctionBuilder;
  readonly #base: number;
  /** How many bits there are (i64), and those that do not fill a word, lowest first. */
  readonly #count: number;
  readonly #word: number;

  constructor(f: FunctionBuilder, base: number) {
    this.#f = f;
    this.#base = base;
    this.#count = f.local('i64');
    this.#word = f.local('i64');
  }

  append(value: number): void {
    const f = this.#f;
    f.get(this.#word);
    f.get(value);
    f.op(OP.i64.extend_i32_u);
    f.get(this.#count);
    f.op(OP.i64.shl, OP.i64.or);
    f.set(this.#word);
    this.#next();
  }

  known(value: 0 | 1): void {
    const f = this.#f;
    if (value === 1) {
      f.get(this.#word);
      f.i64(1n);
      f.get(this.#count);
      f.op(OP.i64.shl, OP.i64.or);
      f.set(this.#word);
    }
    this.#next();
  }

  #next(): void {
    const f = this.#f;
    f.get(this.#count);
    f.i64(1n);
    f.op(OP.i64.add);
    f.tee(this.#count);
    f.i64(63n);
    f.op(OP.i64.and, OP.i64.eqz);
    f.if(undefined, false);
    this.#address();
    // The word before the one that begins now.
    f.i32(8);
    f.op(OP.i32.sub);
    f.get(this.#word);
    f.store('i64', 0);
    f.i64(0n);
    f.set(this.#word);
    f.end();
  }

  /** Leaves the address of the word that the bits lie in. */
  #address(): void {
    const f = this.#f;
    f.get(this.#base);
    f.load('i32', PATH_BITS);
    f.get(this.#count);
    f.i64(6n);
    f.op(OP.i64.shr_u, OP.i32.wrap_i64);
    f.i32(3);
    f.op(OP.i32.shl, OP.i32.add);
  }

  /** At the region's begin. */
  load(): void {
    const f = this.#f;
    f.get(this.#base);
    f.load('i64_32u', PATH_BIT_COUNT);
    f.set(this.#count);
    this.#address();
    f.load('i64', 0);
    f.i64(1n);
    f.get(this.#count);
    f.op(OP.i64.shl);
    f.i64(1n);
    f.op(OP.i64.sub, OP.i64.and);
    f.set(this.#word);
  }

  /** Where it is left. */
  store(): void {
    const f = this.#f;
    this.#address();
    f.get(this.#word);
    f.store('i64', 0);
    f.get(this.#base);
    f.get(this.#count);
    f.store('i64_32', PATH_BIT_COUNT);
  }
}
