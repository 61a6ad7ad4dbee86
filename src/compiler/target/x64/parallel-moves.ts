/**
 * Moves that happen at once, as a sequence of moves.
 */

import { bug } from '../../../machine/isa/bug.ts';

/**
 * `to[k] ← from[k]` for all k at once; the targets are all different. A move goes when nobody reads its target any more; when only
 * circles are left, one value is put aside.
 * @param temporary makes a register of the same class as the one given
 */
export function sequentialise(
  to: readonly number[],
  from: readonly number[],
  temporary: (like: number) => number,
): (readonly [to: number, from: number])[] {
  const moves: (readonly [number, number])[] = [];
  /** Where the value that was in a register at first is now needed from, by target. */
  const source = new Map<number, number>();
  const readers = new Map<number, number>();
  for (let k = 0; k < to.length; k++) {
    const target = to[k] ?? bug('a hole');
    const origin = from[k] ?? bug('more targets than sources');
    if (target === origin) continue;
    source.set(target, origin);
    readers.set(origin, (readers.get(origin) ?? 0) + 1);
  }
  const ready = [...source.keys()].filter((target) => !readers.has(target));
  while (source.size > 0) {
    const target = ready.pop();
    if (target === undefined) {
      // Only circles: free one target by putting its value aside; its one reader reads the copy.
      const [first] = source.keys();
      if (first === undefined) return bug('source is not empty');
      const aside = temporary(first);
      moves.push([aside, first]);
      for (const [reader, origin] of source) if (origin === first) source.set(reader, aside);
      readers.delete(first);
      ready.push(first);
      continue;
    }
    const origin = source.get(target);
    if (origin === undefined) return bug('a ready target has a source');
    source.delete(target);
    moves.push([target, origin]);
    const left = (readers.get(origin) ?? 1) - 1;
    readers.set(origin, left);
    if (left === 0) {
      readers.delete(origin);
      if (source.has(origin)) ready.push(origin);
    }
  }
  return moves;
}
