/**
 * The path's column of bits in a region: up to 63 bits are in a local, memory gets them by whole words. The local is a shift register: bits come in at the
 * top, and below the first of them is a 1, the mark, which says how many there are and reaches bit 0 when one more fills the word.
 */
import { PATH_BIT_COUNT, PATH_BITS } from '../cpu/state.ts';
import type { BitColumn } from './path-recorder.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

const TOP = -(1n << 63n);

export class RegionBits implements BitColumn {
  readonly #f: FunctionBuilder;
  readonly #base: number;
  /** The mark and the bits (i64), and the address of the word that they will fill. */
  readonly #bits: number;
  readonly #at: number;

  constructor(f: FunctionBuilder, base: number) {
    this.#f = f;
    this.#base = base;
    this.#bits = f.local('i64');
    this.#at = f.local('i32');
  }

  append(value: number): void {
    const f = this.#f;
    this.#push(() => {
      f.get(value);
      f.op(OP.i64.extend_i32_u);
      f.i64(63n);
      f.op(OP.i64.shl, OP.i64.or);
    });
  }

  known(value: 0 | 1): void {
    const f = this.#f;
    this.#push(() => {
      if (value === 0) return;
      f.i64(TOP);
      f.op(OP.i64.or);
    });
  }

  /** `or` puts the new bit into what is on the stack. */
  #push(or: () => void): void {
    const f = this.#f;
    f.get(this.#bits);
    f.op(OP.i32.wrap_i64);
    f.i32(1);
    f.op(OP.i32.and);
    f.get(this.#bits);
    f.i64(1n);
    f.op(OP.i64.shr_u);
    or();
    f.set(this.#bits);
    f.if(undefined, false);
    f.get(this.#at);
    f.get(this.#bits);
    f.store('i64', 0);
    f.get(this.#at);
    f.i32(8);
    f.op(OP.i32.add);
    f.set(this.#at);
    f.i64(TOP);
    f.set(this.#bits);
    f.end();
  }

  /** At the region's begin. */
  load(): void {
    const f = this.#f;
    const count = f.local('i32');
    f.get(this.#base);
    f.load('i32', PATH_BITS);
    f.get(this.#base);
    f.load('i32', PATH_BIT_COUNT);
    f.tee(count);
    f.i32(6);
    f.op(OP.i32.shr_u);
    f.i32(3);
    f.op(OP.i32.shl, OP.i32.add);
    f.tee(this.#at);
    // The bits there are, to the top; shifts are modulo 64.
    f.load('i64', 0);
    f.i64(1n);
    f.get(count);
    f.op(OP.i64.extend_i32_u, OP.i64.shl);
    f.i64(1n);
    f.op(OP.i64.sub, OP.i64.and);
    f.i32(0);
    f.get(count);
    f.op(OP.i32.sub, OP.i64.extend_i32_u, OP.i64.shl);
    f.i64(TOP);
    f.get(count);
    f.op(OP.i64.extend_i32_u, OP.i64.shr_u, OP.i64.or);
    f.set(this.#bits);
  }

  /** Where it is left. */
  store(): void {
    const f = this.#f;
    f.get(this.#at);
    f.get(this.#bits);
    f.get(this.#bits);
    f.op(OP.i64.ctz, OP.i64.shr_u);
    f.i64(1n);
    f.op(OP.i64.shr_u);
    f.store('i64', 0);
    f.get(this.#base);
    f.get(this.#at);
    f.get(this.#base);
    f.load('i32', PATH_BITS);
    f.op(OP.i32.sub);
    f.i32(3);
    f.op(OP.i32.shl);
    f.i32(63);
    f.op(OP.i32.add);
    f.get(this.#bits);
    f.op(OP.i64.ctz, OP.i32.wrap_i64, OP.i32.sub);
    f.store('i32', PATH_BIT_COUNT);
  }
}
