/** Rows of the result: ratios, goals, and how two results are compared. */
import { expect, it } from 'vitest';
import type { Image } from '../../bench/build.ts';
import type { Cell, Measured } from '../../bench/measure.ts';
import { comparison, load } from '../../bench/results.ts';
import { goalRows, guestRows, row, unmetLines } from '../../bench/rows.ts';

const timed = (cpuSeconds: number, traceBytes: number | null = null): Cell => ({ kind: 'timed', cpuSeconds, traceBytes });

function measured(file: string, cells: Record<string, Cell>): Measured {
  const image: Image = { name: file, file, elf64: '', initrd: null, elf32: null, process: null, lastLine: null };
  return { image, instructions: 100e6, cells: new Map(Object.entries(cells)) };
}

const all = [
  measured('syscalls', { ours: timed(1), '+ path': timed(2.5, 1e6), replay: timed(2), QEMU: timed(4), 'rr=record': timed(8, 4e6) }),
  measured('hash', { ours: timed(4), '+ path': timed(4), replay: timed(4), QEMU: timed(1), Bochs: { kind: 'not installed' } }),
];

it('a ratio says how many times better ours is', () => {
  expect(row({ name: '', image: '', unit: 'a second', ours: 10, peer: 5, peerName: 'x' }).ratio).toBe(2);
  expect(row({ name: '', image: '', unit: 'ms', ours: 10, peer: 5, peerName: 'x', better: 'less' }).ratio).toBe(0.5);
});

it('a row of each guest and other machine, with a goal where the issue sets one', () => {
  const rows = guestRows(all).map(({ image, unit, peerName, ours, peer, ratio, goal, met }) => [
    image,
    unit,
    peerName,
    ours,
    peer,
    ratio,
    goal,
    met,
  ]);
  const speed = 'M instructions a CPU second';
  expect(rows).toEqual([
    ['syscalls', speed, '+ path', 100, 40, 2.5, null, null],
    ['syscalls', speed, 'replay', 100, 50, 2, null, null],
    ['syscalls', speed, 'QEMU', 100, 25, 4, 'ratio ≥ 3', true],
    ['syscalls', speed, 'rr=record', 100, 12.5, 8, null, null],
    ['syscalls', 'bytes an instruction', 'rr=record', 0.01, 0.04, 4, null, null],
    ['hash', speed, '+ path', 25, 25, 1, null, null],
    ['hash', speed, 'replay', 25, 25, 1, null, null],
    ['hash', speed, 'QEMU', 25, 100, 0.25, null, null],
  ]);
});

it('a machine that failed has a row without figures, and its goal is not met', () => {
  const failed: Cell = { kind: 'error', message: 'another answer' };
  const ours = measured('faults', { ours: timed(1), QEMU: failed });
  expect(guestRows([ours])).toMatchObject([{ peerName: 'QEMU', ours: 100, peer: Number.NaN, ratio: Number.NaN, met: false }]);
  const theirs = { ...measured('hash', { ours: failed, QEMU: timed(1) }), instructions: Number.NaN };
  expect(guestRows([theirs])).toMatchObject([{ peerName: 'QEMU', ours: Number.NaN, ratio: Number.NaN, met: null }]);
});

it('goals over all guests are geometric means', () => {
  const rows = goalRows(all).map(({ name, ours, goal, met }) => [name, Number(ours.toFixed(4)), goal, met]);
  expect(rows).toEqual([
    ['speed of QEMU', 1, 'ours ≥ 1', true],
    ['recording, of untraced time', 1.5811, 'ours ≤ 1.25', false],
    ['replay, of recording time', 0.8944, 'ours ≤ 1', true],
    ['trace on disk', 0.01, 'ours ≤ 0.05', true],
  ]);
  const slower = [measured('hash', { ours: timed(4), '+ path': timed(5.1, 6e6), replay: timed(5.2), QEMU: timed(3.9) })];
  expect(goalRows(slower).map(({ met }) => met)).toEqual([false, false, false, false]);
});

it('says which guests keep a goal from being met, the worst first', () => {
  const guests = [
    measured('sieve', { ours: timed(1), '+ path': timed(1.5), QEMU: timed(0.5) }),
    measured('calls', { ours: timed(1), '+ path': timed(1.1), QEMU: timed(0.25) }),
    measured('nbody', { ours: timed(1), '+ path': timed(1.6), QEMU: timed(2) }),
    measured('syscalls', { ours: timed(1), QEMU: timed(2) }),
  ];
  expect(unmetLines([...guestRows(guests), ...goalRows(guests)], guests)).toEqual([
    'speed of QEMU: calls 0.250, sieve 0.500; npm run bench -- --profile calls',
    'recording, of untraced time: nbody 1.60, sieve 1.50; npm run bench -- --profile nbody',
    'syscalls: 2.00 times QEMU; npm run bench -- --profile syscalls',
  ]);
  const met = goalRows(all).filter(({ name }) => name === 'trace on disk');
  expect(unmetLines(met, all)).toEqual([]);
});

it('compares two results by ratio, row by row', () => {
  const at = (day: string, ours: number) => ({
    rows: [row({ name: 'sieve', image: 'sieve', unit: 'u', ours, peer: 4, peerName: 'QEMU' })],
    versions: {},
    date: day,
  });
  const text = comparison(at('2026-11-01T00:00:00Z', 2), at('2026-11-02T00:00:00Z', 6));
  expect(text.split('\n')[1]).toMatch(/^sieve +sieve +: QEMU +0.500 +1.50 +× 3.00$/);
});

it('a file that is no result is refused', () => {
  expect(() => load('/none')).toThrow(/^--compare \/none: ENOENT/);
  expect(() => load(new URL('../../package.json', import.meta.url).pathname)).toThrow(/it is no result of the bench$/);
});
