/** How long it takes to show any point of a long recording, and one shortly behind a checkpoint. */
import { openTrace, Player } from '../src/replay/index.ts';
import type { Measured } from './measure.ts';
import { PATH, traceOf } from './peers/ours.ts';
import { type Row, row } from './rows.ts';

/** Where in the trace, in parts of it: spread so that no two lie near one checkpoint. */
const PLACES = [0.97, 0.11, 0.74, 0.38, 0.86, 0.23, 0.59, 0.47] as const;
/** This far behind a checkpoint. */
const NEAR = 100_000n;

/** Goes through the recording of the guest with the most instructions; no row where none was recorded. */
export async function seekingRows(all: readonly Measured[]): Promise<Row[]> {
  const recorded = all.filter(({ cells }) => cells.get(PATH)?.kind === 'timed');
  const longest = recorded.sort((a, b) => b.instructions - a.instructions)[0];
  if (longest === undefined) return [];
  const trace = await openTrace(traceOf(longest.image));
  const player = await Player.open(trace);
  const seek = (to: bigint): number => {
    const begin = process.cpuUsage();
    player.seek(to);
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1000;
  };
  seek(trace.instructions / 2n); // compiles what all of them run
  const anywhere = PLACES.map((part) => seek(BigInt(Math.floor(longest.instructions * part))));
  const near = [...trace.checkpoints].filter((_, i) => i % Math.ceil(trace.checkpoints.length / PLACES.length) === 0).reverse();
  const base = { name: 'seeking', image: `${longest.image.file}, ${Math.round(longest.instructions / 1e6)} M instructions` };
  const rows = [row({ ...base, unit: 'CPU ms, the slowest of any', ours: Math.max(...anywhere) }, { of: 'ours', bound: '<', value: 1000 })];
  if (near.length === 0) return rows;
  const behind = near.map((at) => seek(at + NEAR));
  return [
    ...rows,
    row({ ...base, unit: 'CPU ms, the slowest near a checkpoint', ours: Math.max(...behind) }, { of: 'ours', bound: '<', value: 100 }),
  ];
}
