/**
 * Reverse postorder and the dominator tree (Cooper, Harvey, Kennedy: "A Simple, Fast Dominance Algorithm", 2001).
 * A view of the function when it was made: make a new one when blocks or edges have changed.
 */

import { bug } from '../../machine/isa/bug.ts';
import type { Block, IrFunction } from './function.ts';

export class Dominators {
  /** The reachable blocks in reverse postorder: entry first, a block after its dominators. */
  readonly order: readonly Block[];
  /** Position in `order` by block id; -1: cannot be reached. */
  private readonly index: Int32Array;
  /** Position of the immediate dominator by position; the entry's is itself. */
  private readonly parent: Int32Array;
  /** Entry and exit times of a walk over the dominator tree, by position. */
  private readonly enter: Int32Array;
  private readonly leave: Int32Array;
  private readonly incoming: readonly (readonly Block[])[];

  constructor(fn: IrFunction) {
    this.order = reversePostorder(fn);
    const count = this.order.length;
    this.index = new Int32Array(fn.blockCount).fill(-1);
    for (let at = 0; at < count; at++) this.index[this.order[at]?.id ?? 0] = at;

    const predecessors: number[][] = Array.from({ length: count }, () => []);
    const incoming: Block[][] = Array.from({ length: fn.blockCount }, () => []);
    for (let at = 0; at < count; at++) {
      const block = this.order[at] ?? bug('a hole in the order');
      for (const { block: target } of block.terminator?.targets ?? []) {
        predecessors[this.index[target.id] ?? 0]?.push(at);
        incoming[target.id]?.push(block);
      }
    }
    this.incoming = incoming;
    this.parent = immediateDominators(predecessors);
    this.enter = new Int32Array(count);
    this.leave = new Int32Array(count);
    this.number();
  }

  isReachable(block: Block): boolean {
    return this.position(block) >= 0;
  }

  /** Position in `order`, or -1. */
  position(block: Block): number {
    return this.index[block.id] ?? -1;
  }

  /** Does every way to `b` pass `a`? A block dominates itself. Both must be reachable. */
  dominates(a: Block, b: Block): boolean {
    const x = this.position(a);
    const y = this.position(b);
    if (x < 0 || y < 0) return false;
    return (this.enter[x] ?? 0) <= (this.enter[y] ?? 0) && (this.leave[y] ?? 0) <= (this.leave[x] ?? 0);
  }

  /** The immediate dominator; null for the entry and unreachable blocks. */
  idom(block: Block): Block | null {
    const at = this.position(block);
    return at <= 0 ? null : (this.order[this.parent[at] ?? 0] ?? null);
  }

  /** Reachable blocks with an edge to `block`, once per edge. */
  predecessors(block: Block): readonly Block[] {
    return this.incoming[block.id] ?? [];
  }

  private number(): void {
    const count = this.order.length;
    const children: number[][] = Array.from({ length: count }, () => []);
    for (let at = 1; at < count; at++) children[this.parent[at] ?? 0]?.push(at);
    const stack = count > 0 ? [0] : [];
    let time = 0;
    while (stack.length > 0) {
      const at = stack.pop() ?? 0;
      if (at < 0) {
        this.leave[~at] = time++;
        continue;
      }
      this.enter[at] = time++;
      stack.push(~at, ...(children[at] ?? []));
    }
  }
}

/** Reachable blocks; of a branch, the last target comes last in postorder's reverse only if nothing else asks otherwise. */
export function reversePostorder(fn: IrFunction): Block[] {
  const [entry] = fn.blocks;
  if (entry === undefined) return [];
  const seen = new Uint8Array(fn.blockCount);
  const order: Block[] = [];
  const stack: { block: Block; next: number }[] = [{ block: entry, next: (entry.terminator?.targets.length ?? 0) - 1 }];
  seen[entry.id] = 1;
  while (stack.length > 0) {
    const top = stack[stack.length - 1] ?? bug('the stack is not empty');
    const edge = top.next >= 0 ? top.block.terminator?.targets[top.next--] : undefined;
    if (edge === undefined) {
      order.push(top.block);
      stack.pop();
    } else if (seen[edge.block.id] !== 1) {
      seen[edge.block.id] = 1;
      stack.push({ block: edge.block, next: (edge.block.terminator?.targets.length ?? 0) - 1 });
    }
  }
  return order.reverse();
}

function immediateDominators(predecessors: readonly (readonly number[])[]): Int32Array {
  const parent = new Int32Array(predecessors.length).fill(-1);
  if (parent.length > 0) parent[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let at = 1; at < parent.length; at++) {
      let best = -1;
      for (const from of predecessors[at] ?? []) {
        if ((parent[from] ?? -1) < 0) continue;
        let a = from;
        let b = best < 0 ? from : best;
        while (a !== b) {
          while (a > b) a = parent[a] ?? 0;
          while (b > a) b = parent[b] ?? 0;
        }
        best = a;
      }
      if (parent[at] !== best) {
        parent[at] = best;
        changed = true;
      }
    }
  }
  return parent;
}
