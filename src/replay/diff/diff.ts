/**
 * Two runs side by side: the last point that they have in common, the first instruction after which they differ, and what each did then.
 *
 *     const report = await diff(await openTrace('a.mpk'), await openTrace('b.mpk'));
 *     report.identical, report.state?.at, report.milestones?.next
 *
 * Runs of the same machine and images are the same as long as their blocks say so, which costs reading them; in the first block that differs both are played,
 * and the place is found by bisection over the state. Where machine or images differ there is no such place: there, and for people in any case, the first
 * difference in what the runs did to the world is told (milestones.ts).
 */
import { differences, sameBlock } from '../compare.ts';
import { describeEvent } from '../describe.ts';
import { makerOf, surroundings } from '../divergence.ts';
import { Keel } from '../keel.ts';
import { stateDifference } from '../lockstep/state-difference.ts';
import { bootOf, Player, type PlayerOptions } from '../player.ts';
import type { RunBlock } from '../schema.ts';
import type { InstructionView } from '../step.ts';
import type { Trace } from '../trace/reader.ts';
import { firstDifferentMilestone, type MilestoneDifference } from './milestones.ts';

/** What one of the runs did from the first difference on. */
export interface Side {
  /** Instructions; none where the run has ended. */
  readonly next: readonly InstructionView[];
  /** Events from that instruction on, a line each. */
  readonly events: readonly string[];
  /** Who ran, for keel; null: unknown. */
  readonly process: string | null;
}

export interface RunStateDifference {
  /** Position of the first instruction that did something else; or where one run ends. */
  readonly at: bigint;
  readonly message: string;
  /** Up to eight instructions before it, which both did. */
  readonly before: readonly InstructionView[];
  readonly sides: readonly [Side, Side];
  /**
   * The first instruction after which a register or memory differs: `at` itself, or a later one where a device differs first (a byte that waits to be read).
   * Null: none does up to the end of the block.
   */
  readonly seenAt: bigint | null;
  /** Registers that differ after `seenAt`. */
  readonly registers: ReadonlyMap<string, readonly [bigint, bigint]>;
  /** Pages of memory that differ then, the first of them, with what lies there. */
  readonly pages: readonly { readonly physical: bigint; readonly words: number; readonly symbol: string | null }[];
  readonly pageCount: number;
}

export interface DiffReport {
  readonly identical: boolean;
  /** In what the machine, its images or where they begin are not the same; empty: nothing. */
  readonly given: readonly string[];
  /** Null where what was given differs, or nothing does. */
  readonly state: RunStateDifference | null;
  /** Null where both did the same to the world. */
  readonly milestones: MilestoneDifference | null;
}

const AFTER = 8;
const MOST_EVENTS = 8;
const MOST_PAGES = 32;

export async function diff(a: Trace, b: Trace, options: PlayerOptions = {}): Promise<DiffReport> {
  const given = differentlyGiven(a, b);
  const milestones = firstDifferentMilestone(a, b);
  const state = given.length > 0 ? null : await firstDifferentState(a, b, options);
  return { identical: given.length === 0 && state === null && milestones === null, given, state, milestones };
}

function differentlyGiven(a: Trace, b: Trace): string[] {
  const [one, other] = [a.header, b.header];
  const found: string[] = [];
  const compare = (what: string, left: unknown, right: unknown): void => {
    if (left !== right) found.push(`${what}: ${left ?? 'none'} against ${right ?? 'none'}`);
  };
  compare('memory', one.machine.memoryBytes, other.machine.memoryBytes);
  compare('seed', one.machine.seed, other.machine.seed);
  compare('harness', one.machine.harness, other.machine.harness);
  compare('command line', one.append, other.append);
  for (const role of ['image', 'initrd'] as const) {
    const [left, right] = [one, other].map(({ artefacts }) => artefacts.find((artefact) => artefact.role === role));
    if (left?.sha256 !== right?.sha256)
      compare(role, left && `${left.name} ${left.sha256.slice(0, 12)}`, right && `${right.name} ${right.sha256.slice(0, 12)}`);
  }
  const branch = ({ header }: Trace): string | null => header.branch && `at ${header.branch.at} of ${header.branch.digest}`;
  compare('branch', branch(a), branch(b));
  return found;
}

/** The players of both runs, which stand at one position. */
interface Pair {
  /** What both boot. */
  readonly image: Uint8Array;
  readonly a: Player;
  readonly b: Player;
}

async function firstDifferentState(a: Trace, b: Trace, options: PlayerOptions): Promise<RunStateDifference | null> {
  const index = firstDifferentBlock(a, b);
  if (index === null) return null;
  const [runA, runB] = [a, b].map((trace) => (index < trace.runs ? trace.run(index) : null)) as [RunBlock | null, RunBlock | null];
  const playerA = await Player.open(a, options);
  const pair = { image: bootOf(a, options).image, a: playerA, b: await Player.open(b, { ...options, like: playerA.machine }) };
  if (runA === null || runB === null) return endOf(pair);
  const start = runA.first;
  const common = start + BigInt(Math.min(runA.count, runB.count));
  const latest = lastPlace(pair.a, runA, runB, a.version, common);
  const at = bisect(pair, start, latest);
  if (at !== null) return tell(pair, at - 1n, common, `instruction ${at - 1n} is the first after which the runs differ`);
  if (runA.count !== runB.count && !hasOtherPath(runA, runB, a.version)) return beyond(pair, common);
  return tell(pair, latest - 1n, common, `instruction ${latest - 1n} is the first at which the runs say something else`);
}

/** The first run block that is not the same in both traces; null: all are, and both traces end there. */
function firstDifferentBlock(a: Trace, b: Trace): number | null {
  const plain = (run: RunBlock): RunBlock => ({ ...run, addresses: null });
  for (let index = 0; index < a.runs && index < b.runs; index++) {
    if (a.firstOf(index) !== b.firstOf(index) || !sameBlock(plain(a.run(index)), plain(b.run(index)), a.version)) return index;
  }
  return a.runs === b.runs ? null : Math.min(a.runs, b.runs);
}

function inCommon(a: RunBlock, b: RunBlock, version: number) {
  const [longer, shorter] = a.count >= b.count ? [a, b] : [b, a];
  return differences({ ...longer, addresses: null }, { ...shorter, addresses: null }, version, longer.count > shorter.count);
}

function hasOtherPath(a: RunBlock, b: RunBlock, version: number): boolean {
  return inCommon(a, b, version).some(({ part }) => part !== 'count' && part !== 'hash');
}

/** A position at which the runs differ at the latest, by what path and events of a block say. */
function lastPlace(player: Player, a: RunBlock, b: RunBlock, version: number, end: bigint): bigint {
  let latest = end;
  for (const difference of inCommon(a, b, version)) {
    let at = end;
    if (difference.part === 'event') {
      for (const event of [difference.recorded, difference.replayed]) if (event !== null) at = earlier(at, event.at + 1n);
    } else if (difference.part === 'bit' || difference.part === 'target')
      at = makerOf(player, a.first, a.count, difference.part, difference.index) + 1n;
    latest = earlier(latest, at);
  }
  return latest;
}

/**
 * The first position in (from, to] at which the machines are not in the same state; null: at `to` they are. At `from` they are the same. The pair stands
 * somewhere in between afterwards.
 */
function bisect(pair: Pair, from: bigint, to: bigint, isSame: (pair: Pair) => boolean = isSameState): bigint | null {
  seek(pair, from);
  const back = marks(pair);
  let restore = back;
  run(pair, to);
  if (isSame(pair)) return null;
  let [low, high] = [from, to];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    restore();
    run(pair, middle);
    if (isSame(pair)) {
      low = middle;
      restore = marks(pair);
    } else high = middle;
  }
  return high;
}

function seek({ a, b }: Pair, to: bigint): void {
  a.seek(to);
  b.seek(to);
}

function run({ a, b }: Pair, to: bigint): void {
  a.run(to);
  b.run(to);
}

function isSameState({ a, b }: Pair): boolean {
  return a.position === b.position && a.machine.hash() === b.machine.hash();
}

/** Registers and memory are the same. */
function looksSame({ a, b }: Pair): boolean {
  const { registers, wordCount } = stateDifference(a.machine, b.machine);
  return a.position === b.position && registers.size === 0 && wordCount === 0;
}

function marks({ a, b }: Pair): () => void {
  const [one, other] = [a.mark(), b.mark()];
  return () => {
    one.restore();
    other.restore();
  };
}

/** The blocks are cut differently (one trace has recorded addresses, say): the runs are played on from where they are the same. */
function beyond(pair: Pair, from: bigint): RunStateDifference | null {
  const end = earlier(pair.a.end, pair.b.end);
  const step = BigInt(pair.a.trace.header.blockInstructions);
  for (let at = from; at < end; at += step) {
    const to = earlier(at + step, end);
    const found = bisect(pair, at, to);
    if (found !== null) return tell(pair, found - 1n, to, `instruction ${found - 1n} is the first after which the runs differ`);
  }
  return pair.a.end === pair.b.end ? null : endOf(pair);
}

function endOf(pair: Pair): RunStateDifference {
  const at = earlier(pair.a.end, pair.b.end);
  const which = pair.a.end < pair.b.end ? 'first' : 'second';
  const stop = (which === 'first' ? pair.a : pair.b).trace.end?.stop;
  return tell(pair, at, at, `the ${which} run ends at ${at} (${stop?.reason ?? 'its trace was cut'}), the other goes on`);
}

/** `until`: where the runs are followed to for a difference that shows in registers or memory. */
function tell(pair: Pair, at: bigint, until: bigint, message: string): RunStateDifference {
  const { before } = surroundings(pair.a, at);
  const sides = [pair.a, pair.b].map((player) => sideOf(pair, player, at)) as [Side, Side];
  const seen = bisect(pair, at, until, looksSame);
  seek(pair, seen ?? at + 1n);
  const { registers, pages } = stateDifference(pair.a.machine, pair.b.machine);
  const { symbols } = pair.a;
  return {
    at,
    message,
    before,
    sides,
    seenAt: seen === null ? null : seen - 1n,
    registers,
    pages: pages
      .slice(0, MOST_PAGES)
      .map(({ first, words }) => ({ physical: BigInt(first), words, symbol: symbols.dataAt(BigInt(first)) })),
    pageCount: pages.length,
  };
}

function sideOf(pair: Pair, player: Player, at: bigint): Side {
  player.seek(at);
  const process = Keel.of(player.machine, pair.image)?.nameOf(player.machine.cr3 & ~0xfffn) ?? null;
  const next: InstructionView[] = [];
  for (let view = player.step(); view !== null && next.length < AFTER; view = player.step()) next.push(view);
  const events: string[] = [];
  for (const event of player.events(at, player.end + 1n)) {
    events.push(`${event.at}  ${describeEvent(event)}`);
    if (events.length === MOST_EVENTS) break;
  }
  return { next, events, process };
}

function earlier(a: bigint, b: bigint): bigint {
  const [first = a] = [a, b].sort((x, y) => Number(x - y));
  return first;
}
