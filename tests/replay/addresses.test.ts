import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Machine, PackedAddresses } from '../../src/machine/index.ts';
import { firstDifferentAddress, wrongGuesses } from '../../src/replay/addresses.ts';
import {
  type InstructionView,
  inspectInstructions,
  openTrace,
  type Recording,
  record,
  replay,
  type Trace,
} from '../../src/replay/index.ts';
import { Malformed } from '../../src/replay/trace/malformed.ts';
import { readAddresses } from '../machine/cpu/address-reader.ts';
import { forge } from './forge.ts';
import { guestRecording } from './guest.ts';

let recording: Recording;
let bytes: Uint8Array;
let trace: Trace;
/** Every instruction, as single steps show it. */
let steps: InstructionView[];
let like: { readonly like: Machine };

const options = () => ({ ...guestRecording(), addresses: true });

beforeAll(async () => {
  recording = await record(options());
  like = { like: recording.machine };
  bytes = recording.trace ?? new Uint8Array(0);
  trace = await openTrace(bytes);
  steps = await inspectInstructions(trace, 0n, Number(recording.instructions), like);
});

/** The accesses of a block, in order. */
const accessesOf = (index: number) => {
  const first = trace.firstOf(index);
  const end = first + BigInt(trace.lengthOf(index));
  const inside = steps.filter(({ at }) => at >= first && at < end);
  return inside.flatMap((view) => (view.addresses ?? []).map((address, place) => ({ view, address, place })));
};

describe('a recording with addresses', () => {
  test('is the same in both tiers, and the same run as one without', async () => {
    const { machine } = options();
    for (const tier of [0, 1] as const) {
      const made = await record({ ...options(), machine: { ...machine, tier }, ...like });
      expect(Buffer.compare(made.trace ?? new Uint8Array(0), bytes)).toBe(0);
    }
    const { hash, instructions } = await record(guestRecording());
    expect({ hash, instructions }).toEqual({ hash: recording.hash, instructions: recording.instructions });
  });

  test('says so: its format version is another', async () => {
    expect(trace.version).toBe(4);
    expect(trace.header.machine.record).toEqual({ path: true, addresses: true });
    const { trace: plain } = await record(guestRecording());
    expect((await openTrace(plain ?? new Uint8Array(0))).version).toBe(3);
  });

  test('replays identically in both tiers, also from checkpoints', async () => {
    for (const tier of [0, 1] as const)
      expect(await replay(bytes, { tier, ...like })).toMatchObject({ identical: true, complete: true, hash: recording.hash });
    for (const at of trace.checkpoints)
      expect(await replay(bytes, { to: at + 300n, ...like })).toMatchObject({ identical: true, from: at });
  });

  test('holds what single steps show', () => {
    let compared = 0;
    for (let index = 0; index < trace.runs; index++) {
      const accesses = accessesOf(index);
      const packed = trace.run(index).addresses;
      if (packed === null) throw new Error('no addresses');
      expect(packed.count).toBe(accesses.length);
      // By the stack: what pushes and pops, and what names RSP.
      const keys = accesses.map(({ view, place }) => {
        const isImplicit =
          /^(push|pop|call|ret|leave|enter)/.test(view.text) &&
          !(place === 0 && /\[(?!rsp|esp)/.test(view.text) && /^(push|call)/.test(view.text));
        const isByStack = isImplicit || /\[[er]sp/.test(view.text);
        return ((Number(view.rip & 0x3fffn) + place) & 0x3fff) + (isByStack ? 0x8000 : 0);
      });
      expect(readAddresses(packed, keys).map((address) => BigInt.asUintN(64, address))).toEqual(accesses.map(({ address }) => address));
      compared += accesses.length;
    }
    expect(compared).toBeGreaterThan(1000);
  });

  test('without a path has the same addresses', async () => {
    const { trace: other } = await record({ ...options(), path: false });
    const opened = await openTrace(other ?? new Uint8Array(0));
    expect(opened.run(1).path).toBeNull();
    expect(opened.run(1).addresses).toEqual(trace.run(1).addresses);
  });
});

/** The block with something else in its columns. */
const withColumns = (index: number, change: (addresses: PackedAddresses) => PackedAddresses) =>
  forge(bytes, index, (run) => ({ ...run, addresses: run.addresses && change(run.addresses) }));

describe('a forged address', () => {
  test('is named by its instruction, with both addresses', async () => {
    for (const index of [0, 2]) {
      const packed = trace.run(index).addresses;
      const wrong = [...wrongGuesses(packed ?? { count: 0, misses: new Uint8Array(0), differences: new Uint8Array(0) })];
      const said = wrong.find(({ is }) => typeof is === 'bigint');
      const expected = accessesOf(index)[said?.index ?? 0];
      const forged = await withColumns(index, (addresses) => {
        const differences = addresses.differences.slice();
        differences[0] = (differences[0] ?? 0) ^ 2;
        return { ...addresses, differences };
      });
      const { difference, identical } = await replay(forged, like);
      expect(identical).toBe(false);
      expect(difference).toMatchObject({ kind: 'address', at: expected?.view.at, instruction: { rip: expected?.view.rip } });
      const replayed = expected?.address ?? 0n;
      expect(difference?.replayed[0]).toBe(`0x${replayed.toString(16)}`);
      expect([replayed - 1n, replayed + 1n].map((address) => `0x${address.toString(16)}`)).toContain(difference?.recorded[0]);
    }
  });

  test('that was guessed rightly, or by another guess, is named too', async () => {
    for (const kind of [0, 8]) {
      const forged = await withColumns(1, (addresses) => ({
        ...addresses,
        misses: addresses.misses.map((byte, i) => (i === 0 ? (byte & 0xf0) | kind : byte)),
        differences: addresses.differences.subarray((addresses.misses[0] ?? 0) & 15),
      }));
      const { difference } = await replay(forged, like);
      expect(difference?.kind).toBe('address');
      expect(difference?.recorded[0]).toMatch(/^0x/);
      expect(difference?.recorded[0]).not.toBe(difference?.replayed[0]);
    }
    const fewer = await replay(
      await withColumns(1, ({ count }) => ({ count, misses: new Uint8Array(0), differences: new Uint8Array(0) })),
      like,
    );
    expect(fewer.difference).toMatchObject({ kind: 'address', at: accessesOf(1)[0]?.view.at, recorded: expect.arrayContaining(['0x0']) });
  });

  test('too many of them, or none, are named', async () => {
    const more = await replay(await withColumns(1, (addresses) => ({ ...addresses, count: addresses.count + 1 })), like);
    expect(more.difference).toMatchObject({ kind: 'address', replayed: expect.arrayContaining(['nothing more']) });
  });
});

describe('columns that no recording writes', () => {
  test('are damage', async () => {
    for (const change of [
      (a: PackedAddresses) => ({ ...a, misses: a.misses.subarray(0, 1) }),
      (a: PackedAddresses) => ({ ...a, differences: Uint8Array.from([...a.differences, 1]) }),
      (a: PackedAddresses) => ({ ...a, misses: a.misses.map((byte) => byte | 15) }),
      (a: PackedAddresses) => ({ ...a, count: 1, misses: Uint8Array.of(0xff, 1, 0, 0, 0) }),
    ])
      expect(await replay(await withColumns(1, change), like)).toMatchObject({ identical: false, difference: { kind: 'damage' } });
  });

  test('nor are they missing, or there without being announced, however far one looks', async () => {
    const plain = (await record(guestRecording())).trace ?? new Uint8Array(0);
    const { addresses } = trace.run(0);
    for (const [forged, reason] of [
      [await forge(bytes, 0, (run) => ({ ...run, addresses: null })), 'addresses where none were recorded, or none where they were'],
      [await forge(plain, 0, (run) => ({ ...run, addresses })), 'addresses where none were recorded, or none where they were'],
      [await forge(bytes, 0, (run) => ({ ...run, path: null })), 'a path where none was recorded, or none where one was'],
    ] as const)
      for (const to of [undefined, 7n])
        expect(await replay(forged, { ...(to && { to }), ...like })).toMatchObject({
          identical: false,
          difference: { damage: { reason } },
        });
  });

  test('end in Malformed, or in wrong guesses in order', () => {
    const column = fc.record({
      count: fc.nat(2000),
      misses: fc.uint8Array({ maxLength: 60 }),
      differences: fc.uint8Array({ maxLength: 60 }),
    });
    fc.assert(
      fc.property(column, column, (one, other) => {
        try {
          const indexes = [...wrongGuesses(one)].map(({ index }) => index);
          expect(indexes).toEqual([...new Set(indexes)].sort((a, b) => a - b));
          expect((indexes.at(-1) ?? -1) < one.count).toBe(true);
          expect(firstDifferentAddress(one, one, false)).toBeNull();
          firstDifferentAddress(one, other, true);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
