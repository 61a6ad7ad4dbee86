/**
 * Where two machines part: from "the same at one stop, not at the next" to the instruction.
 *
 * 1. Two fresh machines are put at the last stop at which both were the same, and run on by halves, to the smallest count after which they differ. Where
 *    that does not show the difference again (it hangs on what the machine keeps of code that ran before), the run is repeated from power-on each time.
 * 2. The second machine is started at ever later moments of the first one's run: the latest from which it still goes wrong is the beginning of the block
 *    that is at fault. (Generated code stops exactly, but close to a stop it leaves the instructions to the interpreter: so the smallest count lies behind
 *    the fault, by the length of what it compiles as one.)
 * 3. The first machine goes through that block in single steps. Of the instructions that wrote what differs in the end, the earliest is named.
 */
import type { Registers, Tier } from '../../machine/index.ts';
import { type BlockDifference, differences, sameBlock } from '../compare.ts';
import { describeEvent } from '../describe.ts';
import type { MadeBlock } from '../engine.ts';
import type { TraceEvent } from '../events.ts';
import { type InstructionView, stepOnce, viewOf } from '../step.ts';
import type { Symbols } from '../symbols.ts';
import { registerValues, type StateDifference, stateDifference, translationTexts } from './state-difference.ts';
import { type Input, type Mark, Twin, type TwinRun } from './twin.ts';

export interface LockstepDifference {
  /** The last stop at which both were the same, and the first at which they were seen to differ. */
  readonly same: bigint;
  readonly different: bigint;
  /** The smallest count of instructions after which they differ. */
  readonly first: bigint;
  /** False where it shows only in a run from power-on. */
  readonly fromSnapshot: boolean;
  /** What differs after `first` instructions, a line each. */
  readonly lines: readonly string[];
  /** What the first machine executed from the beginning of the block at fault up to `first`; its last 64 instructions where no block was found. */
  readonly block: readonly InstructionView[];
  /** The earliest instruction of these that wrote what differs; null where none did. */
  readonly instruction: InstructionView | null;
  /** The first machine's registers before and after that instruction, and the second's after `first`: those that changed or differ. */
  readonly registers: readonly { readonly name: string; readonly before: bigint; readonly after: bigint; readonly other: bigint }[];
}

/** What is known of the run up to the difference. */
export interface Parting {
  readonly same: Mark;
  /** The stops before. */
  readonly stops: readonly bigint[];
  readonly different: bigint;
  readonly inputs: readonly Input[];
}

/** How far before the first difference the beginning of its block is looked for. */
const MOST_BACK = 4096n;
/** How much of the first machine's way is shown where no block was found. */
const SHOWN_BACK = 64n;

export async function pinpoint(
  run: TwinRun,
  tiers: readonly [Tier, Tier],
  parting: Parting,
  symbols: Symbols,
): Promise<LockstepDifference> {
  const { same, different, inputs } = parting;
  const create = async (): Promise<Pair> =>
    new Pair(await Twin.create(run, tiers[0], null), await Twin.create(run, tiers[1], null), inputs);
  const pair = await create();
  const powerOn = pair.left.mark();
  const fromSnapshot = pair.difference(same, same, [], different) !== null;
  const differs = async (at: bigint): Promise<{ pair: Pair; found: Found | null }> => {
    if (fromSnapshot) return { pair, found: pair.difference(same, same, [], at) };
    const fresh = await create();
    return { pair: fresh, found: fresh.difference(powerOn, powerOn, parting.stops, at) };
  };

  let [low, high] = [same.snapshot.count, different];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if ((await differs(middle)).found === null) low = middle;
    else high = middle;
  }
  const last = await differs(high);
  const state = stateDifference(last.pair.left.machine, last.pair.right.machine);
  const lines = [...(last.found === null ? [] : tell(last.found)), ...state.lines];

  const { from, isBlock } = fromSnapshot ? beginningOf(pair, same, high) : { from: same.snapshot.count, isBlock: false };
  const shown = isBlock || high - from <= SHOWN_BACK ? from : high - SHOWN_BACK;
  const steps = walk(pair.left, same, shown, high, inputs, state, symbols);
  const culprit = earliestWriter(steps, state);
  const others = new Map([...state.registers].map(([name, [, other]]) => [name, other]));
  return {
    same: same.snapshot.count,
    different,
    first: high,
    fromSnapshot,
    lines,
    block: steps.map(({ view }) => view),
    instruction: culprit?.view ?? null,
    registers: culprit === null ? [] : changed(culprit, others),
  };
}

interface Found {
  readonly parts: readonly BlockDifference[];
  readonly stops: readonly [string, string];
}

/** The two machines, to be put where they are wanted. */
class Pair {
  readonly left: Twin;
  readonly right: Twin;
  readonly #inputs: readonly Input[];

  constructor(left: Twin, right: Twin, inputs: readonly Input[]) {
    this.left = left;
    this.right = right;
    this.#inputs = inputs;
  }

  /** A later moment of the first machine's run. */
  markAt(mark: Mark, at: bigint): Mark {
    this.left.goTo(mark, this.#inputs);
    if (at > mark.snapshot.count) this.left.block(at);
    return this.left.mark();
  }

  /** Puts each at its moment, and runs both by way of `stops` to a count: in what they differ there or before; null: in nothing. */
  difference(left: Mark, right: Mark, stops: readonly bigint[], to: bigint): Found | null {
    this.left.goTo(left, this.#inputs);
    this.right.goTo(right, this.#inputs);
    for (const stop of [...stops.filter((at) => at < to), to]) {
      const [a, b] = [this.left.block(stop), this.right.block(stop)];
      const found = different(a, b);
      if (found !== null) return found;
      if (a.stop !== null && a.stop.reason !== 'limit') return null;
    }
    return null;
  }
}

function different(a: MadeBlock, b: MadeBlock): Found | null {
  const stops = [JSON.stringify(a.stop), JSON.stringify(b.stop)] as const;
  if (sameBlock(a.block, b.block) && stops[0] === stops[1]) return null;
  return { parts: differences(a.block, b.block), stops };
}

/** The latest moment of the first machine's run from which the second goes wrong before `until`. */
function beginningOf(pair: Pair, same: Mark, until: bigint): { from: bigint; isBlock: boolean } {
  const least = until - MOST_BACK > same.snapshot.count ? until - MOST_BACK : same.snapshot.count;
  const near = pair.markAt(same, least);
  for (let from = until - 1n; from >= least; from--) {
    const mark = pair.markAt(near, from);
    if (pair.difference(mark, mark, [], until) !== null) return { from, isBlock: true };
  }
  return { from: least, isBlock: false };
}

/** An instruction of the first machine's way: the registers around it, and whether it changed a word or translation that differs in the end. */
interface Step {
  readonly view: InstructionView;
  readonly before: Registers;
  readonly after: Registers;
  readonly changesOthers: boolean;
}

function walk(
  left: Twin,
  same: Mark,
  from: bigint,
  to: bigint,
  inputs: readonly Input[],
  { words, translations }: StateDifference,
  symbols: Symbols,
): Step[] {
  left.goTo(same, inputs);
  if (from > same.snapshot.count) left.block(from);
  const { machine } = left;
  const values = (): string => {
    const known = translations.length === 0 ? new Set() : translationTexts(machine);
    return [...words.map((at) => machine.ram.getBigUint64(at, true)), ...translations.map((text) => known.has(text))].join();
  };
  const steps: Step[] = [];
  let before = machine.registers();
  let held = values();
  while (machine.count < to) {
    const executed = stepOnce(machine, (until) => left.run(until));
    if (executed === null) break;
    const [after, now] = [machine.registers(), values()];
    steps.push({ view: viewOf(executed, symbols), before, after, changesOthers: now !== held });
    before = after;
    held = now;
  }
  return steps;
}

/** Of the last writers of all that differs the earliest. */
function earliestWriter(steps: readonly Step[], { registers, words, translations }: StateDifference): Step | null {
  const writers: number[] = [];
  for (const name of registers.keys())
    writers.push(steps.findLastIndex(({ before, after }) => registerValues(before).get(name) !== registerValues(after).get(name)));
  if (words.length + translations.length > 0) writers.push(steps.findLastIndex(({ changesOthers }) => changesOthers));
  const known = writers.filter((index) => index >= 0);
  return known.length === 0 ? null : (steps[Math.min(...known)] ?? null);
}

function changed({ before, after }: Step, others: ReadonlyMap<string, bigint>): LockstepDifference['registers'] {
  const now = registerValues(after);
  return [...registerValues(before)]
    .map(([name, value]) => ({ name, before: value, after: now.get(name) ?? 0n, other: others.get(name) ?? now.get(name) ?? 0n }))
    .filter(({ before, after, other }) => before !== after || after !== other);
}

/** The ways in which the blocks differ, but for the hash: what is behind that is told register by register. */
function tell({ parts, stops }: Found): string[] {
  const event = (each: TraceEvent | null): string => (each === null ? 'no more events' : `${each.at} ${describeEvent(each)}`);
  const lines = parts.flatMap((part) => {
    if (part.part === 'hash') return [];
    if (part.part === 'event') return [`event: ${event(part.recorded)} against ${event(part.replayed)}`];
    return [`${part.part}${'index' in part ? ` ${part.index}` : ''}: ${part.recorded ?? 'none'} against ${part.replayed ?? 'none'}`];
  });
  return stops[0] === stops[1] ? lines : [...lines, `the run: ${stops[0]} against ${stops[1]}`];
}
