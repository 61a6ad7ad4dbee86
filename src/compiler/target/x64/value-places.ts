/**
 * Where values of the IR are, instruction by instruction, for debug information.
 *
 * A value that variables hold has one or two *places*: that of its virtual register, which is one for its whole life, and, if it is a parameter, where
 * the caller put it. It is in a place from the instruction that puts it there until something else is put there. What holds at a point is what
 * holds on every way to it: the usual forward equations over sets of places, a bit for each.
 *
 * SSA makes it enough: where a location's environment names a value, the value was defined on every way to there, and what a place holds is the
 * last one that was put into it.
 */
import { bug } from '../../../machine/isa/bug.ts';
import type { Value } from '../../ir/function.ts';
import { M, type MachineBlock, type MachineFunction, type MachineInstruction } from './machine.ts';
import { FIRST_VIRTUAL, NONE } from './registers.ts';

/** A fixed register, `-1 - slot` of a spilled one, or bytes behind the return address. */
export type Home = { readonly kind: 'allocated'; readonly place: number } | { readonly kind: 'stack'; readonly offset: number };

export class ValuePlaces {
  /** By bit. */
  readonly homes: Home[] = [];
  /** The places that hold something where the walk is. A view: it changes as the walk goes on. */
  readonly held: Int32Array;
  /** Counts changes of `held`. */
  version = 0;
  readonly #fn: MachineFunction;
  readonly #places: Int32Array;
  readonly #isNothing: (i: MachineInstruction) => boolean;
  readonly #rotated: ReadonlyMap<MachineInstruction, MachineBlock>;
  /** By value id: bits. */
  readonly #bits = new Map<number, number[]>();
  /** By virtual register, where writing it puts the value there. */
  readonly #definedBy = new Map<number, number>();
  /** By place (0: register 0, then slots downwards as they are numbered): the bits to take away. */
  readonly #at = new Map<number, number[]>();
  readonly #joins = new Map<MachineBlock, number[]>();
  readonly #into: Int32Array[] = [];

  /** @param values those that are asked for */
  constructor(
    fn: MachineFunction,
    places: Int32Array,
    values: Iterable<Value>,
    isNothing: (i: MachineInstruction) => boolean,
    rotated: ReadonlyMap<MachineInstruction, MachineBlock>,
  ) {
    this.#fn = fn;
    this.#places = places;
    this.#isNothing = isNothing;
    this.#rotated = rotated;
    const origin = fn.origin ?? bug('a function without notes');
    const parameters = new Map(origin.parameters.map((p) => [p.value, p]));
    const joined = new Set<Value>();
    for (const { parameters: list } of origin.joins) for (const param of list) joined.add(param);
    const initial: number[] = [];
    for (const value of values) {
      if (this.#bits.has(value.id)) continue;
      const bits: number[] = [];
      this.#bits.set(value.id, bits);
      const register = origin.registers[value.id] ?? 0;
      if (register !== 0) {
        const bit = this.#add({ kind: 'allocated', place: places[register] ?? bug(`register ${register} has no place`) });
        bits.push(bit);
        if (!joined.has(value)) this.#definedBy.set(register, bit);
      }
      const parameter = parameters.get(value);
      if (parameter === undefined) continue;
      const { register: from, stack } = parameter;
      const bit = this.#add(from === NONE ? { kind: 'stack', offset: stack } : { kind: 'allocated', place: from });
      bits.push(bit);
      initial.push(bit);
    }
    for (const { block, parameters: list } of origin.joins) {
      const bits = list.flatMap((param) => this.#bits.get(param.id) ?? []);
      if (bits.length > 0) this.#joins.set(block, bits);
    }
    this.held = new Int32Array((this.homes.length + 31) >> 5);
    if (this.homes.length > 0) this.#solve(initial);
  }

  /** The places that a value may be in. */
  of(value: Value): readonly number[] {
    return this.#bits.get(value.id) ?? [];
  }

  isHeld(bit: number): boolean {
    return ((this.held[bit >> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  /** The first of these that holds something; null: none. */
  firstHeld(bits: readonly number[]): number | null {
    for (const bit of bits) if (this.isHeld(bit)) return bit;
    return null;
  }

  /** The walk comes to the start of a block. */
  enter(block: MachineBlock): void {
    if (this.homes.length === 0) return;
    this.held.set(this.#into[block.position] ?? bug('a block without a position'));
    this.version++;
    this.#put(this.#joins.get(block));
  }

  /** The walk comes to an instruction: the copy of a loop's head is entered like the head. */
  reach(i: MachineInstruction): void {
    if (this.#rotated.size === 0) return;
    const head = this.#rotated.get(i);
    if (head !== undefined) this.#put(this.#joins.get(head));
  }

  /**
   * What the instruction destroys, its definition included.
   * @param a what it writes, if places stand in its stead already
   */
  destroy(i: MachineInstruction, a = i.a): void {
    if (this.homes.length === 0 || this.#isNothing(i)) return;
    for (let rest = i.writes; rest !== 0; rest &= rest - 1) this.#clear(31 - Math.clz32(rest & -rest));
    if (a >= 0 && i.op.a !== 'read' && i.op.a !== 'none') this.#clear(this.#places[a] ?? NONE);
  }

  /** The value that it defines. */
  define(i: MachineInstruction, a = i.a): void {
    if (a < FIRST_VIRTUAL || i.op.a === 'read' || i.op.a === 'none') return;
    const bit = this.#definedBy.get(a);
    if (bit !== undefined) this.#put([bit]);
  }

  #add(home: Home): number {
    const bit = this.homes.length;
    this.homes.push(home);
    if (home.kind === 'allocated') {
      const list = this.#at.get(home.place);
      if (list === undefined) this.#at.set(home.place, [bit]);
      else list.push(bit);
    }
    return bit;
  }

  #put(bits: readonly number[] | undefined): void {
    for (const bit of bits ?? []) {
      if (this.isHeld(bit)) continue;
      this.held[bit >> 5] = (this.held[bit >> 5] ?? 0) | (1 << (bit & 31));
      this.version++;
    }
  }

  #clear(place: number): void {
    for (const bit of this.#at.get(place) ?? []) {
      if (!this.isHeld(bit)) continue;
      this.held[bit >> 5] = (this.held[bit >> 5] ?? 0) & ~(1 << (bit & 31));
      this.version++;
    }
  }

  #solve(initial: readonly number[]): void {
    const { blocks } = this.#fn;
    const words = this.held.length;
    for (let at = 0; at < blocks.length; at++) this.#into.push(new Int32Array(words).fill(-1));
    const first = this.#into[0];
    if (first === undefined) return;
    first.fill(0);
    for (const bit of initial) first[bit >> 5] = (first[bit >> 5] ?? 0) | (1 << (bit & 31));
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of blocks) {
        this.enter(block);
        for (const i of block.instructions) {
          this.reach(i);
          this.destroy(i);
          this.define(i);
        }
        for (const successor of successorsOf(block)) {
          const into = this.#into[successor.position] ?? bug('a block without a position');
          for (let w = 0; w < words; w++) {
            const both = (into[w] ?? 0) & (this.held[w] ?? 0);
            if (both === into[w]) continue;
            into[w] = both;
            changed = true;
          }
        }
      }
    }
  }
}

/** By its jumps: loops may have been turned since `successors` was made. */
function successorsOf({ instructions }: MachineBlock): MachineBlock[] {
  const list: MachineBlock[] = [];
  for (const i of instructions) {
    if ((i.op === M.jmp || i.op === M.jcc) && i.target !== null) list.push(i.target);
    if (i.op === M.jmptable) for (const target of i.extra?.table ?? []) if (!list.includes(target)) list.push(target);
  }
  return list;
}
