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

/** The goals over all guests; those whose figures are there. */
export function goalRows(all: readonly Measured[]): Row[] {
  const seconds = ({ cells }: Measured, name: string) => {
    const cell = cells.get(name);
    return cell?.kind === 'timed' ? cell.cpuSeconds : null;
  };
  /** Geometric mean of `of` over `to`, in CPU time. */
  const times = (of: string, to: string) =>
    geometricMean(
      all.flatMap((measured) => {
        const [a, b] = [seconds(measured, of), seconds(measured, to)];
        return a === null || b === null ? [] : [a / b];
      }),
    );
  const bytes = all.flatMap((measured) => traceSize(measured, PATH) ?? []);
  const unit = 'times';
  return [
    row({ name: 'speed of QEMU', image: ALL, unit, ours: times(QEMU, OURS) }, { of: 'ours', bound: '≥', value: 1 }),
    row({ name: 'recording, of untraced time', image: ALL, unit, ours: times(PATH, OURS) }, { of: 'ours', bound: '≤', value: 1.25 }),
    row({ name: 'replay, of recording time', image: ALL, unit, ours: times(REPLAY, PATH) }, { of: 'ours', bound: '≤', value: 1 }),
    row({ name: 'trace on disk', image: ALL, unit: DISK, ours: geometricMean(bytes) }, { of: 'ours', bound: '≤', value: 0.05 }),
  ].filter(({ ours }) => !Number.isNaN(ours));
}
