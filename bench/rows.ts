/** The rows of the result: each guest beside each other machine, and the goals. */
import { geometricMean, type Measured } from './measure.ts';
import { OURS, PATH, REPLAY } from './peers/ours.ts';
import { QEMU, QEMU_RECORD } from './peers/qemu.ts';

export interface Row {
  readonly name: string;
  /** The guest's file name, or what else was measured. */
  readonly image: string;
  readonly unit: string;
  /** NaN (in JSON null, here and below) where a machine failed. */
  readonly ours: number;
  /** Null where there is nothing to compare with. */
  readonly peer: number | null;
  readonly peerName: string | null;
  /** How many times better ours is; null without a peer. */
  readonly ratio: number | null;
  readonly goal: string | null;
  readonly met: boolean | null;
}

interface Goal {
  readonly of: 'ours' | 'ratio';
  readonly bound: '≥' | '≤' | '<';
  readonly value: number;
}

export const SPEED = 'M instructions a CPU second';
export const DISK = 'bytes an instruction';

/** What `image` is in a row over all guests. */
export const ALL = 'geometric mean';
const EVENT_GOAL: Goal = { of: 'ratio', bound: '≥', value: 3 };
const EVENTS = new Set(['syscalls', 'faults', 'switches']);

/** `better`: which way the unit goes. */
export function row(
  of: { name: string; image: string; unit: string; ours: number; peer?: number; peerName?: string; better?: 'more' | 'less' },
  goal: Goal | null = null,
): Row {
  const { name, image, unit, ours, peer = null, peerName = null, better = 'more' } = of;
  const ratio = peer === null ? null : better === 'more' ? ours / peer : peer / ours;
  const value = goal?.of === 'ratio' ? ratio : ours;
  const met = goal === null || value === null ? null : holds(value, goal);
  return { name, image, unit, ours, peer, peerName, ratio, goal: goal && `${goal.of} ${goal.bound} ${goal.value}`, met };
}

function holds(value: number, { bound, value: limit }: Goal): boolean {
  return bound === '≥' ? value >= limit : bound === '≤' ? value <= limit : value < limit;
}

export function guestRows(all: readonly Measured[]): Row[] {
  return all.flatMap((measured) => {
    const { image, instructions, cells } = measured;
    const base = { name: image.name, image: image.file };
    /** NaN where the machine failed, null where it was not asked. */
    const speed = (name: string): number | null => {
      const cell = cells.get(name);
      return cell?.kind === 'timed' ? instructions / cell.cpuSeconds / 1e6 : cell?.kind === 'error' ? Number.NaN : null;
    };
    const ours = speed(OURS) ?? Number.NaN;
    const speeds = [...cells.keys()].flatMap((peerName): Row[] => {
      const peer = speed(peerName);
      if (peer === null || peerName === OURS) return [];
      return [row({ ...base, unit: SPEED, ours, peer, peerName }, peerName === QEMU && EVENTS.has(image.file) ? EVENT_GOAL : null)];
    });
    const [trace, log] = [traceSize(measured, PATH), traceSize(measured, QEMU_RECORD)];
    if (trace === null || log === null) return speeds;
    return [...speeds, row({ ...base, unit: DISK, ours: trace, peer: log, peerName: QEMU_RECORD, better: 'less' })];
  });
}

/** Bytes an instruction. */
function traceSize({ cells, instructions }: Measured, name: string): number | null {
  const cell = cells.get(name);
  return cell?.kind === 'timed' && cell.traceBytes !== null ? cell.traceBytes / instructions : null;
}

/** CPU time on one machine over that on another. */
const times =
  (of: string, to: string) =>
  ({ cells }: Measured): number | null => {
    const [a, b] = [cells.get(of), cells.get(to)];
    return a?.kind === 'timed' && b?.kind === 'timed' ? a.cpuSeconds / b.cpuSeconds : null;
  };

/** What is asked of all guests together: a figure of each (null where it is not there), and the bound for their geometric mean. */
// biome-ignore format: a goal a line
export const GOALS: readonly { readonly name: string; readonly unit: string; readonly figure: (of: Measured) => number | null; readonly goal: Goal }[] = [
  { name: 'speed of QEMU',               unit: 'times', figure: times(QEMU, OURS),          goal: { of: 'ours', bound: '≥', value: 1 } },
  { name: 'recording, of untraced time', unit: 'times', figure: times(PATH, OURS),          goal: { of: 'ours', bound: '≤', value: 1.25 } },
  { name: 'replay, of recording time',   unit: 'times', figure: times(REPLAY, PATH),        goal: { of: 'ours', bound: '≤', value: 1 } },
  { name: 'trace on disk',               unit: DISK,    figure: (of) => traceSize(of, PATH), goal: { of: 'ours', bound: '≤', value: 0.05 } },
];

/** The goals over all guests; those whose figures are there. */
export function goalRows(all: readonly Measured[]): Row[] {
  return GOALS.map(({ name, unit, figure, goal }) => {
    const ours = geometricMean(all.flatMap((measured) => figure(measured) ?? []));
    return row({ name, image: ALL, unit, ours }, goal);
  }).filter(({ ours }) => !Number.isNaN(ours));
}

const MOST_NAMED = 4;

/** Of each goal over the guests that is not met: which guests keep it from being met, the worst first, and how to see where their time goes. */
export function unmetLines(rows: readonly Row[], all: readonly Measured[]): string[] {
  const isUnmet = (name: string, image: string) => rows.some((each) => each.met === false && each.name === name && each.image === image);
  const together = GOALS.flatMap(({ name, figure, goal }) => {
    if (!isUnmet(name, ALL)) return [];
    const worse = goal.bound === '≥' ? 1 : -1;
    const guilty = all
      .map((measured) => ({ image: measured.image, value: figure(measured) }))
      .filter((each): each is { image: Measured['image']; value: number } => each.value !== null && !holds(each.value, goal))
      .sort((a, b) => worse * (a.value - b.value))
      .slice(0, MOST_NAMED);
    const told = guilty.map(({ image, value }) => `${image.name} ${value.toPrecision(3)}`).join(', ');
    return [`${name}: ${told}; npm run bench -- --profile ${guilty[0]?.image.file}`];
  });
  const events = rows.flatMap(({ name, image, peerName, ratio, met }) =>
    met === false && peerName === QEMU ? [`${name}: ${ratio?.toPrecision(3)} times ${QEMU}; npm run bench -- --profile ${image}`] : [],
  );
  return [...together, ...events];
}
