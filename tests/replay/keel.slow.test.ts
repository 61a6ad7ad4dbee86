import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildKeel, compile, packPrograms, readElf } from '../../src/compiler/index.ts';
import {
  type InstructionView,
  inspectEvents,
  inspectInstructions,
  openTrace,
  Player,
  type Recording,
  type RecordOptions,
  record,
  replay,
  type Trace,
} from '../../src/replay/index.ts';
import { walkPath } from '../../src/replay/path.ts';

/** Blocks between those that are walked instruction by instruction. */
const STRIDE = 9;

let options: RecordOptions;
let recording: Recording;
let bytes: Uint8Array;
let trace: Trace;
let image: Uint8Array;
let like: Pick<Parameters<typeof record>[0], 'like'>;

beforeAll(async () => {
  const source = readFileSync(fileURLToPath(new URL('../../examples/hello.ts', import.meta.url)), 'utf8');
  const hello = compile({ entry: 'hello.ts' }, new Map([['hello.ts', source]])).image;
  const keel = buildKeel().image;
  if (hello === null || keel === null) throw new Error('hello or keel does not compile');
  image = keel;
  const initrd = packPrograms([{ path: '/bin/hello', bytes: hello }], [['/bin/hello']]);
  options = {
    machine: { memoryBytes: 32 << 20, seed: 'keel', harness: false },
    image: { name: 'keel', bytes: image },
    initrd: { name: 'initrd', bytes: initrd },
    limit: 100_000_000n,
    blockInstructions: 65_536,
    checkpointInstructions: 8 * 65_536,
  };
  recording = await record(options);
  like = { like: recording.machine };
  bytes = recording.trace ?? new Uint8Array(0);
  trace = await openTrace(bytes);
});

describe('a run of keel', () => {
  test('with addresses is the same file in both tiers, and replays', async () => {
    const made = await Promise.all(
      ([0, 1] as const).map((tier) => record({ ...options, addresses: true, machine: { ...options.machine, tier } })),
    );
    expect(Buffer.compare(made[0]?.trace ?? new Uint8Array(0), made[1]?.trace ?? new Uint8Array(1))).toBe(0);
    expect(made[0]?.hash).toBe(recording.hash);
    expect(await replay(made[0]?.trace ?? new Uint8Array(0))).toMatchObject({ identical: true, complete: true, hash: recording.hash });
  });

  test('replays identically, also from each checkpoint', async () => {
    expect(recording.stop).toEqual({ reason: 'debug-exit', code: 0 });
    expect(await replay(bytes, like)).toMatchObject({ identical: true, complete: true, hash: recording.hash });
    expect(trace.checkpoints.length).toBeGreaterThan(1);
    for (const at of trace.checkpoints)
      expect(await replay(bytes, { ...like, to: at + 100_000n })).toMatchObject({ identical: true, from: at });
  });

  test('shows the system calls of the program by name, with arguments and results', () => {
    const lines = [...inspectEvents(trace, { kinds: new Set(['syscall', 'sysret'] as const) })].map(({ text }) => text);
    const write = lines.findIndex((line) => line.startsWith('syscall write(fd=1, '));
    expect(lines[write]).toMatch(/^syscall write\(fd=1, buffer=0x[0-9a-f]+, count=19\) at 0x[0-9a-f]+$/);
    expect(lines[write + 1]).toBe('sysret write → 19');
    expect(lines.at(-1)).toMatch(/^syscall exit(_group)?\(status=0\)/);
  });

  test('names functions and source lines of keel and of the program', async () => {
    const [write] = [...inspectEvents(trace, { syscall: 'write' })];
    const views = await inspectInstructions(trace, (write?.event.at ?? 0n) - 5n, 400, like);
    expect(views[5]).toMatchObject({ text: 'syscall', cpl: 3, place: { image: expect.stringMatching(/hello$/) } });
    expect(views[6]).toMatchObject({ cpl: 0, place: { image: 'keel' } });
    const sources = views.map(({ place }) => place?.source ?? '').filter((text) => text !== '');
    expect(sources.some((text) => /kernel\/.*\.ts:\d+:\d+$/.test(text))).toBe(true);
    expect(views.every(({ place }) => place !== null)).toBe(true);
  });

  test('the path with the code of the moment gives what single steps find, in kernel and program', async () => {
    const player = await Player.open(trace, like);
    const blocks = [...Array.from({ length: Math.ceil(trace.runs / STRIDE) }, (_, i) => i * STRIDE), trace.runs - 1];
    for (const index of blocks) {
      player.seek(trace.firstOf(index));
      for (const step of walkPath(trace.run(index), trace.events(index), (_, rip) => player.code(rip))) {
        const view = player.step();
        if (view?.rip !== step.rip || view.at !== step.at || view.bytes.length !== step.decoded.length)
          expect({ index, step, view }).toBe('the same instruction');
      }
    }
  });

  test('with one bit of the kernel changed differs first at the instruction that has the bit', async () => {
    const found = await changeableInstruction();
    const other = image.slice();
    const at = fileOffset(found) + found.bytes.length - 1;
    other[at] = (other[at] ?? 0) ^ 0x40;
    const { difference, identical } = await replay(bytes, { ...like, image: other });
    expect(identical).toBe(false);
    expect({ kind: difference?.kind, at: difference?.at, rip: difference?.instruction?.rip }).toEqual({
      kind: 'image',
      at: found.at,
      rip: found.rip,
    });
    expect(difference?.recorded[0]).toContain(found.text);
    expect(difference?.replayed[0]).not.toContain(found.text);
  });
});

/** A MOV of keel's that a system call executes, and that ends in an immediate of four bytes. */
async function changeableInstruction(): Promise<InstructionView> {
  const [write] = [...inspectEvents(trace, { syscall: 'write' })];
  const views = await inspectInstructions(trace, write?.event.at ?? 0n, 600, like);
  const found = views.find(
    ({ text, cpl, bytes: { length } }) => cpl === 0 && length >= 5 && /^mov [er][a-d0-9][xid0-9]*d?, (0x)?[0-9a-f]+$/.test(text),
  );
  if (found === undefined) throw new Error('no instruction with an immediate in the system call');
  return found;
}

function fileOffset({ rip }: InstructionView): number {
  const segment = readElf(image, 'keel').segments.find(({ address, fileSize }) => rip >= address && rip < address + BigInt(fileSize));
  if (segment === undefined) throw new Error('no segment holds the instruction');
  return segment.fileOffset + Number(rip - segment.address);
}
