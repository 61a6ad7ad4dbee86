/** How long it takes to show any point of a long recording, one shortly behind a checkpoint, and what lies before a point. */
import { openTrace, Player, Timeline, type Trace } from '../src/replay/index.ts';
import type { Measured } from './measure.ts';
import { PATH, traceOf } from './peers/ours.ts';
import { type Row, row } from './rows.ts';

/** Where in the trace, in parts of it: spread so that no two lie near one checkpoint. */
const PLACES = [0.97, 0.11, 0.74, 0.38, 0.86, 0.23, 0.59, 0.47] as const;
/** This far behind a checkpoint. */
const NEAR = 100_000n;
/** So many steps back at each place, … */
const STEPS = 20;
/** … and so far a search goes back that finds nothing. */
const BACK = 100_000_000n;

/** Goes through the recording of the guest with the most instructions; no row where none was recorded. */
export async function seekingRows(all: readonly Measured[]): Promise<Row[]> {
  const recorded = all.filter(({ cells }) => cells.get(PATH)?.kind === 'timed');
  const longest = recorded.sort((a, b) => b.instructions - a.instructions)[0];
  if (longest === undefined) return [];
  const begin = process.cpuUsage();
  const trace = await openTrace(traceOf(longest.image));
  const opening = cpuMs(begin);
  const player = await Player.open(trace);
  const seek = (to: bigint): number => timed(() => player.seek(to));
  seek(trace.instructions / 2n); // compiles what all of them run
  const anywhere = PLACES.map((part) => seek(BigInt(Math.floor(longest.instructions * part))));
  const near = [...trace.checkpoints].filter((_, i) => i % Math.ceil(trace.checkpoints.length / PLACES.length) === 0).reverse();
  const base = { name: 'seeking', image: `${longest.image.file}, ${Math.round(longest.instructions / 1e6)} M instructions` };
  const below = (unit: string, ours: number, value: number): Row =>
    row({ ...base, unit: `CPU ms, ${unit}`, ours }, { of: 'ours', bound: '<', value });
  const behind = near.map((at) => seek(at + NEAR));
  return [
    below('to open it', opening, 1000),
    below('the slowest of any', Math.max(...anywhere), 1000),
    ...(behind.length === 0 ? [] : [below('the slowest near a checkpoint', Math.max(...behind), 100)]),
    ...(await backwards(trace, player, below)),
  ];
}

async function backwards(trace: Trace, { machine }: Player, below: (unit: string, ours: number, value: number) => Row): Promise<Row[]> {
  const timeline = await Timeline.open(trace, { like: machine });
  const steps: number[] = [];
  const searches: number[] = [];
  const events: number[] = [];
  for (const part of PLACES) {
    timeline.seek(BigInt(Math.floor(Number(trace.instructions) * part)));
    for (let i = 0; i < STEPS; i++) steps.push(timed(() => timeline.stepBack()));
    events.push(timed(() => timeline.previousEvent({ kinds: ['irq', 'exception', 'syscall', 'port-out'] })));
    const until = timeline.position - BACK;
    // An address that no instruction has.
    if (until >= 0n) searches.push(timed(() => timeline.back({ breakpoints: [{ address: 1n }], until })));
  }
  return [
    below('the slowest step back', Math.max(...steps), 10),
    below('the event before, the slowest', Math.max(...events), 1000),
    ...(searches.length === 0
      ? []
      : [below(`back over ${Number(BACK) / 1e6} M instructions without a hit, the slowest`, Math.max(...searches), 1000)]),
  ];
}

function timed(work: () => void): number {
  const begin = process.cpuUsage();
  work();
  return cpuMs(begin);
}

function cpuMs(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
}
