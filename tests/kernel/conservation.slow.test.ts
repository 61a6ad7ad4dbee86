/** What processes took goes back when they end: frames, spaces, slots, open files, pipes. And the saboteur that keeps some. */
import { expect, it } from 'vitest';
import { packArchive } from '../../src/compiler/image/cpio.ts';
import { readElf } from '../../src/compiler/index.ts';
import { buildKeel, type Keel } from '../../src/compiler/keel.ts';
import { type Outcome, Testbed } from '../../src/fuzz/testbed.ts';
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

interface Kept {
  readonly before: Books;
  readonly after: Books;
  readonly outcome: Outcome;
  /** The frame of `fail-frame` was asked for. */
  readonly refused: boolean;
}

/** Runs programs of tests/kernel/programs from the snapshot, two of each; the books before and after. */
async function bookkeeper(keel: Keel): Promise<(program: Uint8Array, options?: string) => Kept> {
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
  const encode = (text: string) => new TextEncoder().encode(text);
  return (program, options = '') => {
    const archive = packArchive([
      { path: '/bin/program', bytes: program },
      { path: '/tmp/.keep', bytes: new Uint8Array() },
      { path: '/etc/options', bytes: encode(options) },
      { path: '/etc/programs', bytes: encode('/bin/program\n/bin/program\n') },
    ]);
    const outcome = testbed.run(archive, { limit: 500_000_000n });
    const failing = number('frames', 'failing');
    return { before, after: books(), outcome, refused: failing > 0 && number('frames', 'asked') >= failing };
  };
}

const empty = { usedSpaces: 0, usedSlots: 0, processes: 0, pages: 0, openFiles: 0, pipes: 0 };

it.for(['processes', 'limits', 'errors', 'isolation'])('after %s everything is back', async (name, context) => {
  const { before, after, outcome } = (await bookkeeper(buildKeel()))(buildC(toolOrSkip(context, 'musl-gcc'), name));
  expect(outcome.reason).toBe('exit');
  expect(before).toMatchObject(empty);
  expect(after).toMatchObject(empty);
  expect(after.heldFrames - after.filePages).toBe(before.heldFrames - before.filePages);
});

it('a kernel that forgets the frames of unmapped pages is found out', async (context) => {
  const keel = buildKeel({
    edits: [{ file: 'mm/address-space.ts', text: 'frames.release(this.table.unmap(page));', replacement: 'this.table.unmap(page);' }],
  });
  const { before, after } = (await bookkeeper(keel))(buildC(toolOrSkip(context, 'musl-gcc'), 'errors'));
  expect(after.heldFrames - after.filePages).toBeGreaterThan(before.heldFrames - before.filePages);
});

/** The books after runs of which each lacks another frame, every 29th of those that one asks for. */
async function booksWithout(keel: Keel, program: Uint8Array): Promise<Kept[]> {
  const run = await bookkeeper(keel);
  const kept: Kept[] = [];
  for (let failing = 1; kept.at(-1)?.refused !== false; failing += 29) kept.push(run(program, `fail-frame=${failing}`));
  return kept;
}

it('whichever frame is refused, the kernel goes on and everything is back', async (context) => {
  const kept = await booksWithout(buildKeel(), buildC(toolOrSkip(context, 'musl-gcc'), 'isolation'));
  for (const { before, after, outcome } of kept) {
    expect(['exit', 'signal']).toContain(outcome.reason);
    expect(after).toMatchObject(empty);
    expect(after.heldFrames - after.filePages).toBe(before.heldFrames - before.filePages);
  }
  expect(kept.length).toBeGreaterThan(10);
});

it('a kernel that forgets the space of a fork for which memory did not suffice is found out', async (context) => {
  const edits = [{ file: 'task/fork.ts', text: '    space.destroy();\n', replacement: '' }];
  const kept = await booksWithout(buildKeel({ edits }), buildC(toolOrSkip(context, 'musl-gcc'), 'isolation'));
  expect(kept.some(({ after }) => after.usedSpaces > 0)).toBe(true);
});
