import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Tier } from '../../../src/machine/index.ts';
import { type BranchOptions, openTrace, Player, type Recording, record, replay, Timeline, type Trace } from '../../../src/replay/index.ts';
import { BRANCH_VERSION } from '../../../src/replay/trace/frame.ts';
import { TraceDamage } from '../../../src/replay/trace/frame-reader.ts';
import { guestRecording } from '../guest.ts';

let recording: Recording;
let trace: Trace;
let timeline: Timeline;
let events: readonly string[];

beforeAll(async () => {
  recording = await record(guestRecording({ rounds: 20, timer: 700 }));
  trace = await openTrace(recording.trace ?? new Uint8Array(0));
  timeline = await Timeline.open(trace, { like: recording.machine });
  events = eventsOf(trace);
});

const text = (value: unknown): string =>
  JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? `${each}` : each instanceof Uint8Array ? Buffer.from(each).toString('hex') : each,
  );
const eventsOf = (of: Trace, from = 0n): string[] =>
  Array.from({ length: of.runs }, (_, run) => of.events(run))
    .flat()
    .filter(({ at }) => at >= from)
    .map(text);
const bytesOf = ({ trace: bytes }: Recording): Uint8Array => bytes ?? new Uint8Array(0);

async function branch(options: Omit<BranchOptions, 'parent'> = {}, tiers: readonly Tier[] = [0]): Promise<Recording> {
  const made = await timeline.branch({ parent: 'guest.mpk', limit: 100_000n, ...options });
  for (const tier of tiers)
    expect(await replay(bytesOf(made), { tier, like: recording.machine })).toMatchObject({
      identical: true,
      complete: true,
      hash: made.hash,
      difference: null,
    });
  return made;
}

describe('a branch', () => {
  test('in which nothing is changed is the rest of the run, wherever it begins', async () => {
    await fc.assert(
      fc.asyncProperty(fc.bigInt(0n, trace.instructions - 1n), async (at) => {
        timeline.seek(at);
        const hash = timeline.machine.hash();
        const made = await branch({}, [0, 1]);
        expect([timeline.position, timeline.machine.hash()]).toEqual([at, hash]);
        expect([made.stop, made.instructions, made.hash]).toEqual([recording.stop, recording.instructions, recording.hash]);
        const own = await openTrace(bytesOf(made));
        expect(eventsOf(own)).toEqual(events.filter((_, i) => i >= events.length - eventsOf(trace, at).length));
        expect([own.version, own.start, own.instructions]).toEqual([BRANCH_VERSION, at, trace.instructions]);
      }),
      { numRuns: 4 },
    );
  }, 60_000);

  test('names its parent, its position and its changes, and is the same file when it is made again', async () => {
    timeline.seek(3000n);
    const options = {
      registers: { RBX: 2n, xmm3: 1n << 100n },
      memory: [{ space: 'physical', address: 0x10_0000n, bytes: Uint8Array.of(1) }],
    } as const;
    const made = await branch(options);
    expect(Buffer.compare(bytesOf(await branch(options)), bytesOf(made))).toBe(0);
    const { header } = await openTrace(bytesOf(made));
    expect(header.branch).toEqual({
      at: 3000n,
      parent: 'guest.mpk',
      digest: Buffer.from(trace.digest()).toString('hex'),
      changes: [
        { kind: 'register', place: 'rbx', data: Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0) },
        { kind: 'register', place: 'xmm3', data: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0, 0, 0) },
        { kind: 'physical', place: '100000', data: Uint8Array.of(1) },
      ],
    });
  });

  test('goes on with other registers', async () => {
    const call = timeline.resolve('syscall::2');
    timeline.seek(call);
    expect(timeline.machine.register(0)).not.toBe(60n);
    // exit, with 5
    const made = await branch({ registers: { rax: 60n, rdi: 5n } });
    expect(made.instructions).toBeLessThan(recording.instructions);
    expect(made.stop).toMatchObject({ reason: 'debug-exit', code: 5 });
  });

  test('goes on with other memory: data, and code that was executed already', async () => {
    const call = timeline.resolve('syscall::1');
    timeline.seek(call);
    const message = timeline.machine.register(6);
    const changed = await branch({ memory: [{ space: 'linear', address: message, bytes: Uint8Array.of(0x78) }] });
    expect(Buffer.from(changed.output).toString()).toMatch(/^(xb)+$/);
    const { rip } = timeline.machine;
    // UD2 in the place of SYSCALL: the kernel steps over one, or not, but no call is made there.
    const stopped = await branch({ memory: [{ space: 'linear', address: rip, bytes: Uint8Array.of(0x0f, 0x0b) }] });
    expect(stopped.counts.exception ?? 0).toBeGreaterThan(0);
  });

  test('goes on with page tables that were changed behind the back of the TLB', async () => {
    timeline.seek(timeline.resolve('syscall::1'));
    const { levels, physical } = timeline.machine.translate(timeline.machine.rip) ?? {};
    const entry = levels?.at(-1);
    if (entry === undefined || physical === undefined) throw new Error('code is mapped');
    await branch({ memory: [{ space: 'physical', address: entry.address, bytes: new Uint8Array(8) }] });
  });

  test('goes on with other inputs, or with none', async () => {
    timeline.seek(1000n);
    const inputs = async (made: Recording): Promise<string> => {
      const own = await openTrace(bytesOf(made));
      return Array.from({ length: own.runs }, (_, run) => own.events(run))
        .flat()
        .flatMap((event) => (event.kind === 'input' ? [Buffer.from(event.data).toString()] : []))
        .join('');
    };
    expect(await inputs(await branch())).not.toBe('');
    expect(await inputs(await timeline.branch({ parent: '', inputs: { serial: Buffer.from('x') } }))).toBe('x');
    expect(await inputs(await timeline.branch({ parent: '', inputs: { serial: new Uint8Array(0) } }))).toBe('');
  });

  test('of a branch is one, and is moved in like any trace', async () => {
    timeline.seek(2000n);
    const first = await openTrace(bytesOf(await branch({ registers: { rbp: 77n } })));
    const within = await Timeline.open(first, { like: recording.machine });
    expect([within.position, within.start, within.machine.register(5)]).toEqual([2000n, 2000n, 77n]);
    within.seek(0n);
    expect(within.position).toBe(2000n);
    within.seek(within.end);
    const end = within.machine.hash();
    within.seek(3000n);
    const second = await within.branch({ parent: 'first.mpk' });
    expect([second.hash, second.instructions]).toEqual([end, first.instructions]);
    expect(await replay(bytesOf(second))).toMatchObject({ identical: true, complete: true });
    expect((await openTrace(bytesOf(second))).header.branch).toMatchObject({ at: 3000n, parent: 'first.mpk', changes: [] });
    const fresh = await Player.open(first, { like: recording.machine });
    fc.assert(
      fc.property(fc.bigInt(0n, first.instructions), (to) => {
        within.seek(to);
        fresh.seek(2000n);
        fresh.run(to);
        expect(within.machine.hash()).toBe(fresh.machine.hash());
      }),
      { numRuns: 20 },
    );
    within.seek(first.instructions);
    expect(within.back({ breakpoints: [{ address: 1n }] })).toMatchObject({ why: 'start', position: 2000n });
  });

  test('ends where it is told to', async () => {
    timeline.seek(1234n);
    expect(await branch({ limit: 100n })).toMatchObject({ stop: { reason: 'limit' }, instructions: 1334n });
  });

  test('is not made where a change cannot be', async () => {
    timeline.seek(3000n);
    for (const [options, message] of [
      [{ registers: { cr3: 0n } }, 'register cr3 cannot be set; there are rax'],
      [{ registers: { rax: 1n << 64n } }, 'rax has 64 bits'],
      [{ registers: { rip: 1n << 60n } }, 'is not canonical'],
      [{ registers: { rflags: 1n << 17n } }, 'RFLAGS has no bits 0x20000'],
      [{ registers: { mxcsr: 1n << 16n } }, 'MXCSR has no bits 0x10000'],
      [{ memory: [{ space: 'linear', address: 1n << 40n, bytes: Uint8Array.of(1) }] }, 'there is no RAM'],
      [{ memory: [{ space: 'physical', address: 4n << 20n, bytes: Uint8Array.of(1) }] }, 'there is no RAM'],
      [{ memory: [{ space: 'physical', address: 0n, bytes: new Uint8Array((1 << 20) + 1) }] }, 'at most 1048576 at once'],
    ] as const)
      await expect(timeline.branch({ parent: 'guest.mpk', ...options }), message).rejects.toThrow(message);
  });

  test('boots no other image, and begins with its checkpoint', async () => {
    timeline.seek(3000n);
    const bytes = bytesOf(await branch());
    await expect(replay(bytes, { image: new Uint8Array(8) })).rejects.toThrow('this trace is a branch');
    const { offset } = (await openTrace(bytes)).placeOfCheckpoint(0);
    await expect(openTrace(bytes.subarray(0, offset + 40)).then((cut) => Player.open(cut))).rejects.toThrow(TraceDamage);
    expect(await replay(bytes.subarray(0, bytes.length - 400))).toMatchObject({ identical: true, complete: false });
  });
});
