/**
 * The golden traces: recordings that every later version replays. `npm run bless` makes them again; a difference in the file
 * is a change of the machine or the format, and is reviewed as such.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildKeel, compile, packPrograms } from '../../src/compiler/index.ts';
import { openTrace, type RecordOptions, record, Timeline } from '../../src/replay/index.ts';
import { guestImage } from '../machine/system/guest.ts';
import { bareGuest, guestRecording } from './guest.ts';

export const goldenFolder = fileURLToPath(new URL('../../traces/golden/', import.meta.url));

/** What the other guest does not: it meets what is watched for, waits, speaks to the harness, and ends at what the PC does not have. */
function eventsRecording(): RecordOptions {
  const image = guestImage(`
  mov rax, 0x1234
  mov dr0, rax
  # a page of the user's, read by the supervisor; then another frame, of which the TLB is not told
  mov qword ptr [window_pt], offset page_a + 7
  mov rbx, 0x40000000
  mov rax, qword ptr [rbx]
  mov qword ptr [window_pt], offset page_b + 7
  mov rax, qword ptr [rbx]
  # HLT until the timer interrupts
  mov edx, 0xFEE00000
  mov dword ptr [rdx + 0xF0], 0x1FF
  mov dword ptr [rdx + 0x320], 0x20
  mov dword ptr [rdx + 0x380], 5000
  sti
  hlt
  cli
  mov dx, 0x6A0
  mov al, 1
  out dx, al
  # a local APIC over RAM
  mov ecx, 0x1B
  xor edx, edx
  mov eax, 0x3FF800
  wrmsr
`);
  return {
    machine: { memoryBytes: 4 << 20, seed: 'events', harness: true, watch: { supervisorUserAccess: true } },
    image: { name: 'events', bytes: image },
    limit: 100_000n,
  };
}

/** What is recorded, by the name of its file, and is the same file whenever it is recorded. */
export const goldenRecordings: Readonly<Record<string, () => RecordOptions>> = {
  'guest.mpk': () => ({ ...guestRecording(), image: bareGuest() }),
  'guest-addresses.mpk': () => ({ ...guestRecording(), image: bareGuest(), addresses: true }),
  'guest-events.mpk': eventsRecording,
};

/** A branch of a golden recording. */
export const goldenBranch = 'guest-branch.mpk';

export async function recordGoldenBranch(to?: string): Promise<Uint8Array | null> {
  const timeline = await Timeline.open(
    await openTrace((await record({ ...guestRecording(), image: bareGuest() })).trace ?? new Uint8Array(0)),
  );
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
