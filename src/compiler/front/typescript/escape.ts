/**
 * The escape rule: storage of a frame does not outlive the function.
 *
 * While a function is lowered, an `EscapeGraph` collects how references flow. Nodes are numbers; each has a set of *origins*, bits that say
 * where what it points to may live: FRAME (this frame), LOOP (made anew in each turn of a loop), or parameter i; none means static. Edges
 * carry origins on. What a reference in an object's field points to has the object's origins, too: so a frame object may hold other
 * frame objects. `solve` finds, to a fixed point over all functions, what each function does with its parameters (keeps it in static
 * storage; stores it in what another parameter points to; returns it), and reports the places that break the rule.
 */

import type ts from 'typescript';
import type { Code } from '../../diagnostics.ts';

/** A node of a graph; `STATIC` points to nothing that ends. */
export type Origin = number;
export const STATIC: Origin = -1;

const FRAME = 1;
const LOOP = 2;
/** Parameters beyond the width of a bit set share the last bit. */
const LAST = 29;
const paramBit = (index: number): number => 1 << Math.min(index + 2, LAST + 1);

/** A function as far as the rule is concerned. */
export interface Subject {
  readonly params: readonly { readonly name: string }[];
  readonly escape: EscapeGraph | null;
}

interface Store {
  readonly object: Origin;
  readonly value: Origin;
  readonly node: ts.Node;
}

interface Call {
  /** Null: through a pointer of function type `type`. */
  readonly callee: Subject | null;
  readonly type: number;
  readonly args: readonly Origin[];
  readonly result: Origin;
  readonly node: ts.Node;
  readonly name: string;
  /** The index in `args` of the callee's first declared parameter. */
  readonly first: number;
}

export class EscapeGraph {
  /** By node: its own bits. */
  readonly bits: number[] = [FRAME, LOOP | FRAME];
  readonly edges: { readonly from: Origin; readonly to: Origin }[] = [];
  readonly stores: Store[] = [];
  readonly returns: { readonly value: Origin; readonly node: ts.Node }[] = [];
  readonly outliving: { readonly value: Origin; readonly node: ts.Node }[] = [];
  readonly calls: Call[] = [];
  // What the function does with its parameters, found by `solve`.
  keeps = 0;
  returned = 0;
  /** `value` bit → bits of the parameters in whose objects it is stored. */
  readonly storesInto = new Map<number, number>();

  readonly frame: Origin = 0;
  readonly loop: Origin = 1;

  node(bits = 0): Origin {
    this.bits.push(bits);
    return this.bits.length - 1;
  }

  param(index: number): Origin {
    return this.node(paramBit(index));
  }

  flow(from: Origin, to: Origin): void {
    if (from !== STATIC && to !== STATIC && from !== to) this.edges.push({ from, to });
  }

  /** A node for what may come from either. */
  join(a: Origin, b: Origin): Origin {
    if (a === b || b === STATIC) return a;
    if (a === STATIC) return b;
    const joined = this.node();
    this.flow(a, joined);
    this.flow(b, joined);
    return joined;
  }

  /** A reference is stored in a field or element of what `object` points to (`STATIC`: in static storage). */
  store(object: Origin, value: Origin, node: ts.Node): void {
    if (value !== STATIC) this.stores.push({ object, value, node });
  }

  return(value: Origin, node: ts.Node): void {
    if (value !== STATIC) this.returns.push({ value, node });
  }

  /** Assigned to a variable that lives longer than a turn of the loop. */
  outlive(value: Origin, node: ts.Node): void {
    if (value !== STATIC) this.outliving.push({ value, node });
  }

  call(callee: Subject | null, type: number, args: readonly Origin[], node: ts.Node, name: string, first = 1): Origin {
    if (args.every((a) => a === STATIC)) return STATIC;
    const result = this.node();
    this.calls.push({ callee, type, args, result, node, name, first });
    return result;
  }

  /** Carries bits along edges and calls. @returns whether this function's own summary changed */
  propagate(targets: (call: Call) => readonly EscapeGraph[]): boolean {
    if (this.edges.length + this.calls.length + this.stores.length + this.returns.length === 0) return false;
    const before = this.#summary();
    let changed = true;
    const put = (to: Origin, bits: number): void => {
      const old = this.bits[to] ?? 0;
      if ((old | bits) !== old) {
        this.bits[to] = old | bits;
        changed = true;
      }
    };
    while (changed) {
      changed = false;
      for (const { from, to } of this.edges) put(to, this.of(from));
      for (const call of this.calls) {
        for (const target of targets(call)) {
          for (const [i, arg] of call.args.entries()) if (target.returned & paramBit(i)) put(call.result, this.of(arg));
        }
      }
    }
    for (const { value } of this.returns) this.returned |= this.of(value) & ~(FRAME | LOOP);
    for (const { object, value } of this.stores) this.#noteStore(object === STATIC ? 0 : this.of(object), this.of(value));
    for (const call of this.calls) {
      for (const target of targets(call)) {
        for (const [i, arg] of call.args.entries()) {
          const bit = paramBit(i);
          if (target.keeps & bit) this.#noteStore(0, this.of(arg));
          for (const [j, object] of call.args.entries()) {
            if ((target.storesInto.get(bit) ?? 0) & paramBit(j)) this.#noteStore(object === STATIC ? 0 : this.of(object), this.of(arg));
          }
        }
      }
    }
    return this.#summary() !== before;
  }

  of(node: Origin): number {
    return node === STATIC ? 0 : (this.bits[node] ?? 0);
  }

  /** What of `value` may not be stored in an object with the origins `object`; 0 is static storage. */
  static breaks(object: number, value: number): boolean {
    // Two objects of one turn may refer to each other.
    if (value & LOOP) return (object & LOOP) === 0 || (object & ~(FRAME | LOOP)) !== 0;
    return (value & FRAME) !== 0 && (object === 0 || (object & ~(FRAME | LOOP)) !== 0);
  }

  #noteStore(object: number, value: number): void {
    const params = value & ~(FRAME | LOOP);
    if (params === 0) return;
    if (object === 0) this.keeps |= params;
    for (let bit = paramBit(0); bit !== 0 && bit <= params; bit <<= 1) {
      const into = object & ~(FRAME | LOOP | bit);
      if (params & bit && into !== 0) this.storesInto.set(bit, (this.storesInto.get(bit) ?? 0) | into);
    }
  }

  #summary(): string {
    return `${this.keeps} ${this.returned} ${[...this.storesInto].join(' ')}`;
  }
}

/** Finds and reports what breaks the rule. */
export function solveEscapes<S extends Subject>(
  subjects: readonly S[],
  addressTaken: ReadonlyMap<number, readonly Subject[]>,
  report: (subject: S, node: ts.Node, code: Code, ...values: string[]) => void,
): void {
  const all = subjects.filter((i) => i.escape !== null);
  const targets = (call: Call): readonly EscapeGraph[] => {
    const callees = call.callee === null ? (addressTaken.get(call.type) ?? []) : [call.callee];
    return callees.map((c) => c.escape).filter((e) => e !== null);
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const subject of all) if (subject.escape?.propagate(targets)) changed = true;
  }
  for (const instance of all) {
    const graph = instance.escape;
    if (graph === null) continue;
    for (const { value, node } of graph.returns) if (graph.of(value) & FRAME) report(instance, node, 'P1601', 'returned');
    for (const { value, node } of graph.outliving) {
      if (graph.of(value) & LOOP) report(instance, node, 'P1601', 'kept beyond its turn of the loop');
    }
    for (const { object, value, node } of graph.stores) {
      if (EscapeGraph.breaks(object === STATIC ? 0 : graph.of(object), graph.of(value))) report(instance, node, 'P1601', 'stored');
    }
    for (const call of graph.calls) {
      for (const target of targets(call)) {
        for (const [i, arg] of call.args.entries()) {
          const value = graph.of(arg);
          const parameter = call.callee?.params[i - call.first]?.name ?? (i < call.first ? 'this' : `${i - call.first + 1}`);
          if (target.keeps & paramBit(i) && value & (FRAME | LOOP)) report(instance, call.node, 'P1602', call.name, parameter);
          for (const [j, object] of call.args.entries()) {
            const isStored = (target.storesInto.get(paramBit(i)) ?? 0) & paramBit(j);
            if (isStored && EscapeGraph.breaks(object === STATIC ? 0 : graph.of(object), value)) {
              report(instance, call.node, 'P1602', call.name, parameter);
            }
          }
        }
      }
    }
  }
}
