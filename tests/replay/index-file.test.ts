/** The index beside a trace: what it answers is what a scan of the whole run finds; what is hostile in its file is made anew. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openTrace, Player, record, type Trace } from '../../src/replay/index.ts';
import { buildIndex, coarser } from '../../src/replay/index-file/build.ts';
import { Growing, type TouchColumns } from '../../src/replay/index-file/columns.ts';
import { type IndexSubject, indexBytes, indexFrom } from '../../src/replay/index-file/file.ts';
import { openIndex } from '../../src/replay/index-file/index.ts';
import { slicesOf, TouchIndex } from '../../src/replay/index-file/touch-index.ts';
import { checksums } from '../../src/replay/trace/checksum.ts';
import { Malformed } from '../../src/replay/trace/malformed.ts';
import { guestRecording } from './guest.ts';

const SLICE = 1 << 10;
const folder = mkdtempSync(join(tmpdir(), 'palindrome-index-'));
const path = join(folder, 'guest.mpk');
let trace: Trace;

beforeAll(async () => {
  await record({ ...guestRecording({ rounds: 40 }), to: path });
  trace = await openTrace(path);
});

afterAll(() => {
  trace.close();
  rmSync(folder, { recursive: true });
});

/** Frames touched by each instruction, by watching all of RAM, and by the address of each instruction. */
async function scan(): Promise<Record<'written' | 'executed', Set<number>[]>> {
  const player = await Player.open(trace);
  const { machine } = player;
  const found = { written: [] as Set<number>[], executed: [] as Set<number>[] };
  machine.probes = {
    breakpoints: [],
    watchpoints: [{ space: 'physical', address: 0n, length: machine.config.memoryBytes, access: 'write' }],
  };
  while (player.position < player.end) {
    const frames = new Set<number>();
    machine.observer = { access: (_at, { physical }) => frames.add(Number(physical >> 12n)) };
    const linear = machine.codeBits === 64 ? machine.rip : machine.registers().segments.cs.base + machine.rip;
    found.executed.push(new Set([Number((machine.translate(linear)?.physical ?? 0n) >> 12n)]));
    player.run(player.position + 1n);
    machine.observer = null;
    found.written.push(frames);
  }
  return found;
}

describe('answers', () => {
  test('the slices that were written are those in which a scan finds a write', async () => {
    const index = buildIndex(await Player.open(trace), { leastSlice: SLICE });
    const { written, executed } = await scan();
    const frames = new Set(written.flatMap((each) => [...each]));
    expect(frames.size).toBeGreaterThan(3);
    expect([...index.written.frames]).toEqual([...frames].sort((a, b) => a - b));
    for (const frame of frames) expect(slicesFound(index, 'written', frame)).toEqual(slicesWith(written, frame));
    const code = new Set(executed.flatMap((each) => [...each]));
    // Handlers are reached within a step: the scan sees the instructions that they interrupt, the index both.
    for (const frame of code) {
      const all = new Set(slicesFound(index, 'executed', frame));
      expect(slicesWith(executed, frame).every((slice) => all.has(slice))).toBe(true);
    }
  });

  test('the same slices come backwards and forwards, and a question within a slice cuts it', async () => {
    const index = buildIndex(await Player.open(trace), { leastSlice: SLICE });
    for (const frame of index.written.frames) {
      const forwards = slicesFound(index, 'written', frame);
      const backwards: number[] = [];
      for (let before = trace.instructions; ; ) {
        const range = index.previous('written', frame, before);
        if (range === null) break;
        expect(range.to - range.from).toBeLessThanOrEqual(BigInt(SLICE));
        backwards.unshift(Number(range.from) / SLICE);
        before = range.from;
      }
      expect(backwards).toEqual(forwards);
    }
    const [frame = 0] = index.written.frames;
    const first = index.next('written', frame, 0n)?.from ?? -1n;
    expect(index.next('written', frame, first + 7n)).toEqual({ from: first + 7n, to: first + BigInt(SLICE) });
    expect(index.previous('written', frame, first + 7n)).toEqual({ from: first, to: first + 7n });
    expect(index.previous('written', frame, 0n)).toBeNull();
    expect(index.next('written', frame, trace.instructions)).toBeNull();
    expect(index.next('written', 0xfff, 0n)).toBeNull();
  });

  test('longer slices hold what the shorter ones did', async () => {
    const index = buildIndex(await Player.open(trace), { leastSlice: SLICE });
    const half = coarser(index);
    expect(half.sliceInstructions).toBe(2 * SLICE);
    for (const frame of index.written.frames)
      expect(slicesFound(half, 'written', frame)).toEqual([...new Set(slicesFound(index, 'written', frame).map((n) => n >> 1))]);
  });
});

function slicesFound(index: TouchIndex, touch: 'written' | 'executed', frame: number): number[] {
  const found: number[] = [];
  for (let from = 0n; ; ) {
    const range = index.next(touch, frame, from);
    if (range === null) return found;
    found.push(Number(range.from) / index.sliceInstructions);
    from = range.from + BigInt(index.sliceInstructions);
  }
}

function slicesWith(touched: readonly Set<number>[], frame: number): number[] {
  return [...new Set(touched.flatMap((frames, at) => (frames.has(frame) ? [Math.floor(at / SLICE)] : [])))];
}

describe('its file', () => {
  test('lies beside the trace, is smaller, and is taken the next time', async () => {
    const built = await openIndex(trace, path);
    expect(built).toMatchObject({ isBuilt: true, notKept: null });
    expect(statSync(`${path}.idx`).size).toBe(built.size);
    expect(built.size).toBeLessThan(trace.size);
    const read = await openIndex(trace, path);
    expect(read.isBuilt).toBe(false);
    expect(read.index).toEqual(built.index);
  });

  test('of another trace, cut, or changed in any byte: it is made anew', async () => {
    const { index } = await openIndex(trace, path);
    const bytes = readFileSync(`${path}.idx`);
    const other = join(folder, 'other.mpk');
    await record({ ...guestRecording({ rounds: 41 }), to: other });
    writeFileSync(`${other}.idx`, bytes);
    const otherTrace = await openTrace(other);
    expect(await openIndex(otherTrace, other)).toMatchObject({ isBuilt: true, notKept: null });
    otherTrace.close();
    for (const bad of [bytes.subarray(0, bytes.length - 1), Buffer.concat([bytes, Buffer.of(0)]), changed(bytes, bytes.length >> 1)]) {
      writeFileSync(`${path}.idx`, bad);
      expect(await openIndex(trace, path)).toMatchObject({ isBuilt: true, notKept: null, index });
    }
    expect(await openIndex(trace, path)).toMatchObject({ isBuilt: false });
  });

  test('that cannot be written is said, and the answer is there', async () => {
    const opened = await openIndex(trace, join(folder, 'missing', 'guest.mpk'));
    expect(opened.notKept).toMatch(/there is no such file or folder/);
    expect(opened.index.written.frames.length).toBeGreaterThan(0);
  });

  test('whatever its columns say, it is refused or obeys its own limits', async () => {
    const sums = await checksums();
    const subject: IndexSubject = { digest: new Uint8Array(32), instructions: 100_000n, frames: 64 };
    const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });
    const columns = fc
      .tuple(...Array.from({ length: 4 }, () => fc.uint8Array({ maxLength: 12 })))
      .map((packed) => ({ pack: () => packed }));
    fc.assert(
      fc.property(columns, columns, fc.constantFrom(1 << 10, 1 << 14), number, (written, executed, slice, frame) => {
        const forged = { instructions: 100_000n, sliceInstructions: slice, written, executed } as unknown as TouchIndex;
        const bytes = indexBytes(forged, subject, sums, 1 << 20);
        if (bytes === null) throw new Error('it is small');
        const index = refusedOr(() => indexFrom(bytes, subject, sums));
        if (index === null) return;
        for (const { frames, starts, ends } of [index.written, index.executed]) {
          expect([...frames].every((each, i) => each < 64 && each > (frames[i - 1] ?? -1))).toBe(true);
          expect([...starts].every((start, i) => start < (ends[i] ?? 0) && (ends[i] ?? 0) <= slicesOf(100_000n, slice))).toBe(true);
        }
        index.next('written', frame, 5n);
        index.previous('executed', frame, 99_999n);
      }),
      { numRuns: 3000 },
    );
  });

  test('bytes that were changed anywhere are refused', async () => {
    const sums = await checksums();
    const subject: IndexSubject = { digest: trace.digest(), instructions: trace.instructions, frames: 1024 };
    const { index } = await openIndex(trace, path);
    const bytes = indexBytes(index, subject, sums, 1 << 20) ?? new Uint8Array(0);
    expect(indexFrom(bytes, subject, sums)).toEqual(index);
    for (let at = 0; at < bytes.length; at++) expect(() => indexFrom(changed(bytes, at), subject, sums)).toThrow(Malformed);
    for (let length = 0; length < bytes.length; length++)
      expect(() => indexFrom(bytes.subarray(0, length), subject, sums)).toThrow(Malformed);
  });

  test('any columns come back as they were', async () => {
    const sums = await checksums();
    const subject: IndexSubject = { digest: new Uint8Array(32).fill(7), instructions: 1n << 22n, frames: 4096 };
    const run = fc.record({ frame: fc.nat(4095), start: fc.nat(4000), length: fc.integer({ min: 1, max: 90 }) });
    const columns = fc.array(run, { maxLength: 200 }).map((runs): TouchColumns => {
      const growing = new Growing();
      for (const { frame, start, length } of runs.sort((a, b) => a.start - b.start)) growing.push(frame, start, start + length);
      return growing.sorted();
    });
    fc.assert(
      fc.property(columns, columns, (written, executed) => {
        const index = new TouchIndex(subject.instructions, SLICE, written, executed);
        const bytes = indexBytes(index, subject, sums, 1 << 20) ?? new Uint8Array(0);
        expect(indexFrom(bytes, subject, sums)).toEqual(index);
      }),
    );
  });
});

function refusedOr<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) return null;
    throw error;
  }
}

function changed(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x10;
  return copy;
}

test('every golden trace has an index that is smaller than itself', async () => {
  const golden = new URL('../../traces/golden/', import.meta.url).pathname;
  for (const file of readdirSync(golden).filter((name) => name.endsWith('.mpk') && !name.startsWith('hello'))) {
    const bytes = readFileSync(join(golden, file));
    const opened = await openTrace(bytes);
    const { index, size } = await openIndex(opened, null);
    expect(index.instructions).toBe(opened.instructions);
    expect(size).toBeGreaterThan(0);
    expect(size).toBeLessThan(bytes.length);
  }
});
