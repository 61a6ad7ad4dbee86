/** What processes took goes back when they end: frames, spaces, slots, open files, pipes. And the saboteur that keeps some. */
import { expect, it } from 'vitest';
import { packArchive } from '../../src/compiler/image/cpio.ts';
import { readElf } from '../../src/compiler/index.ts';
import { buildKeel, type Keel } from '../../src/compiler/keel.ts';
import { Testbed } from '../../src/fuzz/testbed.ts';
import { MemoryView } from '../../src/replay/index.ts';
import { toolOrSkip } from '../tools.ts';
import { buildC } from './machines.ts';

interface Books {
  readonly heldFrames: number;
  /** Frames that files hold: they outlive processes. */
  readonly filePages: number;
  readonly usedSpaces: number;
  readonly usedSlots: number;
  readonly processes: number;
  readonly pages: number;
  readonly openFiles: number;
  readonly pipes: number;
}

/** Runs a program of tests/kernel/programs from the snapshot; the books before and after. */
async function booksAround(keel: Keel, program: Uint8Array): Promise<{ before: Books; after: Books }> {
  const testbed = await Testbed.create({ kernel: keel.image, memoryBytes: 64 << 20, seed: 'conservation' });
  const view = new MemoryView(testbed.machine, readElf(keel.image, 'keel.elf'), 'keel.elf');
  const number = (global: string, path: string) => view.number(view.field(view.global(global), path));
  const sum = (global: string, length: number, path: string, value = (n: number) => n) =>
    Array.from({ length }, (_, index) => value(view.number(view.field(view.element(view.global(global), index), path)))).reduce(
      (a, b) => a + b,
      0,
    );
  const some = (n: number) => (n === 0 ? 0 : 1);
  const books = (): Books => ({
    heldFrames: number('frames', 'total') - number('frames', 'free'),
    filePages: sum('files', 256, 'frames'),
    usedSpaces: sum('addressSpaces', 72, 'isUsed'),
    usedSlots: sum('processes', 64, 'state', some),
    processes: sum('domains', 16, 'processes'),
    pages: sum('domains', 16, 'pages'),
    openFiles: sum('openFiles', 512, 'kind', some),
    pipes: sum('pipes', 64, 'isUsed'),
  });
  const before = books();
  const archive = packArchive([
    { path: '/bin/program', bytes: program },
    { path: '/tmp/.keep', bytes: new Uint8Array() },
    { path: '/etc/programs', bytes: new TextEncoder().encode('/bin/program\n/bin/program\n') },
  ]);
  const outcome = testbed.run(archive, { limit: 500_000_000n });
  expect(outcome.reason).toBe('exit');
  return { before, after: books() };
}

const empty = { usedSpaces: 0, usedSlots: 0, processes: 0, pages: 0, openFiles: 0, pipes: 0 };

it.for(['processes', 'limits', 'errors', 'isolation'])('after %s everything is back', async (name, context) => {
  const { before, after } = await booksAround(buildKeel(), buildC(toolOrSkip(context, 'musl-gcc'), name));
  expect(before).toMatchObject(empty);
  expect(after).toMatchObject(empty);
  expect(after.heldFrames - after.filePages).toBe(before.heldFrames - before.filePages);
});

it('a kernel that forgets the frames of unmapped pages is found out', async (context) => {
  const keel = buildKeel({
    edits: [{ file: 'mm/address-space.ts', text: 'frames.release(this.table.unmap(page));', replacement: 'this.table.unmap(page);' }],
  });
  const { before, after } = await booksAround(keel, buildC(toolOrSkip(context, 'musl-gcc'), 'errors'));
  expect(after.heldFrames - after.filePages).toBeGreaterThan(before.heldFrames - before.filePages);
});
