/** Guest RAM against a plain array: what is stored, who is told of it, and which frames are dirty. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FRAME } from '../../../src/machine/memory/frames.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';

const FRAMES = 4;
const BYTES = FRAMES * 4096;

type Told = readonly ['code', number, number, number] | readonly ['table', number, number, string, string];

function make() {
  // RAM does not begin where the machine's memory does
  const base = 65_536;
  const memory = new WebAssembly.Memory({ initial: 2 });
  const told: Told[] = [];
  const hex = (high: number, low: number) => `${(high >>> 0).toString(16)}:${(low >>> 0).toString(16)}`;
  const physical = new PhysicalMemory(memory, base, BYTES, {
    tableWritten: (frame, index, beforeLow, beforeHigh, afterLow, afterHigh) =>
      told.push(['table', frame, index, hex(beforeHigh, beforeLow), hex(afterHigh, afterLow)]),
    codeWritten: (frame, offset, length) => told.push(['code', frame, offset, length]),
  });
  return { physical, told, base, memory };
}

type Store =
  | { readonly kind: 'number'; readonly address: number; readonly size: 1 | 2 | 4; readonly value: number }
  | { readonly kind: 'pair'; readonly address: number; readonly low: number; readonly high: number }
  | { readonly kind: 'bytes'; readonly address: number; readonly bytes: Uint8Array };

/** Stores within one frame, near its edges more often than not. */
const address = (size: number) => {
  const offset = fc.oneof(
    fc.integer({ min: 0, max: 4096 - size }),
    fc.nat(16),
    fc.nat(16).map((n) => Math.max(0, 4096 - size - n)),
  );
  return fc.tuple(fc.nat(FRAMES - 1), offset).map(([frame, at]) => frame * 4096 + at);
};
const number = fc
  .constantFrom(1 as const, 2 as const, 4 as const)
  .chain((size) =>
    fc.record({ kind: fc.constant('number' as const), address: address(size), size: fc.constant(size), value: fc.nat(2 ** 32 - 1) }),
  );
const pair = fc.record({
  kind: fc.constant('pair' as const),
  address: address(8),
  low: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  high: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
});
const bytes = fc
  .uint8Array({ maxLength: 5000 })
  .chain((data) =>
    fc.record({ kind: fc.constant('bytes' as const), address: fc.integer({ min: 0, max: BYTES - data.length }), bytes: fc.constant(data) }),
  );
const store: fc.Arbitrary<Store> = fc.oneof(
  { weight: 5, arbitrary: number },
  { weight: 3, arbitrary: pair },
  { weight: 1, arbitrary: bytes },
);

/** The bytes of a store, one after the other from its address. */
function bytesOf(of: Store): Uint8Array {
  if (of.kind === 'bytes') return of.bytes;
  const view = new DataView(new ArrayBuffer(8));
  if (of.kind === 'pair') {
    view.setInt32(0, of.low, true);
    view.setInt32(4, of.high, true);
    return new Uint8Array(view.buffer);
  }
  view.setUint32(0, of.value, true);
  return new Uint8Array(view.buffer, 0, of.size);
}

function perform(physical: PhysicalMemory, of: Store): void {
  if (of.kind === 'number') physical.write(of.address, of.size, of.value);
  else if (of.kind === 'pair') physical.write64(of.address, of.low, of.high);
  else expect(physical.writeBytes(of.address, of.bytes)).toBe(true);
}

const flags = fc.array(fc.constantFrom(0, FRAME.leafTable, FRAME.upperTable, FRAME.code, FRAME.versioned, FRAME.code | FRAME.leafTable), {
  minLength: FRAMES,
  maxLength: FRAMES,
});

test('holds what was stored, and only the frames stored to are dirty', () => {
  fc.assert(
    fc.property(fc.array(store, { maxLength: 20, size: 'max' }), flags, (stores, watched) => {
      const { physical, memory, base } = make();
      physical.flags.set(watched);
      const model = new Uint8Array(BYTES);
      const dirty = new Set<number>();
      for (const of of stores) {
        perform(physical, of);
        const data = bytesOf(of);
        model.set(data, of.address);
        for (let i = 0; i < data.length; i++) dirty.add((of.address + i) >> 12);
      }
      expect(Buffer.compare(physical.u8, model)).toBe(0);
      expect(Buffer.compare(new Uint8Array(memory.buffer, base, BYTES), model)).toBe(0);
      for (const list of [physical.unhashed, physical.unsaved])
        expect([...list.items.subarray(0, list.length)].toSorted()).toEqual([...dirty].toSorted());
    }),
    { numRuns: 80, seed: 1 },
  );
});

test('a store to a table is told entry by entry with both values; one to code with its bytes; of others nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(number, pair), { maxLength: 12, size: 'max' }), flags, (stores, watched) => {
      const { physical, told } = make();
      physical.flags.set(watched);
      const model = new DataView(new ArrayBuffer(BYTES));
      const entry = (at: number) => `${model.getUint32(at + 4, true).toString(16)}:${model.getUint32(at, true).toString(16)}`;
      const expected: Told[] = [];
      for (const of of stores) {
        perform(physical, of);
        const data = bytesOf(of);
        const frame = of.address >> 12;
        const watch = watched[frame] ?? 0;
        if ((watch & FRAME.code) !== 0) expected.push(['code', frame, of.address & 0xfff, data.length]);
        const entries = new Map<number, string>();
        for (let i = 0; i < data.length; i++) entries.set((of.address + i) & ~7, entry((of.address + i) & ~7));
        for (const [i, byte] of data.entries()) model.setUint8(of.address + i, byte);
        if ((watch & (FRAME.leafTable | FRAME.upperTable)) !== 0)
          for (const [at, before] of entries) expected.push(['table', frame, (at & 0xfff) / 8, before, entry(at)]);
      }
      expect(told).toEqual(expected);
    }),
    { numRuns: 150, seed: 2 },
  );
});

test('bytes of the host are told where a frame is watched, as stores', () => {
  const { physical, told } = make();
  physical.flags[1] = FRAME.leafTable;
  physical.flags[2] = FRAME.code;
  physical.writeBytes(4096 + 4094, Uint8Array.of(1, 2, 3));
  expect(told).toEqual([
    ['table', 1, 511, '0:0', '10000:0'],
    ['table', 1, 511, '10000:0', '2010000:0'],
    ['code', 2, 0, 1],
  ]);
});

describe('the edge of RAM', () => {
  test('bytes that do not fit are not written at all', () => {
    const { physical } = make();
    expect(physical.writeBytes(BYTES - 2, Uint8Array.of(1, 2, 3))).toBe(false);
    expect(physical.writeBytes(-1, Uint8Array.of(1))).toBe(false);
    expect(physical.writeBytes(Number.NaN, Uint8Array.of(1))).toBe(false);
    expect(physical.u8.every((byte) => byte === 0)).toBe(true);
    expect(physical.writeBytes(BYTES - 3, Uint8Array.of(1, 2, 3))).toBe(true);
  });

  test('beyond it the bus answers, all ones where there is none; the last bytes are RAM', () => {
    const { physical } = make();
    expect([1, 2, 4].map((size) => physical.read(BYTES, size))).toEqual([0xff, 0xffff, 0xffffffff]);
    physical.write(BYTES, 4, 5);
    const calls: string[] = [];
    physical.bus = {
      read: (at, size) => {
        calls.push(`read ${at - BYTES} ${size}`);
        return 0x77;
      },
      write: (at, size, value) => calls.push(`write ${at - BYTES} ${size} ${value >>> 0}`),
    };
    physical.write(BYTES - 4, 4, 0x01020304);
    expect([physical.read(BYTES - 4, 4), physical.read(BYTES - 2, 2), physical.read(BYTES - 1, 1)]).toEqual([0x01020304, 0x0102, 0x01]);
    expect(physical.read(BYTES, 4)).toBe(0x77);
    physical.write(BYTES + 8, 2, 9);
    physical.write64(BYTES + 16, 1, -1);
    physical.write64(BYTES - 8, 3, 4);
    expect(calls).toEqual(['read 0 4', 'write 8 2 9', 'write 16 4 1', 'write 20 4 4294967295']);
    expect(physical.read(BYTES - 8, 4)).toBe(3);
  });
});

describe('dirty lists', () => {
  test('are emptied one by one, and a frame enters again with its next store', () => {
    const { physical } = make();
    physical.write(0, 1, 1);
    physical.write(4096, 1, 1);
    physical.write(4097, 1, 1);
    physical.clearList(physical.unhashed, FRAME.unhashed);
    expect([physical.unhashed.length, physical.unsaved.length]).toEqual([0, 2]);
    physical.write(4096, 1, 2);
    expect([...physical.unhashed.items.subarray(0, physical.unhashed.length)]).toEqual([1]);
    expect(physical.unsaved.length).toBe(2);
    physical.clearList(physical.unsaved, FRAME.unsaved);
    physical.touch(1);
    expect([...physical.unhashed.items.subarray(0, physical.unhashed.length)]).toEqual([1]);
    physical.clearList(physical.unsaved, FRAME.unsaved);
    physical.touch(3);
    expect([...physical.unsaved.items.subarray(0, physical.unsaved.length)]).toEqual([3]);
  });

  test('decide with the watchers which frames may be written unseen', () => {
    const { physical } = make();
    expect(physical.mayCacheWrites(0)).toBe(false);
    physical.touch(0);
    expect(physical.mayCacheWrites(0)).toBe(true);
    for (const flag of [FRAME.leafTable, FRAME.upperTable, FRAME.code, FRAME.versioned]) {
      physical.flags[0] = (physical.flags[0] ?? 0) | flag;
      expect([flag, physical.mayCacheWrites(0)]).toEqual([flag, false]);
      physical.flags[0] = (physical.flags[0] ?? 0) & ~flag;
    }
    physical.clearList(physical.unhashed, FRAME.unhashed);
    expect(physical.mayCacheWrites(0)).toBe(false);
    expect(physical.mayCacheWrites(FRAMES)).toBe(false);
  });
});

test('versions count the stores to a frame, and are never the same again after they were forgotten', () => {
  const { physical } = make();
  physical.write(0, 4, 1);
  expect(physical.version(0)).toBe(0);
  physical.flags[0] = (physical.flags[0] ?? 0) | FRAME.versioned;
  physical.write(0, 4, 1);
  physical.write64(8, 1, 1);
  physical.writeBytes(100, Uint8Array.of(1, 2));
  expect(physical.version(0)).toBe(4);
  physical.code.setEntryBits(0, 0x20);
  expect(physical.version(0)).toBe(4);
  physical.write(4096, 4, 1);
  physical.forgetVersion(0);
  physical.write(0, 4, 2);
  expect([physical.version(0), physical.version(1)]).toEqual([5, 0]);
  physical.forgetVersion(0);
  expect(physical.version(0)).toBe(5);
});

test('the walker adds bits to an entry: no table watcher hears of it, the frame is dirty', () => {
  const { physical, told } = make();
  physical.flags[1] = FRAME.leafTable;
  physical.i32[1024] = 0x1007;
  physical.code.setEntryBits(4096, 0x60);
  expect([physical.i32[1024], told, physical.unhashed.length]).toEqual([0x1067, [], 1]);
  physical.clearList(physical.unhashed, FRAME.unhashed);
  physical.code.setEntryBits(4096, 0x20);
  expect(physical.unhashed.length).toBe(0);
  physical.flags[1] = (physical.flags[1] ?? 0) | FRAME.code;
  physical.code.setEntryBits(4096 + 8, 0x20);
  expect(told).toEqual([['code', 1, 8, 4]]);
});
