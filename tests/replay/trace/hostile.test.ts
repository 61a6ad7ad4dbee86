import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { BLOCK } from '../../../src/replay/schema.ts';
import type { Checksums } from '../../../src/replay/trace/checksum.ts';
import { readColumns } from '../../../src/replay/trace/columns.ts';
import { readStream } from '../../../src/replay/trace/event-stream.ts';
import { MemorySource } from '../../../src/replay/trace/file.ts';
import { HEADER_BYTES, MAX_PAYLOAD, makeFrame, openPayload, PREAMBLE_BYTES, parseHeader } from '../../../src/replay/trace/frame.ts';
import { TraceDamage } from '../../../src/replay/trace/frame-reader.ts';
import { Malformed } from '../../../src/replay/trace/malformed.ts';
import { Msgpack } from '../../../src/replay/trace/msgpack.ts';
import { Trace } from '../../../src/replay/trace/reader.ts';
import { storedState } from '../../../src/replay/trace/stored-state.ts';
import { packEvents } from '../event-log.ts';
import { events } from '../sample.ts';
import { readAll, Victim, verdict } from './victim.ts';

let victim: Victim;
let sample: Uint8Array;
let sums: Checksums;
let frames: readonly number[];

beforeAll(async () => {
  victim = await Victim.create();
  ({ sample, sums, frames } = victim);
});

describe('a flipped bit', () => {
  test('is reported, in the block where it is', async () => {
    for (let byte = 0; byte < sample.length; byte += 3) {
      const found = await verdict(victim.flipped(byte * 8 + ((byte * 5) & 7)));
      if (byte < PREAMBLE_BYTES) expect(found).toHaveProperty('refused');
      else {
        // a bit of the trailer is noticed where the index is read
        const block = frames.findLastIndex((start, i) => byte >= start && i < frames.length - 1);
        expect({ byte, found }).toMatchObject({ byte, found: { damage: { block, offset: frames[block] } } });
      }
    }
  });

  test('never makes the quick way in fail otherwise', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(sample.length * 8 - 1), async (bit) => {
        await readAll(victim.flipped(bit));
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  test('of the index or the trailer leaves all blocks readable', async () => {
    const index = frames.at(-2) ?? 0;
    for (const byte of [index + 3, index + HEADER_BYTES + 4, sample.length - 1]) {
      const trace = await Trace.open(new MemorySource(victim.flipped(byte * 8)));
      expect(trace.damage).toMatchObject({ offset: index });
      expect(trace.runs).toBe(3);
      expect(trace.end?.at).toBe(44n);
    }
  });
});

describe('a trace that was cut', () => {
  test('at any byte reads up to its last whole block', async () => {
    for (let length = 0; length < sample.length; length += 5) {
      const blocks = frames.findLastIndex((start) => length >= start);
      const found = await verdict(sample.subarray(0, length));
      const atIndex = length >= (frames.at(-1) ?? 0);
      expect({ length, found }).toEqual({
        length,
        found: {
          cut: {
            offset: atIndex ? frames.at(-2) : length < PREAMBLE_BYTES ? 0 : frames[blocks],
            blocks: Math.max(0, atIndex ? blocks - 1 : blocks),
          },
        },
      });
      if (length >= (frames[3] ?? 0) && length % 23 === 0) {
        const trace = await Trace.open(new MemorySource(sample.subarray(0, length)));
        expect(trace.cut).not.toBeNull();
        expect(trace.events(0)).toEqual(events);
      }
    }
  });

  test('before its header is damage for the quick way in', async () => {
    await expect(Trace.open(new MemorySource(sample.subarray(0, 30)))).rejects.toThrow(TraceDamage);
    await expect(Trace.open(new MemorySource(new Uint8Array(0)))).rejects.toThrow(TraceDamage);
  });
});

describe('what is no trace', () => {
  test('is refused by name', async () => {
    expect(await verdict(new TextEncoder().encode('#!/bin/sh\necho hello, this is longer than the preamble\n'))).toEqual({
      refused: 'this is not a Palindrome trace: a trace begins with the text "palindrome-trace"',
    });
  });

  test('another version is named, with the one that can be read', async () => {
    for (const [version, newer] of [
      [0, ''],
      [9, '; a newer one, as that which recorded it, reads it'],
    ] as const) {
      const bytes = sample.slice();
      bytes[19] = version;
      expect(await verdict(bytes)).toEqual({
        refused: `this trace is of format version ${version}; this version of Palindrome reads format versions 1 to 5${newer}`,
      });
    }
  });
});

describe('a forger who makes checksums right', () => {
  test('changing bytes of any block brings damage or another trace, nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(frames.length - 2),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        async (frame, edits) => {
          const bytes = victim.forged(frame, (raw) => {
            for (const [at, value] of edits) raw[at % Math.min(raw.length, 600)] = value;
            return raw;
          });
          const found = await verdict(bytes);
          expect('cut' in found).toBe(false);
          await readAll(bytes);
        },
      ),
      { numRuns: 300, seed: 2 },
    );
  });

  test('an index with positions that blocks cannot have is not believed', async () => {
    const msgpack = new Msgpack();
    const kinds = [BLOCK.run, BLOCK.run, BLOCK.checkpoint, BLOCK.end];
    for (const [n, kind] of kinds.entries())
      for (const position of [0n, 1n, 1n << 40n, (1n << 64n) - 1n]) {
        const bytes = victim.forged(frames.length - 2, (raw) => {
          const index = msgpack.decode(raw) as { kinds: Uint8Array; positions: Uint8Array };
          const frame = n === 0 ? index.kinds.indexOf(kind) : index.kinds.lastIndexOf(kind);
          // bins are views of the block's bytes
          new DataView(index.positions.buffer, index.positions.byteOffset).setBigUint64(8 * frame, position, true);
          return raw;
        });
        const isFirst = n === 0 && position === 0n;
        const trace = await Trace.open(new MemorySource(bytes));
        expect({ n, position, damage: trace.damage?.reason ?? null }).toEqual({
          n,
          position,
          damage: isFirst ? null : 'the index does not fit the blocks',
        });
        expect(trace.lengthOf(0)).toBe(16);
      }
  });

  test('a checkpoint of pages that the machine does not have is damage', async () => {
    const msgpack = new Msgpack();
    const trace = await Trace.open(new MemorySource(sample));
    const head = trace.entries.findIndex(({ kind }) => kind === BLOCK.checkpoint);
    const bytes = victim.forged(head, (raw) => {
      const { frames: numbers } = msgpack.decode(raw) as { frames: Uint8Array };
      numbers.fill(0xff, 4, 8);
      return raw;
    });
    const forged = await Trace.open(new MemorySource(bytes));
    expect(() => storedState(forged, 0)).toThrow(TraceDamage);
  });

  test('cutting or lengthening a block brings damage', async () => {
    for (let frame = 0; frame < frames.length - 1; frame++) {
      expect(await verdict(victim.forged(frame, (raw) => raw.subarray(0, raw.length - 1)))).toMatchObject({ damage: { block: frame } });
      expect(await verdict(victim.forged(frame, (raw) => Uint8Array.from([...raw, 0])))).toMatchObject({ damage: { block: frame } });
    }
  });

  test('taking out, doubling or exchanging blocks brings damage', async () => {
    const part = (i: number): Uint8Array => sample.subarray(frames[i], frames[i + 1]);
    const join = (order: readonly number[]): Uint8Array =>
      Uint8Array.from(Buffer.concat([sample.subarray(0, PREAMBLE_BYTES), ...order.map(part), sample.subarray(frames.at(-1))]));
    const all = Array.from({ length: frames.length - 1 }, (_, i) => i);
    expect(await verdict(join(all))).toEqual({ whole: true });
    for (const i of all) {
      expect(await verdict(join(all.filter((n) => n !== i)))).toHaveProperty('damage');
      expect(await verdict(join(all.flatMap((n) => (n === i ? [n, n] : [n]))))).toHaveProperty('damage');
    }
    expect(await verdict(join([0, 1, 3, 2, 4, 5, 6, 7, 8]))).toHaveProperty('damage');
  });

  test('a decompression bomb is not unpacked beyond what the header says', () => {
    const bomb = makeFrame(2, 0, new Uint8Array(32 << 20), sums);
    const header = parseHeader(bomb, sums);
    expect(bomb.length).toBeLessThan(10_000);
    expect(() => openPayload({ ...header, raw: header.raw - 1 }, bomb.subarray(HEADER_BYTES), sums)).toThrow(Malformed);
    const tooLarge = bomb.slice();
    new DataView(tooLarge.buffer).setUint32(13, MAX_PAYLOAD + 1);
    new DataView(tooLarge.buffer).setUint32(27, sums.narrow(tooLarge.subarray(0, 26)));
    expect(() => parseHeader(tooLarge, sums)).toThrow(/the limit is/);
  });
});

describe('hostile msgpack', () => {
  const msgpack = new Msgpack();

  test.each([
    ['an array of four thousand million', [0xdd, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a map of four thousand million', [0xdf, 0xff, 0xff, 0xff, 0xff, 0xa0, 0x01]],
    ['a text longer than the file', [0xdb, 0x7f, 0xff, 0xff, 0xff]],
    ['nesting without end', new Array(1000).fill(0x91)],
    ['an extension', [0xd4, 0x01, 0x00]],
    ['a date', [0xd6, 0xff, 0, 0, 0, 0]],
    ['a float', [0xcb, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['the byte that msgpack never uses', [0xc1]],
    ['a map whose key is no text', [0x81, 0x01, 0x02]],
    ['bytes after the value', [0x01, 0x02]],
    ['nothing', []],
    ['too many values', [0xdd, 0x00, 0x02, 0x00, 0x00, ...new Array(0x20000).fill(0x01)]],
  ])('%s is malformed', (_, bytes) => {
    expect(() => msgpack.decode(Uint8Array.from(bytes))).toThrow(Malformed);
  });

  test('random bytes give a value or are malformed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          msgpack.decode(bytes);
        } catch (error) {
          if (!(error instanceof Malformed)) throw error;
        }
      }),
      { numRuns: 5000, seed: 3 },
    );
  });

  test('a key named __proto__ changes no prototype', () => {
    const value = msgpack.decode(Uint8Array.of(0x81, 0xa9, ...new TextEncoder().encode('__proto__'), 0x81, 0xa1, 0x78, 0x01));
    expect((value as Record<string, unknown>)['x']).toBeUndefined();
  });

  test('events of any shape are decoded or malformed', () => {
    const anything = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.uint8Array({ maxLength: 32 }),
        fc.nat(30),
        fc.string(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 6 }),
      ),
    })).value;
    fc.assert(
      fc.property(anything, (value) => {
        try {
          readColumns(value, 0n, 16);
        } catch (error) {
          if (!(error instanceof Malformed)) throw error;
        }
      }),
      { numRuns: 3000, seed: 4 },
    );
  });

  test('a stream of events of any bytes is refused, or read', () => {
    const { stream, texts, data, tags } = packEvents(events, 0n);
    const edit = fc.tuple(fc.nat(stream.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(stream.length), (edits, length) => {
        const forged = stream.slice(0, length);
        for (const [at, value] of edits) if (at < length) forged[at] = value;
        try {
          readStream({ stream: forged, texts, data, tags }, 0n, 16);
        } catch (error) {
          if (!(error instanceof Malformed)) throw error;
        }
      }),
      { numRuns: 3000, seed: 8 },
    );
    for (const [what, forged] of [
      ['tag', { tags: tags ^ 2n }],
      ['text', { texts: [] }],
      ['byte', { data: Uint8Array.of(...data, 1) }],
      ['fewer bytes', { data: data.subarray(1) }],
      ['end', { stream: stream.subarray(0, stream.length - 1) }],
      ['unknown tag', { stream: Uint8Array.of(63, 0) }],
      ['entry without cause', { stream: Uint8Array.of(0x80 | 20, 0, 0) }],
      ['position', { stream: Uint8Array.of(20, 17, 0) }],
      ['long distance', { stream: Uint8Array.of(20, 255, 255, 255, 255, 255, 1, 0) }],
      ['long change', { stream: Uint8Array.of(20, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0) }],
      ['change of a word too many', { stream: Uint8Array.of(20, 0, 0x10, 1) }],
      ['value out of range', { stream: Uint8Array.of(20, 0, 2, 0, 4) }],
    ] as const)
      expect(() => readStream({ stream, texts, data, tags, ...forged }, 0n, 16), what).toThrow(Malformed);
  });
});
