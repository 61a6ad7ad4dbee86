/**
 * The golden traces: recordings that every later version replays. `npm run bless` makes them again; a difference in the file
 * is a change of the machine or the format, and is reviewed as such.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildKeel, compile, packPrograms } from '../../src/compiler/index.ts';
import { openTrace, type RecordOptions, record, Timeline } from '../../src/replay/index.ts';
import { ADDRESSES_VERSION, BRANCH_VERSION } from '../../src/replay/trace/frame.ts';
import { guestRecording } from './guest.ts';

export const goldenFolder = fileURLToPath(new URL('../../traces/golden/', import.meta.url));

/** What is recorded, by the name of its file, and is the same file whenever it is recorded. */
export const goldenRecordings: Readonly<Record<string, () => RecordOptions>> = {
  'guest.mpk': () => guestRecording(),
  'guest-addresses.mpk': () => ({ ...guestRecording(), addresses: true }),
};

/** Format versions of those that are not written in the usual one. */
export const versions: Readonly<Record<string, number>> = { 'guest-addresses.mpk': ADDRESSES_VERSION, 'guest-branch.mpk': BRANCH_VERSION };

/** A branch of a golden recording. */
export const goldenBranch = 'guest-branch.mpk';

export async function recordGoldenBranch(to?: string): Promise<Uint8Array | null> {
  const timeline = await Timeline.open(await openTrace((await record(guestRecording())).trace ?? new Uint8Array(0)));
  timeline.seek(5000n);
  const { trace } = await timeline.branch({
    parent: 'guest.mpk',
    registers: { rbx: 9n, xmm0: 1n << 127n },
    memory: [{ space: 'physical', address: 0x10_0000n, bytes: Uint8Array.of(1, 2, 3) }],
    inputs: { serial: Uint8Array.of(0x41) },
    ...(to !== undefined && { to }),
  });
  return trace;
}

/** Recordings of keel as it was when they were blessed: they hold its image, and need not be what a recording makes now. */
const keelRecordings: Readonly<Record<string, () => RecordOptions>> = {
  'hello.mpk': () => {
    const source = readFileSync(fileURLToPath(new URL('../../examples/hello.ts', import.meta.url)), 'utf8');
    const program = compile({ entry: 'hello.ts' }, new Map([['hello.ts', source]])).image;
    if (program === null) throw new Error('examples/hello.ts does not compile');
    return {
      machine: { memoryBytes: 16 << 20, seed: 'golden', harness: false },
      image: { name: 'keel', bytes: buildKeel().image },
      initrd: { name: 'initrd', bytes: packPrograms([{ path: '/bin/hello', bytes: program }], [['/bin/hello']]) },
      limit: 100_000_000n,
    };
  },
};

/** Recordings of older format versions: nobody makes them any more, and they replay for ever. */
export const oldRecordings: Readonly<Record<string, number>> = { 'hello-format-1.mpk': 1, 'hello-format-2.mpk': 2 };

/** Every file of the folder. */
export const goldenNames: readonly string[] = [goldenBranch, ...[goldenRecordings, keelRecordings, oldRecordings].flatMap(Object.keys)];

export async function blessGoldenTraces(): Promise<void> {
  mkdirSync(goldenFolder, { recursive: true });
  for (const [name, options] of Object.entries({ ...goldenRecordings, ...keelRecordings }))
    await record({ ...options(), to: join(goldenFolder, name) });
  await recordGoldenBranch(join(goldenFolder, goldenBranch));
}
