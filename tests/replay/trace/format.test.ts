import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAUSE, FLUSH, HOW, LOGGED, MOST_WORDS } from '../../../src/machine/cpu/trace-log.ts';
import { EVENTS, type TraceEvent } from '../../../src/replay/events.ts';
import type { Field, ListField, NameField } from '../../../src/replay/fields.ts';
import { traceFormatMarkdown } from '../../../src/replay/format-markdown.ts';
import { checksums } from '../../../src/replay/trace/checksum.ts';
import { readColumns } from '../../../src/replay/trace/columns.ts';
import { LAYOUT, readStream } from '../../../src/replay/trace/event-stream.ts';
import { FileSink, FileSource, MemorySink, MemorySource } from '../../../src/replay/trace/file.ts';
import { FORMAT_VERSION, makeFrame } from '../../../src/replay/trace/frame.ts';
import { Trace } from '../../../src/replay/trace/reader.ts';
import { TraceWriter } from '../../../src/replay/trace/writer.ts';
import { packEvents } from '../event-log.ts';
import { checkpoint, end, events, header, image, runs, sampleTrace } from '../sample.ts';

describe('a trace', () => {
  test('reads back as it was written', async () => {
    const trace = await Trace.open(new MemorySource(await sampleTrace()));
    expect(trace.header).toEqual(header);
    expect(trace.end).toEqual(end);
    expect(trace.cut).toBeNull();
    expect(trace.damage).toBeNull();
    expect(trace.instructions).toBe(44n);
    expect(trace.artefact(0)).toEqual(image);
    expect(trace.events(0)).toEqual(events);
    expect(trace.run(2)).toMatchObject({ first: 32n, count: 12, hash: runs[2]?.hash, path: { bitCount: 10 } });
    expect(trace.checkpoints).toEqual([32n]);
    expect([0, 1].map((part) => trace.checkpointPart(0, part))).toEqual(checkpoint);
  });

  test('finds blocks by position and by tag', async () => {
    const trace = await Trace.open(new MemorySource(await sampleTrace()));
    expect([0n, 15n, 16n, 31n, 32n, 99n].map((at) => trace.runAt(at))).toEqual([0, 0, 1, 1, 2, 2]);
    expect([0n, 31n, 32n, 99n].map((at) => trace.checkpointAt(at))).toEqual([-1, -1, 0, 0]);
    const output = EVENTS.find((row) => row.kind === 'output')?.tag ?? 0;
    expect([0, 1, 2].map((run) => trace.hasTag(run, output))).toEqual([true, false, true]);
  });

  test('is the same file when it is written twice', async () => {
    expect(await sampleTrace()).toEqual(await sampleTrace());
  });

  test('is a stream of msgpack values for any msgpack tool', async () => {
    const { unpackMultiple } = await import('msgpackr');
    const values = unpackMultiple(await sampleTrace());
    expect(values.slice(0, 2)).toEqual(['palindrome-trace', FORMAT_VERSION]);
    expect(values).toHaveLength(2 + 9 + 1); // header, artefact, 3 runs, 2 parts, end, index; trailer
  });

  test('is written under a temporary name, readable before its end, and renamed at the end', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trace-'));
    try {
      const path = join(folder, 'a.mpk');
      const writer = new TraceWriter(new FileSink(path), await checksums(), header, [image]);
      for (const block of runs.slice(0, 2)) writer.run(block);
      expect(existsSync(path)).toBe(false);
      const partial = await Trace.open(new FileSource(`${path}.partial`));
      expect(partial.cut).toEqual({ offset: readFileSync(`${path}.partial`).length, blocks: 4 });
      expect(partial.instructions).toBe(32n);
      expect(partial.events(0)).toEqual(events);
      partial.close();
      for (const part of checkpoint) writer.checkpoint(part);
      for (const block of runs.slice(2)) writer.run(block);
      writer.end(end);
      expect(existsSync(`${path}.partial`)).toBe(false);
      expect(new Uint8Array(readFileSync(path))).toEqual(await sampleTrace());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('is not begun where a reader would refuse it', async () => {
    const sums = await checksums();
    const write = (change: object): TraceWriter => new TraceWriter(new MemorySink(), sums, { ...header, ...change }, [image]);
    expect(() => write({ append: 'x'.repeat(70_000) })).toThrow(
      /this run cannot be recorded: append is not a text of up to 65536 characters/,
    );
    expect(() => write({ checkpointInstructions: 33 })).toThrow(/checkpoints every 33 instructions in blocks of 16/);
    expect(() => makeFrame(2, 0, new Uint8Array((64 << 20) + 1), sums)).toThrow(/does not fit into a trace/);
  });

  test('says what to do about a full disk, and stays readable', async () => {
    if (!existsSync('/dev/full')) return;
    const folder = mkdtempSync(join(tmpdir(), 'trace-'));
    try {
      execFileSync('ln', ['-s', '/dev/full', join(folder, 'a.mpk.partial')]);
      const sums = await checksums();
      expect(() => new TraceWriter(new FileSink(join(folder, 'a.mpk')), sums, header, [image])).toThrow(
        /the disk is full; what was written/,
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('events', () => {
  test('tags are unique, and fit the bits of the index', () => {
    const tags = EVENTS.map((row) => row.tag);
    expect(new Set(tags).size).toBe(tags.length);
    expect(tags.every((tag) => tag > 0 && tag < 64)).toBe(true);
  });

  test('a new one has the next tag, and no later version than the format', () => {
    expect(EVENTS.map(({ tag }) => tag)).toEqual(EVENTS.map((_, place) => place + 1));
    const versions = EVENTS.map(({ since }) => since);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions.at(-1)).toBeLessThanOrEqual(FORMAT_VERSION);
  });

  test('that generated code adds by itself have the tags and words of the table', () => {
    expect(LOGGED).toEqual({
      irq: LAYOUT.irq,
      exception: LAYOUT.exception,
      softwareInterrupt: LAYOUT['software-interrupt'],
      syscall: LAYOUT.syscall,
      sysret: LAYOUT.sysret,
      enterUser: LAYOUT['enter-user'],
      enterKernel: LAYOUT['enter-kernel'],
      controlRegister: LAYOUT['control-register'],
      tlbFlush: LAYOUT['tlb-flush'],
      pageTableWrite: LAYOUT['page-table-write'],
      contextSwitch: LAYOUT['context-switch'],
    });
    const names = (kind: string, field: string) =>
      ((EVENTS.find((row) => row.kind === kind)?.fields ?? {}) as Record<string, unknown>)[field];
    for (const [name, place] of Object.entries(CAUSE))
      expect((names('enter-kernel', 'cause') as NameField<string>).names[place]).toBe(name);
    for (const [name, place] of Object.entries(FLUSH)) expect((names('tlb-flush', 'flush') as NameField<string>).names[place]).toBe(name);
    for (const field of ['sysret', 'enter-user'])
      for (const [name, place] of Object.entries(HOW)) expect((names(field, 'how') as NameField<string>).names[place]).toBe(name);
    expect(Math.max(...Object.values(LAYOUT).map(({ words }) => words))).toBeLessThanOrEqual(MOST_WORDS);
  });

  test('of a tag that no event has are damage that names the version', () => {
    const packed = [Uint8Array.of(63), new Uint8Array(4), [[63]]];
    expect(() => readColumns(packed, 0n, 1)).toThrow(`no event of format version ${FORMAT_VERSION} has tag 63`);
  });

  test('come back as they were, position by position', () => {
    for (const first of [0n, 2n ** 32n - 5n, 2n ** 40n]) {
      const moved = events.map((event) => ({ ...event, at: event.at + first }));
      expect(readStream(packEvents(moved, first), first, 16)).toEqual(moved);
    }
    expect(readStream(packEvents([], 0n), 0n, 16)).toEqual([]);
  });

  test('of any kind and value, in any order, come back as they were', () => {
    const field = (of: Field): fc.Arbitrary<unknown> => {
      const sizes: Readonly<Record<string, number>> = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff };
      const size = sizes[of.type];
      if (size !== undefined) return fc.nat(size);
      if (of.type === 'u64') return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
      if (of.type === 'u64s')
        return fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), {
          minLength: (of as ListField).length,
          maxLength: (of as ListField).length,
        });
      if (of.type === 'flag') return fc.boolean();
      if (of.type === 'name') return fc.constantFrom(...(of as NameField<string>).names);
      if (of.type === 'text') return fc.constantFrom('lapic', 'rtc', 'a device');
      return fc.uint8Array({ maxLength: 20 });
    };
    const ofRow = (row: (typeof EVENTS)[number]): fc.Arbitrary<object> => {
      const { at: _, ...rest } = row.fields as Readonly<Record<string, Field>>;
      return fc.record({
        kind: fc.constant(row.kind),
        at: fc.constant(0n),
        ...Object.fromEntries(Object.entries(rest).map(([name, of]) => [name, field(of)])),
      });
    };
    fc.assert(
      fc.property(fc.array(fc.oneof(...EVENTS.map(ofRow)), { maxLength: 40, size: 'max' }), (list) => {
        const made = list.map((event, i) => ({ ...event, at: 1000n + BigInt(i >> 1) })) as unknown as TraceEvent[];
        expect(readStream(packEvents(made, 1000n), 1000n, 64)).toEqual(made);
      }),
      { numRuns: 200, seed: 10 },
    );
  });
});

describe('the documentation', () => {
  test('names every event and every field', () => {
    const page = traceFormatMarkdown();
    for (const row of EVENTS) {
      expect(page).toContain(`### ${row.tag} · ${row.kind}${row.since === 1 ? '' : ` (from version ${row.since} on)`}\n`);
      for (const name of Object.keys(row.fields)) if (name !== 'at') expect(page).toContain(`| ${name} | `);
    }
  });

  test('has a line for every key of every block', async () => {
    const { unpackMultiple, unpack } = await import('msgpackr');
    const { zstdDecompressSync } = await import('node:zlib');
    const page = traceFormatMarkdown();
    for (const frame of unpackMultiple(await sampleTrace()).slice(2, -1) as [
      number,
      number,
      number,
      number,
      bigint,
      number,
      Uint8Array,
    ][]) {
      const [kind, , stored, raw, , , payload] = frame;
      const value = unpack(stored < raw ? zstdDecompressSync(payload) : payload) as Record<string, unknown>;
      const section = page.slice(page.indexOf(`### ${kind} · `));
      for (const key of Object.keys(value)) expect(section.slice(0, section.indexOf('### ', 4))).toContain(`| ${key} | `);
    }
  });
});
