/**
 * Where a region has accessed memory before, so that further accesses by the same registers need no lookup in the software TLB: who knows the host address
 * and the offset in the page of one access knows those of another some bytes away, as long as the page is the same. That alone is asked.
 *
 * Registers are compared by their *origin*: a number for a value that nothing is known of, and what was added to it since. Nothing can take a place away
 * while a region runs but a refill, whose walk may make a page a table, the stores to which must be told: it makes those of stores useless. A store to
 * a page table makes all of them useless.
 */
import { bug } from '../isa/bug.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

/** A linear address: `origin` stands for the registers and the segment, `plus` is added to what it stands for. */
export interface Address {
  readonly origin: string;
  readonly plus: number;
}

interface Known extends Address {
  readonly isWrite: boolean;
  /** Locals: the host address, and the linear address modulo the page size (USELESS: the place cannot be used any more). */
  readonly host: number;
  readonly offset: number;
}

/** Fails the comparison whatever is added. */
const USELESS = 0x10000;
const PAGE = 4096;
/** At one point of a region. */
const MOST = 6;

export class KnownPlaces {
  readonly #f: FunctionBuilder;
  readonly #locals: { readonly host: number; readonly offset: number }[] = [];
  /** At the point that is being emitted, the latest last. */
  now: readonly Known[] = [];

  constructor(f: FunctionBuilder) {
    this.#f = f;
  }

  /** Puts into the local what the host address is if the access lies in the page of a known place, and leaves whether it does not. False: no place is known. */
  emitShared(address: Address, bytes: number, isWrite: boolean, host: number): boolean {
    const f = this.#f;
    const known = this.now.findLast(
      (k) => k.origin === address.origin && (k.isWrite || !isWrite) && Math.abs(address.plus - k.plus) < PAGE,
    );
    if (known === undefined) return false;
    const distance = address.plus - known.plus;
    const add = (local: number) => {
      f.get(local);
      if (distance === 0) return;
      f.i32(distance);
      f.op(OP.i32.add);
    };
    add(known.host);
    f.set(host);
    add(known.offset);
    f.i32(PAGE - bytes);
    f.op(OP.i32.gt_u);
    return true;
  }

  /** An access has been placed. */
  note(address: Address, isWrite: boolean, host: number, linear: number): void {
    const f = this.#f;
    const others = this.now.filter(
      (k) => k.origin !== address.origin || Math.abs(address.plus - k.plus) >= PAGE || (k.isWrite && !isWrite),
    );
    const kept = others.slice(-(MOST - 1));
    const used = new Set(kept.map((k) => k.host));
    let locals = this.#locals.find((l) => !used.has(l.host));
    if (locals === undefined) {
      locals = { host: f.local('i32'), offset: f.local('i32') };
      this.#locals.push(locals);
    }
    f.get(host);
    f.set(locals.host);
    f.get(linear);
    f.op(OP.i32.wrap_i64);
    f.i32(PAGE - 1);
    f.op(OP.i32.and);
    f.set(locals.offset);
    this.now = [...kept, { ...address, isWrite, ...locals }];
    if (this.#locals.length > MOST) bug('more locals than places');
  }

  /** The software TLB has been refilled, on one of the ways to here. */
  refilled(): void {
    for (const { isWrite, offset } of this.now) if (isWrite) this.#spoil(offset);
  }

  /** A store to a page table was made, likewise. */
  tableStored(): void {
    for (const { offset } of this.now) this.#spoil(offset);
  }

  #spoil(offset: number): void {
    this.#f.i32(USELESS);
    this.#f.set(offset);
  }
}
