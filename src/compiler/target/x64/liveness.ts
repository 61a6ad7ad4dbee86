/**
 * Where virtual and fixed registers are live.
 *
 * Instructions are numbered in layout order. Instruction n reads at 2n and writes at 2n + 1; a range [from, to) is live at the points in
 * between. A register that is read last by n has a range up to 2n + 1, one that n writes has a range from there: they may share a register.
 */

import { bug } from '../../../machine/isa/bug.ts';
import { IMMEDIATE, M, type MachineBlock, type MachineFunction, type MachineInstruction } from './machine.ts';
import { FIRST_VIRTUAL, NONE, RBP, RSP } from './registers.ts';

export class Interval {
  readonly register: number;
  /** from, to, from, to … ascending, apart. */
  ranges: number[] = [];
  /** Reads and writes, those in loops counted more. */
  weight = 0;
  /** Registers that it is copied from or to: it would like to be with them. */
  readonly copies: number[] = [];

  constructor(register: number) {
    this.register = register;
  }

  get start(): number {
    return this.ranges[0] ?? 0;
  }

  get length(): number {
    let sum = 0;
    for (let k = 0; k < this.ranges.length; k += 2) sum += (this.ranges[k + 1] ?? 0) - (this.ranges[k] ?? 0);
    return sum;
  }
}

export interface Liveness {
  /** By register number: the fixed ones (below `FIRST_VIRTUAL`) where code uses them by name, then the virtual ones. */
  readonly intervals: (Interval | undefined)[];
}

/** The sets of a block, each of `words` words, one behind the other in `sets`. */
const READ = 0;
const WRITTEN = 1;
const LIVE_IN = 2;
const LIVE_OUT = 3;
const SETS = 4;
const NO_SETS = new Int32Array(0);

const DEPTH_WEIGHTS = [1, 10, 100, 1000, 10000] as const;
const COLD_WEIGHT = 0.01;

/**
 * Computes liveness, and sets `op` of `mov r, 0` to `clear` where the flags are not needed. Blocks get their positions.
 */
export function computeLiveness(fn: MachineFunction): Liveness {
  return new LivenessBuilder(fn).run();
}

class LivenessBuilder {
  private readonly fn: MachineFunction;
  private readonly intervals: (Interval | undefined)[];
  /** Number of registers that are seen in more than one block, and that number by register; -1: in one block alone. */
  private readonly globalIndex: Int32Array;
  private readonly globals: number[] = [];
  /** Ranges are made from the end: the last one is open at its start. */
  private sets: Int32Array = NO_SETS;
  private words = 0;
  private weight = 1;
  private blockStart = 0;
  /** Fixed registers that matter: without f64 values there is nobody who would want a vector register. */
  private readonly fixed: number;

  constructor(fn: MachineFunction) {
    this.fn = fn;
    this.intervals = new Array(FIRST_VIRTUAL + fn.isFloat.length);
    this.globalIndex = new Int32Array(FIRST_VIRTUAL + fn.isFloat.length).fill(-1);
    this.fixed = fn.isFloat.includes(true) ? -1 : 0xffff;
  }

  run(): Liveness {
    const { blocks } = this.fn;
    for (let at = 0; at < blocks.length; at++) (blocks[at] ?? bug('a hole')).position = at;
    this.findGlobals();
    this.solve();

    let end = 0;
    for (const block of blocks) end += block.instructions.length;
    for (let at = blocks.length - 1; at >= 0; at--) {
      const block = blocks[at] ?? bug('a hole');
      const start = end - block.instructions.length;
      this.walk(block, start, end);
      end = start;
    }
    for (const interval of this.intervals) if (interval !== undefined) reversePairs(interval.ranges);
    return { intervals: this.intervals };
  }

  private findGlobals(): void {
    const seenIn = new Int32Array(this.globalIndex.length).fill(-1);
    const see = (register: number, block: number): void => {
      if (register < FIRST_VIRTUAL) return;
      const seen = seenIn[register] ?? -1;
      if (seen < 0) seenIn[register] = block;
      else if (seen !== block && (this.globalIndex[register] ?? 0) < 0) {
        this.globalIndex[register] = this.globals.length;
        this.globals.push(register);
      }
    };
    for (const block of this.fn.blocks) {
      for (const i of block.instructions) {
        see(i.a, block.position);
        see(i.b, block.position);
        if (i.base >= FIRST_VIRTUAL) see(i.base, block.position);
        if (i.index >= FIRST_VIRTUAL) see(i.index, block.position);
      }
    }
    this.words = (this.globals.length + 31) >> 5;
  }

  /** Where the words of a block's set begin. */
  private setOf(kind: number, position: number): number {
    return (SETS * position + kind) * this.words;
  }

  /** Live-out sets of the globals, by the usual backward equations over a worklist. */
  private solve(): void {
    const { words } = this;
    if (words === 0) return;
    const { blocks } = this.fn;
    const sets = new Int32Array(SETS * words * blocks.length);
    this.sets = sets;
    const predecessors: number[][] = Array.from({ length: blocks.length }, () => []);
    for (const block of blocks) {
      this.readAndWritten(block);
      const read = this.setOf(READ, block.position);
      sets.copyWithin(this.setOf(LIVE_IN, block.position), read, read + words);
      for (const successor of block.successors) predecessors[successor.position]?.push(block.position);
    }
    const work = blocks.map((_, at) => at);
    const queued = new Uint8Array(blocks.length).fill(1);
    while (work.length > 0) {
      const at = work.pop() ?? 0;
      queued[at] = 0;
      const block = blocks[at] ?? bug('a hole');
      const out = this.setOf(LIVE_OUT, at);
      for (const successor of block.successors) {
        const from = this.setOf(LIVE_IN, successor.position);
        for (let w = 0; w < words; w++) sets[out + w] = (sets[out + w] ?? 0) | (sets[from + w] ?? 0);
      }
      const into = this.setOf(LIVE_IN, at);
      const read = this.setOf(READ, at);
      const written = this.setOf(WRITTEN, at);
      let changed = false;
      for (let w = 0; w < words; w++) {
        const next = (sets[read + w] ?? 0) | ((sets[out + w] ?? 0) & ~(sets[written + w] ?? 0));
        if (next !== sets[into + w]) {
          sets[into + w] = next;
          changed = true;
        }
      }
      if (!changed) continue;
      for (const predecessor of predecessors[at] ?? []) {
        if (queued[predecessor] === 1) continue;
        queued[predecessor] = 1;
        work.push(predecessor);
      }
    }
  }

  /** Globals that a block reads before it writes them, and those that it writes. */
  private readAndWritten(block: MachineBlock): void {
    for (const i of block.instructions) {
      if (i.b >= FIRST_VIRTUAL) this.noteRead(i.b, block.position);
      if (i.base >= FIRST_VIRTUAL) this.noteRead(i.base, block.position);
      if (i.index >= FIRST_VIRTUAL) this.noteRead(i.index, block.position);
      if (i.a < FIRST_VIRTUAL) continue;
      if (i.op.a !== 'write') this.noteRead(i.a, block.position);
      if (i.op.a !== 'read') this.noteWritten(i.a, block.position);
    }
  }

  private noteRead(register: number, position: number): void {
    const index = this.globalIndex[register] ?? -1;
    if (index < 0) return;
    const bit = 1 << (index & 31);
    const word = index >> 5;
    const { sets } = this;
    if (((sets[this.setOf(WRITTEN, position) + word] ?? 0) & bit) !== 0) return;
    const at = this.setOf(READ, position) + word;
    sets[at] = (sets[at] ?? 0) | bit;
  }

  private noteWritten(register: number, position: number): void {
    const index = this.globalIndex[register] ?? -1;
    if (index < 0) return;
    const at = this.setOf(WRITTEN, position) + (index >> 5);
    this.sets[at] = (this.sets[at] ?? 0) | (1 << (index & 31));
  }

  private walk(block: MachineBlock, start: number, end: number): void {
    this.weight = block.cold ? COLD_WEIGHT : (DEPTH_WEIGHTS[Math.min(block.depth, 4)] ?? 1);
    this.blockStart = 2 * start;
    const out = this.setOf(LIVE_OUT, block.position);
    for (let w = 0; w < this.words; w++) {
      for (let rest = this.sets[out + w] ?? 0; rest !== 0; rest &= rest - 1) {
        const register = this.globals[w * 32 + 31 - Math.clz32(rest & -rest)] ?? bug('a hole');
        this.addRange(this.interval(register), this.blockStart, 2 * end);
      }
    }
    let flagsNeeded = false;
    for (let at = end - 1; at >= start; at--) {
      const i = block.instructions[at - start] ?? bug('a hole');
      if (i.op === M.mov && i.imm === 0 && i.a >= 0 && i.b === IMMEDIATE && !flagsNeeded) {
        i.op = M.clear;
        i.b = NONE;
      }
      if (i.op.writesFlags) flagsNeeded = false;
      if (i.op.readsFlags) flagsNeeded = true;
      this.step(i, at);
    }
  }

  private step(i: MachineInstruction, at: number): void {
    const point = 2 * at;
    // Writes first: backwards, they end what is live above.
    for (let rest = i.writes & this.fixed; rest !== 0; rest &= rest - 1) this.write(31 - Math.clz32(rest & -rest), point);
    const { a } = i.op;
    if (i.a >= 0) {
      if (a === 'write') this.write(i.a, point);
      else {
        this.read(i.a, point);
        if (a === 'change') this.addRange(this.interval(i.a), this.blockStart, point + 2);
      }
    }
    if (i.b >= 0) this.read(i.b, point);
    if (i.base >= 0) this.read(i.base, point);
    if (i.index >= 0) this.read(i.index, point);
    for (let rest = i.reads; rest !== 0; rest &= rest - 1) this.read(31 - Math.clz32(rest & -rest), point);
    if ((i.op === M.mov || i.op === M.movsd || i.op === M.movclear) && i.a >= 0 && i.b >= 0) {
      this.interval(i.a).copies.push(i.b);
      this.interval(i.b).copies.push(i.a);
    }
  }

  private interval(register: number): Interval {
    let interval = this.intervals[register];
    if (interval === undefined) {
      interval = new Interval(register);
      this.intervals[register] = interval;
    }
    return interval;
  }

  private read(register: number, point: number): void {
    if (register === RSP || register === RBP) return;
    const interval = this.interval(register);
    interval.weight += this.weight;
    this.addRange(interval, this.blockStart, point + 1);
  }

  /** Live from here on: the range that is open begins here. What nobody reads is live for the moment of its being written. */
  private write(register: number, point: number): void {
    if (register === RSP || register === RBP) return;
    const interval = this.interval(register);
    interval.weight += this.weight;
    const { ranges } = interval;
    const from = ranges.length - 1;
    if (from > 0 && (ranges[from] ?? 0) <= point + 1 && (ranges[from - 1] ?? 0) > point + 1) ranges[from] = point + 1;
    else ranges.push(point + 2, point + 1);
  }

  /** Ranges are kept in reverse, as to, from pairs; the new one is not above the last. */
  private addRange(interval: Interval, from: number, to: number): void {
    const { ranges } = interval;
    const last = ranges.length - 1;
    if (last > 0 && to >= (ranges[last] ?? 0)) {
      if (to > (ranges[last - 1] ?? 0)) ranges[last - 1] = to;
      if (from < (ranges[last] ?? 0)) ranges[last] = from;
      return;
    }
    ranges.push(to, from);
  }
}

function reversePairs(ranges: number[]): void {
  ranges.reverse();
}
