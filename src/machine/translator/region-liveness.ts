/**
 * Which status flags are needed where, over the blocks of a region (bits of a mask, in the order of STATUS).
 *
 * - *read*: an instruction on some way from here reads the flag before it is written. It must then be at hand as a value.
 * - *live*: it is read, or the region may be left while it has this value. It must then be possible to say what it is.
 */
import { bug } from '../isa/bug.ts';
import { ALL_FLAGS } from './flag-use.ts';
import type { Block } from './region-graph.ts';
import { edgesOf, type Node } from './region-structure.ts';

export interface Liveness {
  /** At the begin of each block. */
  readonly readAt: ReadonlyMap<Block, number>;
  readonly liveAt: ReadonlyMap<Block, number>;
  /** After each instruction of a block. */
  liveAfter(block: Block): readonly number[];
}

export function liveness(nodes: ReadonlyMap<Block, Node>): Liveness {
  const readAt = new Map<Block, number>();
  const liveAt = new Map<Block, number>();
  const backwards = [...nodes.values()].sort((a, b) => b.order - a.order);
  const ends = ({ end }: Block): { read: number; live: number } => {
    let [read, live] = [0, 0];
    const edges = edgesOf(end);
    if (end.kind === 'cold' || end.kind === 'indirect') live = ALL_FLAGS;
    for (const edge of edges) {
      // Before a loop header the budget is asked.
      if (!('to' in edge) || nodes.get(edge.to)?.isLoop === true) live = ALL_FLAGS;
      if (!('to' in edge)) continue;
      read |= readAt.get(edge.to) ?? 0;
      live |= liveAt.get(edge.to) ?? 0;
    }
    return { read, live };
  };
  const walk = (block: Block, tell: (i: number, live: number) => void): { read: number; live: number } => {
    let { read, live } = ends(block);
    for (let i = block.instructions.length - 1; i >= 0; i--) {
      tell(i, live);
      const { reads, writes, mayGoCold } = (block.instructions[i] ?? bug('no instruction')).form.flagUse;
      // Who writes some flags alone needs the others to be at hand: what says what the flags are is one thing for all of them.
      const kept = writes !== 0 && writes !== ALL_FLAGS ? live & ~writes : 0;
      read = (read & ~writes) | reads | kept;
      live = mayGoCold ? ALL_FLAGS : (live & ~writes) | reads;
    }
    return { read, live };
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const { block } of backwards) {
      const { read, live } = walk(block, () => {});
      if (readAt.get(block) === read && liveAt.get(block) === live) continue;
      readAt.set(block, read);
      liveAt.set(block, live);
      changed = true;
    }
  }
  return {
    readAt,
    liveAt,
    liveAfter: (block) => {
      const after: number[] = [];
      walk(block, (i, live) => {
        after[i] = live;
      });
      return after;
    },
  };
}
