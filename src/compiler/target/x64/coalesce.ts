/**
 * Registers that are copied to one another and are never live at the same time become one, so that the copies vanish: parameters of loops
 * and what is passed to them above all. Copies in inner loops come first.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Interval } from './liveness.ts';
import { M, type MachineFunction } from './machine.ts';
import { FIRST_VIRTUAL } from './registers.ts';

/** Intervals of more bounds than this are left alone: comparing them again and again would cost too much. */
const BOUNDS_LIMIT = 4000;

/**
 * Joins intervals: what is joined to another one is taken out of `intervals`.
 * @returns the register that stands for a given one
 */
export function coalesce(fn: MachineFunction, intervals: (Interval | undefined)[]): (register: number) => number {
  const parents = new Int32Array(intervals.length);
  for (let register = 0; register < parents.length; register++) parents[register] = register;
  const find = (register: number): number => {
    let at = register;
    for (let up = parents[at] ?? at; up !== at; up = parents[at] ?? at) {
      parents[at] = parents[up] ?? up;
      at = up;
    }
    return at;
  };
  for (const [to, from] of copies(fn)) {
    const a = find(to);
    const b = find(from);
    if (a === b) continue;
    const x = intervals[a];
    const y = intervals[b];
    if (x === undefined || y === undefined || x.ranges.length + y.ranges.length > BOUNDS_LIMIT) continue;
    const ranges = union(x.ranges, y.ranges);
    if (ranges === null) continue;
    x.ranges = ranges;
    x.weight += y.weight;
    for (const other of y.copies) x.copies.push(other);
    intervals[b] = undefined;
    parents[b] = a;
  }
  for (const interval of intervals) {
    if (interval === undefined) continue;
    for (let k = 0; k < interval.copies.length; k++) interval.copies[k] = find(interval.copies[k] ?? 0);
  }
  return find;
}

/** Copies between virtual registers, those in inner loops first, otherwise in the order of the code. */
function copies(fn: MachineFunction): (readonly [to: number, from: number])[] {
  const byDepth: (readonly [number, number])[][] = [];
  for (const block of fn.blocks) {
    const depth = block.cold ? 0 : 1 + block.depth;
    for (const i of block.instructions) {
      if (i.op !== M.mov && i.op !== M.movsd && i.op !== M.movclear) continue;
      if (i.a >= FIRST_VIRTUAL && i.b >= FIRST_VIRTUAL) (byDepth[depth] ??= []).push([i.a, i.b]);
    }
  }
  const list: (readonly [number, number])[] = [];
  for (let depth = byDepth.length - 1; depth >= 0; depth--) list.push(...(byDepth[depth] ?? []));
  return list;
}

/** Both lists of ranges in one, ranges that touch as one; null if they overlap. */
function union(x: readonly number[], y: readonly number[]): number[] | null {
  const all: number[] = [];
  let a = 0;
  let b = 0;
  while (a < x.length || b < y.length) {
    const takeX = b >= y.length || (a < x.length && (x[a] ?? 0) < (y[b] ?? 0));
    const list = takeX ? x : y;
    const at = takeX ? a : b;
    const from = list[at] ?? bug('a hole in ranges');
    const to = list[at + 1] ?? bug('a hole in ranges');
    const last = all.length - 1;
    if (last >= 0 && from < (all[last] ?? 0)) return null;
    if (last >= 0 && from === all[last]) all[last] = to;
    else all.push(from, to);
    if (takeX) a += 2;
    else b += 2;
  }
  return all;
}
