/** Rows beside those of the guests: they measure what they say. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { askingRows } from '../../bench/asking.ts';
import type { Image } from '../../bench/build.ts';
import type { Measured } from '../../bench/measure.ts';
import { seekingRows } from '../../bench/seeking.ts';
import { snapshotRows } from '../../bench/snapshots.ts';
import { record } from '../../src/replay/index.ts';
import { guestImage, print } from '../machine/system/guest.ts';

it('restoring is held against copying', async () => {
  const [only, ...others] = await snapshotRows();
  expect(others).toEqual([]);
  expect(only).toMatchObject({ image: '100 dirty pages', peerName: 'copying 100 pages', goal: 'ratio ≥ 0.33' });
  expect(only?.ratio).toBeCloseTo((only?.peer ?? 0) / (only?.ours ?? 0));
  // Less than this would say that nothing was dirty; a page is copied in 10 ns at the very least.
  expect(only?.ours).toBeGreaterThan(1);
});

it('seeking and asking go through the longest recording, and through no other', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'palindrome-bench-seek-'));
  const measured = (file: string, instructions: number, kind: 'timed' | 'left out'): Measured => {
    const image: Image = { name: file, file, elf64: join(folder, file), initrd: null, elf32: null, process: null, lastLine: null };
    return { image, instructions, cells: new Map([['+ path', kind === 'timed' ? { kind, cpuSeconds: 1, traceBytes: 1 } : { kind }]]) };
  };
  try {
    const image = guestImage(` mov ecx, 300000\n1: dec ecx\n jnz 1b\n${print('.')}`);
    const machine = { memoryBytes: 4 << 20, seed: 'seek', harness: false };
    const { instructions } = await record({ machine, image: { name: 'guest', bytes: image }, to: join(folder, 'long.mpk') });
    const rows = await seekingRows([
      measured('short', 1000, 'timed'),
      measured('long', Number(instructions), 'timed'),
      measured('unrecorded', 1e9, 'left out'),
    ]);
    expect(rows.map(({ name, image, goal }) => [name, image, goal])).toEqual(
      [1000, 1000, 10, 1000].map((most) => ['seeking', 'long, 1 M instructions', `ours < ${most}`]),
    );
    expect(rows.every(({ ours }) => ours > 0)).toBe(true);
    expect(await seekingRows([measured('unrecorded', 1e9, 'left out')])).toEqual([]);
    const asked = await askingRows([measured('short', 1000, 'timed'), measured('long', Number(instructions), 'timed')]);
    expect(asked.map(({ name, image, goal }) => [name, image, goal])).toEqual([
      ['who', 'long, 1 M instructions', 'ours < 1'],
      ['who', 'long, 1 M instructions', 'ours < 4'],
      ['who', 'long, 1 M instructions', 'ours < 2000'],
    ]);
    expect(asked.every(({ ours }) => ours > 0)).toBe(true);
    expect(asked[0]?.met).toBe(true);
    expect(await askingRows([measured('unrecorded', 1e9, 'left out')])).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
