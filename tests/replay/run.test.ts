import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Machine, QuietHost, runOnce } from '../../src/machine/index.ts';
import {
  inspectEvents,
  inspectInstructions,
  openTrace,
  Player,
  Processes,
  type Recording,
  record,
  replay,
  type Trace,
} from '../../src/replay/index.ts';
import { walkPath } from '../../src/replay/path.ts';
import type { RunBlock } from '../../src/replay/schema.ts';
import type { PackedEvents } from '../../src/replay/trace/event-stream.ts';
import { eventsOf } from '../../src/replay/trace/run-events.ts';
import { guestImage, print } from '../machine/system/guest.ts';
import { packEvents } from './event-log.ts';
import { forge } from './forge.ts';
import { guest, guestRecording, guestText } from './guest.ts';
import { checkedSwitches } from './switches.ts';

let recording: Recording;
let bytes: Uint8Array;
let trace: Trace;
/** Shares the compiled code of the first machine. */
let like: { readonly like: Machine };

beforeAll(async () => {
  recording = await record(guestRecording());
  like = { like: recording.machine };
  bytes = recording.trace ?? new Uint8Array(0);
  trace = await openTrace(bytes);
});

describe('a recording', () => {
  test('has everything that the guest does', () => {
    expect(recording.stop).toMatchObject({ reason: 'debug-exit' });
    for (const kind of [
      'irq',
      'exception',
      'software-interrupt',
      'syscall',
      'sysret',
      'input',
      'output',
      'port-in',
      'port-out',
      'mmio',
      'msr',
      'control-register',
      'context-switch',
    ] as const)
      expect({ kind, count: recording.counts[kind] ?? 0 }).toMatchObject({ kind, count: expect.toSatisfy((count: number) => count > 0) });
    expect(new TextDecoder().decode(recording.output)).toMatch(/^(ab)+$/);
    expect(trace.checkpoints.length).toBeGreaterThan(1);
  });

  test('ends a block that its events fill where a replay ends it', async () => {
    const full = { blockInstructions: 1 << 22, checkpointInstructions: 1 << 22, limit: 1n << 23n };
    const filled = await record({ ...guestRecording({ rounds: 1, faults: 600_000 }), ...full, ...like });
    const first = (await openTrace(filled.trace ?? new Uint8Array(0))).run(0);
    expect(first.count).toBeLessThan(full.blockInstructions);
    expect((await replay(filled.trace ?? new Uint8Array(0), like)).difference).toBeNull();
  }, 60_000);

  test('ends a block among instructions that all make events, and leaves the run as it is', async () => {
    const count = 600_000;
    const image = guestImage(` cld\n mov edx, 0x80\n mov esi, 0x100000\n mov ecx, ${count}\n rep outsb\n${print('.')}`);
    const machine = { memoryBytes: 4 << 20, seed: 'outs', harness: false };
    const plain = await runOnce(machine, { image }, new QuietHost(), { limit: 1n << 23n });
    const recorded = await record({ machine, image: { name: 'outs', bytes: image } });
    expect(recorded).toMatchObject({ ...plain, counts: { 'port-out': expect.toSatisfy((told: number) => told > count) } });
    expect((await openTrace(recorded.trace ?? new Uint8Array(0))).runs).toBeGreaterThan(2);
    expect((await replay(recorded.trace ?? new Uint8Array(0))).difference).toBeNull();
  }, 60_000);

  test('takes RAM into the hash of a block before each checkpoint and at the end, and of no other', () => {
    const last = trace.runs - 1;
    const withRam = Array.from({ length: trace.runs }, (_, i) => i).filter((i) => trace.run(i).ram);
    expect(last).toBeGreaterThan(trace.checkpoints.length);
    expect(withRam.map((i) => (i === last ? recording.instructions : trace.firstOf(i + 1)))).toEqual([
      ...trace.checkpoints,
      recording.instructions,
    ]);
  });

  test('has a context switch for each CR3 write to another address space, and for no other', () => {
    const switches = checkedSwitches(trace);
    expect(switches.length).toBe(recording.counts['context-switch']);
    expect(new Set(switches.map(({ from, to }) => `${from} ${to}`)).size).toBe(2);
  });

  test('is the same file, byte for byte, when the run is recorded again', async () => {
    expect(Buffer.compare((await record({ ...guestRecording(), ...like })).trace ?? new Uint8Array(0), bytes)).toBe(0);
  });

  test('is the same file when another process in another time zone and language makes it, and replays here', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'replay-'));
    try {
      const to = join(folder, 'guest.mpk');
      const script = fileURLToPath(new URL('./record-guest.ts', import.meta.url));
      const env = { ...process.env, TZ: 'Pacific/Chatham', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8', UV_THREADPOOL_SIZE: '1' };
      const { status, stderr } = spawnSync(process.execPath, [script, to], { env, encoding: 'utf8' });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(Buffer.compare(readFileSync(to), bytes)).toBe(0);
      expect(await replay(to)).toMatchObject({ identical: true, complete: true, hash: recording.hash });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('gives the same run without a path, and with other blocks', async () => {
    for (const options of [{ path: false }, { blockInstructions: 1000, checkpointInstructions: 5000 }]) {
      const { hash, instructions, counts, machine, trace: other } = await record({ ...guestRecording(), ...options });
      expect({ hash, instructions, counts }).toEqual({
        hash: recording.hash,
        instructions: recording.instructions,
        counts: recording.counts,
      });
      expect(await replay(other ?? new Uint8Array(0), { like: machine })).toMatchObject({ identical: true });
    }
  });
});

describe('a replay', () => {
  test('is identical to the recording', async () => {
    const report = await replay(bytes, like);
    expect(report.difference).toBeNull();
    expect(report).toMatchObject({ identical: true, complete: true, instructions: recording.instructions, hash: recording.hash });
    expect(report.output).toEqual(recording.output);
  });

  test('needs images that the trace does not hold, by their hash', async () => {
    const lean = (await record({ ...guestRecording(), ...like, embed: false })).trace ?? new Uint8Array(0);
    expect(lean.length).toBeLessThan(bytes.length);
    await expect(replay(lean)).rejects.toThrow(/the trace does not hold guest; give the file whose SHA-256 is [0-9a-f]{64}/);
    await expect(replay(lean, { ...like, find: () => new Uint8Array(5) })).rejects.toThrow(/another file than the one recorded/);
    expect(await replay(lean, { ...like, find: () => guest().bytes })).toMatchObject({ identical: true, hash: recording.hash });
  });

  test('goes to any position from the nearest checkpoint', async () => {
    const { player } = { player: await Player.open(trace) };
    for (const to of [0n, 1n, 2047n, 2048n, 2049n, 6000n, recording.instructions - 1n, recording.instructions]) {
      const report = await replay(bytes, { ...like, to });
      player.seek(0n);
      player.run(to);
      expect({ to, ...report }).toMatchObject({ to, identical: true, instructions: to, hash: player.machine.hash() });
      expect(report.from).toBe(trace.checkpoints.findLast((at) => at <= to) ?? 0n);
    }
  });

  test('of a cut trace is compared up to its last whole block', async () => {
    for (const part of [0.35, 0.6, 0.8, 0.95]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * part));
      const whole = await openTrace(cut);
      const report = await replay(cut, like);
      expect(report).toMatchObject({ identical: true, complete: false, instructions: whole.instructions, cut: whole.cut });
      const player = await Player.open(whole, like);
      player.seek(whole.instructions);
      expect(report.hash).toBe(player.machine.hash());
    }
  });

  test('reports a flipped bit anywhere', async () => {
    for (let i = 0; i < 16; i++) {
      const bit = 20 * 8 + Math.floor(((bytes.length - 20) * 8 * i) / 16) + (i % 8);
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const report = await replay(flipped, like);
      expect({ bit, identical: report.identical, kind: report.difference?.kind }).toEqual({ bit, identical: false, kind: 'damage' });
    }
  });
});

describe('a forged checkpoint', () => {
  const states: [string, (state: Uint8Array) => Uint8Array][] = [
    ['empty', () => new Uint8Array(0)],
    ['cut', (state) => state.subarray(0, 700)],
    ['another', (state) => Uint8Array.from(state, (byte, i) => (i === 8 ? byte ^ 1 : byte))],
  ];
  test.each(states)('that is %s is damage, whether it is used or compared', async (_, state) => {
    const forged = await forge(bytes, -1, (run) => run, state);
    expect(await replay(forged, { ...like, to: 3000n })).toMatchObject({
      identical: false,
      difference: { kind: 'damage', message: expect.stringContaining('cannot be restored') },
    });
    expect(await replay(forged, like)).toMatchObject({ identical: false, difference: { kind: 'damage' } });
  });
});

/** The recorded bits of a block with bit `index` changed. */
const withBit =
  (index: number) =>
  (run: Parameters<Parameters<typeof forge>[2]>[0]): typeof run => {
    if (run.path === null) return run;
    const bits = run.path.bits.slice();
    bits[index >> 3] = (bits[index >> 3] ?? 0) ^ (1 << (index & 7));
    return { ...run, path: { ...run.path, bits } };
  };

describe('the first difference', () => {
  test('of a path is named by the instruction that made the bit', async () => {
    const steps = walked(2);
    const makers = steps.filter(({ text }) => /^(j(?!mp)|loop|ret|rep)/.test(text));
    for (const index of [0, 17, makers.length - 1]) {
      const { difference, identical } = await replay(await forge(bytes, 2, withBit(index)), like);
      expect(identical).toBe(false);
      expect({ index, kind: difference?.kind, at: difference?.at, rip: difference?.instruction?.rip }).toEqual({
        index,
        kind: 'path',
        at: makers[index]?.at,
        rip: makers[index]?.rip,
      });
      expect(difference?.recorded[0]).not.toBe(difference?.replayed[0]);
      expect(difference?.recorded[1]).not.toBe(difference?.replayed[1]);
      const next = steps.filter(({ at }) => at > (difference?.at ?? 0n)).slice(0, 4);
      const shown = difference?.replayed.slice(1, 1 + next.length).map((text) => text.split(' ')[0]);
      expect(shown).toEqual(next.map(({ rip }) => `0x${rip.toString(16)}`));
      expect(difference?.before).toHaveLength(8);
      expect(difference?.registers?.rip).toBeDefined();
    }
  });

  test('is the same path that goes on where the replay has ended its block, also coming from a checkpoint', async () => {
    const forged = await forge(bytes, 2, ({ path, ...run }) => {
      if (path === null) throw new Error('there is no path');
      const bits = new Uint8Array((path.bitCount + 8) >> 3);
      bits.set(path.bits);
      return { ...run, path: { ...path, bits, bitCount: path.bitCount + 1 } };
    });
    const { difference } = await replay(forged, like);
    expect(difference).toMatchObject({ kind: 'path', at: trace.firstOf(3) - 1n });
    expect(difference?.replayed[0]).toBe('no more branches');
    expect((await replay(forged, { ...like, to: trace.firstOf(3) })).difference).toEqual(difference);
  });

  test('of the events is named with both events', async () => {
    const index = Array.from({ length: trace.runs }, (_, i) => i).findIndex((i) => trace.events(i).some(({ kind }) => kind === 'port-in'));
    const forged = await forge(bytes, index, (run) => {
      const changed = eventsOf(run).map((event) => (event.kind === 'port-in' ? { ...event, value: event.value ^ 0x80 } : event));
      return { ...run, events: packEvents(changed, run.first) };
    });
    const { difference } = await replay(forged, like);
    expect(difference).toMatchObject({ kind: 'event', instruction: { text: 'in al, dx' } });
    expect(difference?.recorded[0]).toMatch(/port-in/);
    expect(difference?.replayed[0]).toMatch(/port-in/);
  });

  test('of a path without guesses is damage', async () => {
    const forged = await forge(bytes, 2, (run) => ({ ...run, path: run.path && { ...run.path, guesses: null } }));
    expect(await replay(forged, like)).toMatchObject({ identical: false, difference: { kind: 'damage' } });
  });

  test('of a context switch that was taken out, or put in, is named', async () => {
    const index = Array.from({ length: trace.runs }, (_, i) => i).findIndex((i) =>
      trace.events(i).some(({ kind }) => kind === 'context-switch'),
    );
    for (const times of [0, 2]) {
      const forged = await forge(bytes, index, (run) => {
        const changed = eventsOf(run).flatMap((event) => (event.kind === 'context-switch' ? new Array(times).fill(event) : [event]));
        return { ...run, events: packEvents(changed, run.first) };
      });
      const { identical, difference } = await replay(forged, like);
      expect({ identical, kind: difference?.kind, text: difference?.instruction?.text }).toEqual({
        identical: false,
        kind: 'event',
        text: 'mov cr3, rax',
      });
    }
  });

  const events =
    (change: (packed: PackedEvents) => PackedEvents) =>
    (run: RunBlock): RunBlock =>
      'stream' in run.events ? { ...run, events: change(run.events) } : run;
  const forgeries: [string, (run: RunBlock) => RunBlock][] = [
    ['a text that no event has', events((packed) => ({ ...packed, texts: [...packed.texts, 'unused'] }))],
    ['tags that no event has', events((packed) => ({ ...packed, tags: packed.tags | (1n << 60n) }))],
  ];
  test.each(forgeries)('is damage where a block says the same in other bytes: %s', async (_, change) => {
    const forged = await forge(bytes, 1, change);
    expect(await replay(forged, like)).toMatchObject({ identical: false, difference: { kind: 'damage' } });
  });

  test('of a state hash names the block', async () => {
    const { difference } = await replay(await forge(bytes, 1, (run) => ({ ...run, hash: '0'.repeat(16) })), like);
    expect(difference).toMatchObject({ kind: 'state', at: 1024n, recorded: ['state 0000000000000000'] });
  });

  test('with another image is the first instruction that is another one', async () => {
    const report = await replay(bytes, { ...like, image: guest({ step: 8 }).bytes });
    expect(report).toMatchObject({ identical: false, difference: { kind: 'image', instruction: { text: 'add rbp, 8' } } });
    expect(report.difference?.recorded[0]).toMatch(/add rbp, 7 {2}\(pvh_start\+0x[0-9a-f]+, guest\.s:\d+:1\)/);
    expect(report.difference?.before.at(-1)?.text).toBe('imul rbp, 0x41c64e6d');
    expect(await replay(bytes, { ...like, image: guest().bytes })).toMatchObject({ identical: true, difference: null });
  });
});

/** Every instruction of run block `index` by single steps. */
function walked(index: number): { at: bigint; rip: bigint; text: string }[] {
  const first = trace.firstOf(index);
  player.seek(first);
  const views: { at: bigint; rip: bigint; text: string }[] = [];
  for (let i = 0; i < trace.run(index).count; i++) {
    const view = player.step();
    if (view !== null) views.push({ at: view.at, rip: view.rip, text: view.text });
  }
  return views;
}

let player: Player;

beforeAll(async () => {
  player = await Player.open(trace, like);
});

describe('the path', () => {
  test('with the code gives every instruction that single steps find', async () => {
    const other = await Player.open(trace, like);
    for (let index = 0; index < trace.runs; index += 5) {
      const steps = walked(index);
      other.seek(trace.firstOf(index));
      const path = [...walkPath(trace.run(index), trace.events(index), (_, rip) => modeAt(other, rip))];
      expect(path.map(({ at, rip }) => ({ at, rip }))).toEqual(steps.map(({ at, rip }) => ({ at, rip })));
    }
  });
});

/** The guest's code never changes; its mode does, in the first block. */
function modeAt(at: Player, rip: bigint): ReturnType<Player['code']> {
  const code = at.code(rip);
  return { bytes: code.bytes, mode: rip < longMode ? 32 : 64 };
}

const longMode = (() => {
  const text = guest().bytes;
  const marker = Buffer.from([0x66, 0xb8, 0x10, 0x00, 0x8e, 0xd8]); // mov ax, 0x10; mov ds, eax
  return 0x100000n + BigInt(Buffer.from(text).indexOf(marker) - 0x1000);
})();

describe('inspection', () => {
  test('lists events with calls by name', () => {
    const lines = [...inspectEvents(trace, { syscall: 'write' })].map(({ text }) => text);
    expect(lines[0]).toMatch(/^syscall write\(fd=1, buffer=0x[0-9a-f]+, count=2\) at 0x[0-9a-f]+$/);
    expect(lines[1]).toBe('sysret write → 1');
    const returns = [...inspectEvents(trace, { kinds: new Set(['sysret']) })];
    expect(new Set(returns.map(({ text }) => text))).toEqual(
      new Set([
        'sysret to user mode',
        'iret to user mode',
        'sysret write → 1',
        'sysret read → -EAGAIN',
        'sysret read → 66',
        'sysret read → 69',
      ]),
    );
    expect(new Set([...inspectEvents(trace, { kinds: new Set(['irq']) })].map(({ event }) => event.kind))).toEqual(new Set(['irq']));
    expect([...inspectEvents(trace, { from: 100n, to: 2000n })].every(({ event }) => event.at >= 100n && event.at < 2000n)).toBe(true);
  });

  test('names nobody where the kernel is not keel', async () => {
    expect(await Processes.open(trace, like)).toBeNull();
    const lines = [...inspectEvents(trace, { kinds: new Set(['context-switch']) })].map(({ text, names }) => [
      text.split(' ').length,
      names,
    ]);
    expect(new Set(lines.map((line) => JSON.stringify(line)))).toEqual(new Set(['[4,null]']));
  });

  test('shows any range of instructions with their symbols', async () => {
    const from = ([...inspectEvents(trace, { syscall: 'write' })][0]?.event.at ?? 0n) - 200n;
    const views = await inspectInstructions(trace, from, 300, like);
    expect(views.map(({ at }) => at)).toEqual(Array.from({ length: 300 }, (_, i) => from + BigInt(i)));
    const imul = views.find(({ text }) => text.startsWith('imul'));
    const line =
      guestText()
        .split('\n')
        .findIndex((text) => text.includes('imul')) + 1;
    expect(imul?.place).toMatchObject({ image: 'guest', symbol: expect.stringMatching(/^pvh_start\+0x/), source: `guest.s:${line}:1` });
    expect(new Set(views.map(({ cpl }) => cpl))).toEqual(new Set([0, 3]));
    expect(await inspectInstructions(trace, recording.instructions, 5)).toEqual([]);
  });
});
