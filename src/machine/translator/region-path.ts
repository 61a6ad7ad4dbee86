/**
 * The path's column of bits in a region: up to 63 bits are in a local, memory gets them by whole words. The local is a shift register: bits come in at the
 * top, and below the first of them is a 1, the mark, which says how many there are and reaches bit 0 when one more fills the word.
 *
 * A loop whose turns have one bit each, that of the branch back, only counts its turns: the bits, all alike, are appended where it is left.
 */
import { PATH_BIT_COUNT, PATH_BITS } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { BitColumn } from './path-recorder.ts';
import { type Block, type Edge, MAX_BLOCKS } from './region-graph.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

const TOP = -(1n << 63n);

/** The bit by which the branch at a block's end goes round a loop that has no other bit; null: there is no such loop. */
export function turnBit({ end }: Block): 0 | 1 | null {
  if (end.kind !== 'branch') return null;
  return leadsTo(end.taken, end) ? 1 : leadsTo(end.next, end) ? 0 : null;
}

/** Whether an edge leads to the block with that end, without a bit on the way. */
function leadsTo(edge: Edge, end: Block['end']): boolean {
  for (let blocks = 0; blocks < MAX_BLOCKS && 'to' in edge; blocks++) {
    const reached = edge.to.end;
    if (reached === end) return true;
    if (reached.kind !== 'next' && reached.kind !== 'jump') return false;
    edge = reached.edge;
  }
  return false;
}

export class RegionBits implements BitColumn {
  readonly #f: FunctionBuilder;
  readonly #base: number;
  /** The mark and the bits (i64), and the address of the word that they will fill. */
  readonly #bits: number;
  readonly #at: number;
  /** Of loops that go round by a 0 and by a 1: turns whose bits are not yet appended. In no more than one of them, and only within its loop, there are any. */
  readonly #turns: [number | null, number | null] = [null, null];

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

  /** The column for the branch at the end of a block. */
  ofBranch(block: Block): BitColumn {
    const turn = turnBit(block);
    if (turn === null) return this;
    const f = this.#f;
    const turns = this.#turns[turn] ?? f.local('i32');
    this.#turns[turn] = turns;
    return {
      append: () => bug('a bit that is not known, of a branch'),
      known: (value) => {
        if (value === turn) {
          f.get(turns);
          f.i32(1);
          f.op(OP.i32.add);
          f.set(turns);
          return;
        }
        this.#appendTurns(turn, turns);
        this.known(value);
      },
    };
  }

  /** Appends as many bits as `turns` says, and sets it to 0. */
  #appendTurns(bit: 0 | 1, turns: number): void {
    const f = this.#f;
    const room = f.local('i32');
    const shift = (by: number) => {
      f.get(by);
      f.op(OP.i64.extend_i32_u, OP.i64.shr_u);
    };
    /** What is on the stack, after `shift`, with the new bits at the top. */
    const fill = (again: () => void) => {
      if (bit === 0) return;
      f.i64(-1n);
      again();
      f.i64(-1n);
      f.op(OP.i64.xor, OP.i64.or);
    };
    const fitting = f.block();
    const whole = f.loop();
    // So many bits leave the mark in the word; one more fills it.
    f.get(this.#bits);
    f.op(OP.i64.ctz, OP.i32.wrap_i64);
    f.tee(room);
    f.get(turns);
    f.op(OP.i32.ge_u);
    f.brIf(fitting);
    const toWord = () => {
      shift(room);
      f.i64(1n);
      f.op(OP.i64.shr_u);
    };
    f.get(this.#at);
    f.get(this.#bits);
    toWord();
    fill(toWord);
    this.#store();
    f.get(turns);
    f.get(room);
    f.op(OP.i32.sub);
    f.i32(1);
    f.op(OP.i32.sub);
    f.set(turns);
    f.br(whole);
    f.end();
    f.end();
    f.get(this.#bits);
    shift(turns);
    fill(() => shift(turns));
    f.set(this.#bits);
    f.i32(0);
    f.set(turns);
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
    this.#store();
    f.end();
  }

  /** Stores the word that is on the stack, above its address, and begins the next. */
  #store(): void {
    const f = this.#f;
    f.store('i64', 0);
    f.get(this.#at);
    f.i32(8);
    f.op(OP.i32.add);
    f.set(this.#at);
    f.i64(TOP);
    f.set(this.#bits);
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
    for (const [bit, turns] of this.#turns.entries()) {
      if (turns === null) continue;
      f.get(turns);
      f.if();
      this.#appendTurns(bit as 0 | 1, turns);
      f.end();
    }
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
