/** What it costs to ask who wrote a byte of a long recording: the index beside the trace, once, and then each question. */
import { openIndex, openTrace, Player, Who } from '../src/replay/index.ts';
import type { Measured } from './measure.ts';
import { PATH, traceOf } from './peers/ours.ts';
import { type Row, row } from './rows.ts';

/** Frames that are asked for: their first bytes, in parts of what was written. */
const PLACES = [0.03, 0.21, 0.44, 0.63, 0.87] as const;

/** Of the guest with the most instructions; no row where none was recorded. */
export async function askingRows(all: readonly Measured[]): Promise<Row[]> {
  const recorded = all.filter(({ cells }) => cells.get(PATH)?.kind === 'timed');
  const longest = recorded.sort((a, b) => b.instructions - a.instructions)[0];
  if (longest === undefined) return [];
  const path = traceOf(longest.image);
  const trace = await openTrace(path);
  const player = await Player.open(trace);
  const replaying = measured(() => player.run(player.end));
  const { result: opened, ms: building } = await measuredAsync(() => openIndex(trace, path, { anew: true, player }));
  const { index, size } = opened;
  const who = await Who.open(trace, { path, index });
  const { frames } = index.written;
  const ask = (part: number): number => {
    const frame = frames[Math.floor(frames.length * part)] ?? 0;
    return measured(() => who.lastWrite({ pieces: [{ physical: BigInt(frame) * 4096n, length: 1 }] }, who.end));
  };
  ask(PLACES[0]); // compiles what all of them run
  const base = { name: 'who', image: `${longest.image.file}, ${Math.round(longest.instructions / 1e6)} M instructions` };
  return [
    row({ ...base, unit: 'bytes of index for one of the trace', ours: size / trace.size }, { of: 'ours', bound: '<', value: 1 }),
    row(
      { ...base, unit: 'times as long as a replay to build the index', ours: building / replaying },
      { of: 'ours', bound: '<', value: 4 },
    ),
    row(
      { ...base, unit: 'CPU ms, the last write of a byte, the slowest', ours: Math.max(...PLACES.map(ask)) },
      { of: 'ours', bound: '<', value: 2000 },
    ),
  ];
}

/** CPU milliseconds. */
function measured(work: () => unknown): number {
  const begin = process.cpuUsage();
  work();
  return since(begin);
}

async function measuredAsync<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly ms: number }> {
  const begin = process.cpuUsage();
  const result = await work();
  return { result, ms: since(begin) };
}

function since(begin: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
}
