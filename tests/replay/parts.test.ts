import { describe, expect, test } from 'vitest';
import { packArchive } from '../../src/compiler/image/cpio.ts';
import { QuietHost, UserError } from '../../src/machine/index.ts';
import { archiveFiles } from '../../src/replay/archive.ts';
import { BlockMaker } from '../../src/replay/block-maker.ts';
import { differences, sameBlock } from '../../src/replay/compare.ts';
import { describeEvent, resultText, switchText, syscallText } from '../../src/replay/describe.ts';
import { disassemble } from '../../src/replay/disassemble.ts';
import { Engine } from '../../src/replay/engine.ts';
import type { TraceEvent } from '../../src/replay/events.ts';
import { openTrace, record } from '../../src/replay/index.ts';
import { CountingHost, PlaybackHost } from '../../src/replay/inputs.ts';
import { engineOf } from '../../src/replay/player.ts';
import type { RunBlock } from '../../src/replay/schema.ts';
import { LAYOUT, MAX_BLOCK_EVENTS } from '../../src/replay/trace/event-stream.ts';
import { FORMAT_VERSION } from '../../src/replay/trace/frame.ts';
import { eventsOf } from '../../src/replay/trace/run-events.ts';
import { guestRecording } from './guest.ts';
import { events, run } from './sample.ts';

describe('inputs', () => {
  test('are played back at the calls at which they were given', () => {
    const script: (number | null)[] = [null, 65, null, null, 66, 67, null];
    const given: { door: 'serial' | 'program'; call: bigint; data: Uint8Array }[] = [];
    const live = new CountingHost(
      { serialInput: () => script.shift() ?? null, program: () => null, serialOutput: () => {} },
      (door, call, data) => given.push({ door, call, data }),
      () => {},
    );
    const heard = Array.from({ length: 8 }, () => live.serialInput());
    const playback = new PlaybackHost();
    playback.feed(given.map(({ door, call, data }) => ({ kind: 'input', at: 0n, source: door, call, data })));
    const again = new CountingHost(
      playback,
      () => {},
      () => {},
    );
    expect(Array.from({ length: 8 }, () => again.serialInput())).toEqual(heard);
    expect(live.calls).toEqual({ serial: 8n, program: 0n });
  });

  test('that lie before the present call are passed over', () => {
    const playback = new PlaybackHost();
    playback.feed([0n, 3n].map((call) => ({ kind: 'input', at: 0n, source: 'program', call, data: Uint8Array.of(Number(call)) })));
    expect(playback.take('program', 2n)).toBeNull();
    expect(playback.take('program', 3n)).toEqual(Uint8Array.of(3));
  });
});

describe('a block', () => {
  test('is cut where the recorder asks for it, and the run goes on as it was', async () => {
    let output = 0;
    let engine: Engine | null = null;
    const { image, machine } = guestRecording();
    const cut = (): void => {
      if (++output === 3) engine?.machine.log.full();
    };
    engine = await Engine.create(machine, { image: image.bytes }, new QuietHost(), cut, 1 << 20, undefined);
    const first = engine.block(1_000_000n, () => true);
    const count = first.block.count;
    expect(first.stop).toBeNull();
    expect(count).toBeLessThan(8000);
    const second = engine.block(1_000_000n, () => true);
    expect(second.stop).toMatchObject({ reason: 'debug-exit' });
    const whole = await record({ ...guestRecording(), host: new QuietHost(), like: engine.machine });
    expect({ end: second.block.first + BigInt(second.block.count), hash: second.block.hash }).toEqual({
      end: whole.instructions,
      hash: whole.hash,
    });
    expect(second.block.first).toBe(BigInt(count));
  });

  test('is asked to be cut before it has more events than a reader takes', async () => {
    let asked = 0;
    const { machine } = await record(guestRecording());
    const maker = new BlockMaker(machine.log);
    machine.log.full = () => asked++;
    machine.beginBlock();
    maker.begin(machine.count, 0n, 64);
    let told = 0;
    for (; asked === 0 && told < MAX_BLOCK_EVENTS; told++) maker.output(machine.count, 1);
    expect(asked).toBe(1);
    const run = maker.take(machine.count, { path: false, addresses: false }, { hash: '', ram: false });
    expect(eventsOf(run)).toHaveLength(told);
    expect(told).toBeLessThan(MAX_BLOCK_EVENTS - 1000);
    // and the smallest events there are
    asked = 0;
    machine.beginBlock();
    maker.begin(machine.count, 0n, 64);
    for (told = 0; asked === 0 && told < MAX_BLOCK_EVENTS; told += 2) {
      maker.sysret(machine.count, 0n, 'sysret');
      maker.enterUser(machine.count, 'sysret');
    }
    expect(asked).toBe(1);
    expect(told).toBeLessThan(MAX_BLOCK_EVENTS - 1000);
  });

  test('of an older version of the format that has no room left is an error of the trace', async () => {
    const trace = await openTrace(new URL('../../traces/golden/hello-format-2.mpk', import.meta.url).pathname);
    const { machine } = await engineOf(trace, {}, new PlaybackHost(), () => {});
    machine.beginBlock();
    const { tag, words } = LAYOUT.syscall;
    const fill = (): void => {
      for (let n = 0; n < MAX_BLOCK_EVENTS; n++) {
        machine.log.words.fill((n & 1) === 0 ? 0n : 1n << 62n);
        machine.log.add(tag, words, 0);
      }
    };
    expect(fill).toThrow(new UserError('a block of this trace, of format version 2, makes more events than a recording of it can hold'));
  });
});

const none = { bits: new Uint8Array(0), bitCount: 0, guesses: new Uint8Array(0), targetCount: 0, targets: new Uint8Array(0) };

describe('comparing blocks', () => {
  const make = (change: (event: TraceEvent) => TraceEvent = (event) => event): RunBlock => run(0n, 16, events.map(change), 'a'.repeat(16));

  test('the same block is the same', () => {
    expect(sameBlock(make(), make())).toBe(true);
    expect(differences(make(), make())).toEqual([]);
  });

  test('the first event that differs is named, both ways', () => {
    const other = make((event) => (event.kind === 'port-out' ? { ...event, value: 7 } : event));
    expect(sameBlock(make(), other)).toBe(false);
    expect(differences(make(), other)).toMatchObject([{ part: 'event', recorded: { kind: 'port-out', value: 0 }, replayed: { value: 7 } }]);
  });

  test('a bit, a target, the count, the hash are found', () => {
    const block = make();
    const path = block.path ?? none;
    const bits = path.bits.slice();
    bits[1] = (bits[1] ?? 0) ^ 1;
    expect(differences(block, { ...block, path: { ...path, bits } })).toEqual([{ part: 'bit', index: 8, recorded: true, replayed: false }]);
    expect(
      differences(
        block,
        { ...block, path: { ...path, guesses: Uint8Array.of(0), targetCount: 1, targets: path.targets.subarray(8) } },
        FORMAT_VERSION,
      ),
    ).toMatchObject([{ part: 'target', index: 1, replayed: null }]);
    expect(differences({ ...block, count: 17 }, block)).toEqual([{ part: 'count', recorded: 17, replayed: 16 }]);
    expect(differences(block, { ...block, hash: 'b'.repeat(16) })).toMatchObject([{ part: 'hash' }]);
  });

  test('the front of a block is compared where only that was run', () => {
    const front = run(
      0n,
      8,
      events.filter(({ at }) => at < 8n),
      'c'.repeat(16),
    );
    const path = { ...none, bits: Uint8Array.of(0b101), bitCount: 3 };
    expect(differences(make(), { ...front, path }, FORMAT_VERSION, true)).toEqual([]);
    expect(differences(make(), { ...front, path: { ...path, bits: Uint8Array.of(0b111) } }, FORMAT_VERSION, true)).toMatchObject([
      { part: 'bit', index: 1 },
    ]);
  });
});

describe('lines about events', () => {
  test('name system calls and their arguments by the table', () => {
    expect(syscallText(1n, [1n, 0x402000n, 6n, 0n, 0n, 0n])).toBe('write(fd=1, buffer=0x402000, count=6)');
    expect(syscallText(257n, [BigInt.asUintN(64, -100n), 0x1000n, 0o102n, 0o644n, 0n, 0n])).toMatch(
      /^openat\(dirfd=AT_FDCWD, path=0x1000, flags=O_RDWR\|O_CREAT, mode=0644\)$/,
    );
    expect(syscallText(9999n, [0n, 1n, 2n, 3n, 4n, 0x5000n])).toBe('syscall 0x270f(0, 1, 2, 3, 4, 0x5000)');
  });

  test('name errors', () => {
    expect(resultText(BigInt.asUintN(64, -2n))).toBe('-ENOENT');
    expect(resultText(12n)).toBe('12');
    expect(resultText(0x7fff_0000_0000n)).toBe('0x7fff00000000');
  });

  test('explain page faults', () => {
    const fault: TraceEvent = { kind: 'exception', at: 0n, vector: 14, code: 6, cr2: 0x1000n, rip: 0x401000n, target: 0n };
    expect(describeEvent(fault)).toBe('exception #PF code=0x6 write of 0x1000 by user, page not present at 0x401000');
  });

  test('name both sides of a context switch', () => {
    const event = { kind: 'context-switch', at: 0n, from: 0x1000n, fromPcid: 0, to: 0x2000n, toPcid: 7 } as const;
    expect(describeEvent(event)).toBe('context-switch 0x1000 → 0x2000 PCID 7');
    expect(switchText(event, { from: 'kernel', to: 'pid 1 init' })).toBe('context-switch 0x1000 (kernel) → 0x2000 PCID 7 (pid 1 init)');
    expect(switchText(event, { from: null, to: 'kernel' })).toBe('context-switch 0x1000 → 0x2000 PCID 7 (kernel)');
  });

  test('there is one for every kind', () => {
    for (const event of events) expect(describeEvent(event).length).toBeGreaterThan(3);
  });
});

describe('small readers', () => {
  test('archives give their files', () => {
    const files = [
      { path: '/bin/a', bytes: Uint8Array.of(1, 2, 3) },
      { path: '/etc/programs', bytes: new TextEncoder().encode('/bin/a\n') },
    ];
    const archive = packArchive(files);
    expect(archiveFiles(archive).map(({ bytes }) => [...bytes])).toEqual(files.map(({ bytes }) => [...bytes]));
    for (let length = 0; length < archive.length; length += 3)
      expect(archiveFiles(archive.subarray(0, length)).length).toBeLessThanOrEqual(2);
    expect(archiveFiles(new Uint8Array(300).fill(0x30))).toEqual([]);
  });

  test('bytes are disassembled in Intel syntax', () => {
    expect(disassemble(Uint8Array.of(0x48, 0x89, 0xd8, 0x90), 0n, 64)).toEqual({ length: 3, text: 'mov rax, rbx' });
    expect(disassemble(Uint8Array.of(0x0f, 0xff), 0n, 64).text).toMatch(/ud0|bad/);
    expect(disassemble(new Uint8Array(0), 0n, 64)).toEqual({ length: 0, text: '(not mapped)' });
  });
});
