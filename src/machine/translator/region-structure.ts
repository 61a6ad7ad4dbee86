/**
 * The order and the nesting of a region's blocks for structured control flow (Ramsey, "Beyond Relooper", 2022): dominator tree, loop headers,
 * merge nodes. An edge that would make the graph irreducible is turned into one that leaves the region.
 */
import { bug } from '../isa/bug.ts';
import { type Block, countOf, type Edge, type End } from './region-graph.ts';

/** A block in its place. */
export interface Node {
  readonly block: Block;
  /** Its number in reverse postorder. */
  readonly order: number;
  /** Some edge comes from a block that it dominates. */
  isLoop: boolean;
  /** Several edges lead to it, those from within its own loop left out. */
  isMerge: boolean;
  /** The blocks that it dominates immediately, by order. */
  readonly children: Node[];
  /** Instructions on the longest way from its begin to the next loop header or out. */
  weight: number;
}

export function edgesOf(end: End): readonly Edge[] {
  if (end.kind === 'branch') return [end.taken, end.next];
  if (end.kind === 'indirect') return end.foreseen === null ? end.known : [end.foreseen, ...end.known];
  return end.kind === 'cold' ? [] : [end.edge];
}

export function structure(head: Block): ReadonlyMap<Block, Node> {
  for (;;) {
    const order = reversePostorder(head);
    const dominators = immediateDominators(order);
    if (!cutIrreducible(order, dominators)) return nodes(order, dominators);
  }
}

function reversePostorder(head: Block): Block[] {
  const seen = new Set<Block>();
  const done: Block[] = [];
  const visit = (block: Block) => {
    seen.add(block);
    for (const edge of [...edgesOf(block.end)].reverse()) if ('to' in edge && !seen.has(edge.to)) visit(edge.to);
    done.push(block);
  };
  visit(head);
  return done.reverse();
}

/** By number in reverse postorder (Cooper, Harvey, Kennedy). */
function immediateDominators(order: readonly Block[]): number[] {
  const number = new Map(order.map((block, i) => [block, i]));
  const predecessors: number[][] = order.map(() => []);
  for (const [i, block] of order.entries()) {
    for (const edge of edgesOf(block.end)) if ('to' in edge) predecessors[number.get(edge.to) ?? bug('an edge to nowhere')]?.push(i);
  }
  const idom: number[] = order.map(() => -1);
  idom[0] = 0;
  const meet = (a: number, b: number): number => {
    let [x, y] = [a, b];
    while (x !== y) {
      while (x > y) x = idom[x] ?? 0;
      while (y > x) y = idom[y] ?? 0;
    }
    return x;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = 1; i < order.length; i++) {
      let found = -1;
      for (const p of predecessors[i] ?? []) {
        if (idom[p] === -1) continue;
        found = found < 0 ? p : meet(found, p);
      }
      if (idom[i] === found) continue;
      idom[i] = found;
      changed = true;
    }
  }
  return idom;
}

function dominates(idom: readonly number[], a: number, b: number): boolean {
  let x = b;
  while (x > a) x = idom[x] ?? 0;
  return x === a;
}

/** Turns backward edges to blocks that do not dominate their source into edges out. True: there were some. */
function cutIrreducible(order: readonly Block[], idom: readonly number[]): boolean {
  const number = new Map(order.map((block, i) => [block, i]));
  let found = false;
  for (const [i, { end }] of order.entries()) {
    const cut = (edge: Edge): Edge => {
      if (!('to' in edge)) return edge;
      const to = number.get(edge.to) ?? bug('an edge to nowhere');
      if (to > i || dominates(idom, to, i)) return edge;
      found = true;
      return { out: edge.to.at };
    };
    if (end.kind === 'branch') {
      end.taken = cut(end.taken);
      end.next = cut(end.next);
    } else if (end.kind === 'indirect') {
      end.foreseen = end.foreseen === null ? null : cut(end.foreseen);
      end.known = end.known.map(cut).filter((edge) => 'to' in edge);
    } else if (end.kind !== 'cold') end.edge = cut(end.edge);
  }
  return found;
}

function nodes(order: readonly Block[], idom: readonly number[]): ReadonlyMap<Block, Node> {
  const all = order.map((block, i): Node => ({ block, order: i, isLoop: false, isMerge: false, children: [], weight: 0 }));
  const by = new Map(all.map((node) => [node.block, node]));
  const incoming = all.map(() => 0);
  for (const node of all) {
    if (node.order > 0) all[idom[node.order] ?? 0]?.children.push(node);
    for (const edge of edgesOf(node.block.end)) {
      if (!('to' in edge)) continue;
      const to = by.get(edge.to) ?? bug('an edge to nowhere');
      if (to.order <= node.order) to.isLoop = true;
      else incoming[to.order] = (incoming[to.order] ?? 0) + 1;
    }
  }
  for (const node of all) node.isMerge = (incoming[node.order] ?? 0) > 1;
  for (const node of [...all].reverse()) {
    let longest = 0;
    for (const edge of edgesOf(node.block.end)) {
      const to = 'to' in edge ? by.get(edge.to) : undefined;
      if (to !== undefined && !to.isLoop) longest = Math.max(longest, to.weight);
    }
    node.weight = countOf(node.block) + longest;
  }
  return by;
}
