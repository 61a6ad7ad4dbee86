/**
 * Two machines in lockstep: one run, executed in two tiers at once, stopped at the same points, and compared there in state hash, events, output
 * and, where it is recorded, path. Where they part, the difference is traced back to a block and an instruction (pinpoint.ts).
 *
 *     const report = await lockstep({ machine, boot, tiers: [0, 1], host: new QuietHost(), limit: 1_000_000_000n });
 *     report.instructions, report.stops, report.difference?.instruction
 *
 * The first tier is the judge and should be 0: the interpreter stops after any instruction without running otherwise than it would have.
 */
import type { Host, Stop, Tier } from '../../machine/index.ts';
import { sameBlock } from '../compare.ts';
import type { RunBlock } from '../schema.ts';
import { Symbols } from '../symbols.ts';
import { eventsOf } from '../trace/run-events.ts';
import { type LockstepDifference, pinpoint } from './pinpoint.ts';
import { type Input, type Mark, Twin, type TwinRun } from './twin.ts';

export interface LockstepOptions extends TwinRun {
  readonly tiers: readonly [Tier, Tier];
  /** Where inputs come from: what the first machine is given, the second gets too. Output is the first machine's. */
  readonly host: Host;
  /** The run ends at this count of instructions. */
  readonly limit: bigint;
  /** Instructions to the next stop, from 1 to 2^20. Default: always 2^16. */
  readonly stride?: () => number;
  /** Told after each stop. */
  readonly progress?: (instructions: bigint) => void;
}

export interface LockstepReport {
  /** How many instructions both executed and were the same after. */
  readonly instructions: bigint;
  readonly stops: number;
  /** Why the run ended; null where the machines parted. */
  readonly end: Stop | null;
  /** The state's hash at the last stop at which they were the same. */
  readonly hash: string;
  readonly difference: LockstepDifference | null;
}

const STRIDE = 1 << 16;

/** Throws UserError where the images are bad. */
export async function lockstep(options: LockstepOptions): Promise<LockstepReport> {
  const { tiers, host } = options;
  const { end, hash, instructions, stops, inputs, parted } = runTogether(
    await Twin.create(options, tiers[0], host),
    await Twin.create(options, tiers[1], null),
    options,
  );
  if (parted === null) return { instructions, stops: stops.length, end, hash, difference: null };
  const difference = await pinpoint(options, tiers, { ...parted, stops, inputs }, symbolsOf(options, inputs));
  return { instructions, stops: stops.length, end, hash, difference };
}

/** What two machines did together. */
export interface TogetherRun {
  readonly instructions: bigint;
  /** The counts at which they were the same. */
  readonly stops: readonly bigint[];
  readonly inputs: readonly Input[];
  readonly end: Stop | null;
  readonly hash: string;
  /** Where they parted: the last moment at which they were the same, and the count at which they were not; null: they did not. */
  readonly parted: { readonly same: Mark; readonly different: bigint } | null;
}

/** Runs two machines that stand at the same moment until one ends, or they part. */
export function runTogether(
  left: Twin,
  right: Twin,
  { limit, stride = () => STRIDE, progress }: Pick<LockstepOptions, 'limit' | 'stride' | 'progress'>,
): TogetherRun {
  const inputs: Input[] = [];
  const stops: bigint[] = [];
  let hash = '';
  for (let same = left.mark(); ; same = left.mark()) {
    const next = left.machine.count + BigInt(stride());
    const to = next < limit ? next : limit;
    const a = left.block(to);
    const given = inputsOf(a.block);
    inputs.push(...given);
    right.feed(given);
    const b = right.block(to);
    if (!sameBlock(a.block, b.block) || JSON.stringify(a.stop) !== JSON.stringify(b.stop))
      return { instructions: same.snapshot.count, stops, inputs, end: null, hash, parted: { same, different: to } };
    progress?.(left.machine.count);
    stops.push(to);
    ({ hash } = a.block);
    if (a.stop !== null && (a.stop.reason !== 'limit' || to === limit))
      return { instructions: left.machine.count, stops, inputs, end: a.stop, hash, parted: null };
  }
}

function inputsOf(run: RunBlock): Input[] {
  return eventsOf(run).filter((event) => event.kind === 'input');
}

function symbolsOf({ boot: { image, initrd } }: LockstepOptions, inputs: readonly Input[]): Symbols {
  const symbols = new Symbols();
  symbols.add({ name: 'kernel', bytes: image });
  if (initrd) symbols.add({ name: 'initrd', bytes: initrd });
  for (const { source, data } of inputs) if (source === 'program') symbols.add({ name: 'program', bytes: data });
  return symbols;
}
