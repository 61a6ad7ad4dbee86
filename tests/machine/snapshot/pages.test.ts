/** RAM in snapshots and in the hash: whatever was stored, taken and put back before, bytes and hash are those of the moment. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/machine/index.ts';
import { FRAME } from '../../../src/machine/memory/frames.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';
import { MemoryHash } from '../../../src/machine/snapshot/memory-hash.ts';
import { chunksFrom, PageStore, Snapshot } from '../../../src/machine/snapshot/snapshot.ts';

/** More than two chunks of 64 pages, the last one not whole. */
const FRAMES = 150;
const make = () => new PhysicalMemory(new WebAssembly.Memory({ initial: 10 }), 0, FRAMES * 4096);

/** Adds up what it is given, so that a page's place and every byte count. */
function slowHash(bytes: Uint8Array, seed: bigint): bigint {
  let hash = seed + 1n;
  for (const [i, byte] of bytes.entries()) if (byte !== 0) hash += BigInt(byte) * BigInt(i + 1) * (seed + 7n);
  return hash;
}

/** The hash of RAM by its definition. */
function hashOf(bytes: Uint8Array): bigint {
  let sum = 0n;
  for (let frame = 0; frame < FRAMES; frame++) {
    const page = bytes.subarray(frame * 4096, frame * 4096 + 4096);
    if (page.some((byte) => byte !== 0)) sum += slowHash(page, BigInt(frame));
  }
  return BigInt.asUintN(64, sum);
}

type Step =
  | { readonly do: 'store'; readonly address: number; readonly value: number }
  | { readonly do: 'take' }
  | { readonly do: 'hash' }
  | { readonly do: 'changed' }
  | { readonly do: 'restore'; readonly which: number };

const frame = fc.constantFrom(0, 1, 2, 63, 64, 65, 127, 128, FRAMES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(frame, fc.constantFrom(0, 1, 4092, 4095), fc.constantFrom(0, 0, 1, 2))
      .map(([at, offset, value]): Step => ({ do: 'store', address: at * 4096 + offset, value })),
  },
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'take' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'hash' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'changed' }) },
  { weight: 2, arbitrary: fc.nat().map((which): Step => ({ do: 'restore', which })) },
);

test('a snapshot brings back RAM as it was, the hash is that of the bytes, and pages tell the differences', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const physical = make();
      const store = new PageStore(physical);
      const hash = new MemoryHash(physical, slowHash);
      let marked = new Uint8Array(FRAMES * 4096);
      const taken: { readonly snapshot: Snapshot; readonly bytes: Uint8Array }[] = [];
      for (const one of steps) {
        if (one.do === 'store') physical.write(one.address, 1, one.value);
        else if (one.do === 'take') taken.push({ snapshot: new Snapshot(0n, new Uint8Array(0), store.take()), bytes: physical.u8.slice() });
        else if (one.do === 'hash') expect(hash.update()).toBe(hashOf(physical.u8));
        else if (one.do === 'changed') {
          hash.update();
          const page = (of: Uint8Array, at: number) => of.subarray(at * 4096, at * 4096 + 4096);
          const others = Array.from({ length: FRAMES }, (_, at) => at).filter(
            (at) => Buffer.compare(page(marked, at), page(physical.u8, at)) !== 0,
          );
          expect([...hash.takeChanged()]).toEqual(others);
          marked = physical.u8.slice();
        } else {
          const point = taken[one.which % Math.max(taken.length, 1)];
          if (point === undefined) continue;
          const before = physical.u8.slice();
          const changed = new Set<number>();
          store.restore(point.snapshot.chunks, (at) => changed.add(at));
          expect(Buffer.compare(physical.u8, point.bytes)).toBe(0);
          for (let at = 0; at < FRAMES; at++) {
            const page = (of: Uint8Array) => of.subarray(at * 4096, at * 4096 + 4096);
            if (Buffer.compare(page(before), page(physical.u8)) !== 0) expect(changed.has(at)).toBe(true);
          }
        }
      }
      expect(hash.update()).toBe(hashOf(physical.u8));
      for (const from of [null, ...taken])
        for (const to of taken) {
          const { numbers, bytes } = to.snapshot.pages(from?.snapshot ?? null);
          expect([...numbers]).toEqual([...numbers].toSorted((a, b) => a - b));
          const made = from?.bytes.slice() ?? new Uint8Array(FRAMES * 4096);
          for (const [i, at] of numbers.entries()) {
            const page = bytes.subarray(i * 4096, i * 4096 + 4096);
            expect(Buffer.compare(page, made.subarray(at * 4096, at * 4096 + 4096))).not.toBe(0);
            made.set(page, at * 4096);
          }
          expect(Buffer.compare(made, to.bytes)).toBe(0);
          if (from !== null) continue;
          const other = make();
          new PageStore(other).restore(chunksFrom({ numbers, bytes }, FRAMES), () => {});
          expect(Buffer.compare(other.u8, to.bytes)).toBe(0);
        }
    }),
    { numRuns: 25, seed: 1 },
  );
});

describe('stored pages', () => {
  const page = new Uint8Array(4096).fill(1);

  test('that do not fit are refused', () => {
    expect(() => chunksFrom({ numbers: Uint32Array.of(FRAMES), bytes: page }, FRAMES)).toThrow(UserError);
    expect(() => chunksFrom({ numbers: Uint32Array.of(1, 2), bytes: page }, FRAMES)).toThrow(UserError);
    expect(() => chunksFrom({ numbers: Uint32Array.of(FRAMES - 1), bytes: page }, FRAMES)).not.toThrow();
  });
});

test('taking a snapshot and hashing leave one dirty list each', () => {
  const physical = make();
  const store = new PageStore(physical);
  const hash = new MemoryHash(physical, slowHash);
  physical.write(5, 1, 1);
  store.take();
  expect([physical.unsaved.length, physical.unhashed.length]).toEqual([0, 1]);
  hash.update();
  expect([physical.unhashed.length, (physical.flags[0] ?? 0) & (FRAME.unhashed | FRAME.unsaved)]).toEqual([0, 0]);
  physical.write(5, 1, 2);
  hash.update();
  expect([physical.unsaved.length, physical.unhashed.length]).toEqual([1, 0]);
});
