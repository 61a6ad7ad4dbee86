/** Page walks, and looking at tables from outside, against the manual's own words (SDM Vol. 3, 4.5) on 64-bit integers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WALK_AT } from '../../../src/machine/memory/frames.ts';
import { RIGHT, TableInspector } from '../../../src/machine/memory/inspect.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';
import { WALK } from '../../../src/machine/memory/ram-code.ts';
import { RIGHTS } from '../../../src/machine/memory/rights.ts';
import { PageWalk, WALKER } from '../../../src/machine/memory/walk.ts';

/** Frames 0 … 7 are tables of any level, some not reached; RAM has 16. */
const TABLES = 8;
const FRAMES = 16;
const [P, W, U, A, D, PS, G, NX] = [1n, 2n, 4n, 0x20n, 0x40n, 0x80n, 0x100n, 1n << 63n];

/** Entries that matter: few indexes, so that tables meet. */
const INDEXES = [0, 1, 255, 256, 511];
const bits = fc.subarray([W, U, A, D, PS, G, NX]).map((list) => list.reduce((all, bit) => all | bit, 0n));
const target = fc.oneof(
  { weight: 8, arbitrary: fc.nat(TABLES - 1).map(BigInt) },
  { weight: 1, arbitrary: fc.constantFrom(0x200n, 0x40000n, 0x80000n, 0x0fff_ffffn, 0x1001n, 0xffff_ffffn, 0x10_0000_0000n) },
);
const entry = fc.record({
  table: fc.nat(TABLES - 1),
  index: fc.constantFrom(...INDEXES),
  value: fc.tuple(target, bits, fc.integer({ min: 0, max: 9 })).map(([frame, set, n]) => (frame << 12n) | set | (n > 0 ? P : 0n)),
});

function memoryOf(entries: readonly { readonly table: number; readonly index: number; readonly value: bigint }[]): PhysicalMemory {
  const physical = new PhysicalMemory(new WebAssembly.Memory({ initial: 2 }), 0, FRAMES * 4096);
  for (const { table, index, value } of entries) physical.view.setBigUint64(table * 4096 + index * 8, BigInt.asUintN(64, value), true);
  return physical;
}

interface Found {
  readonly result: number;
  readonly level: number;
  readonly entries: readonly bigint[];
  readonly page?: { readonly frame: bigint; readonly rights: number; readonly accessed: boolean };
}

/** The walk as the manual tells it. 40 physical address bits. */
function walk(physical: PhysicalMemory, root: number, linear: bigint, nxe: boolean): Found {
  let table = BigInt(root) << 12n;
  const entries: bigint[] = [];
  const seen: bigint[] = [];
  for (let level = 4; ; level--) {
    const index = (linear >> BigInt(12 + 9 * (level - 1))) & 511n;
    const address = table + index * 8n;
    entries.push(address);
    const value = address < BigInt(FRAMES * 4096) ? physical.view.getBigUint64(Number(address), true) : 2n ** 64n - 1n;
    seen.push(value);
    if ((value & P) === 0n) return { result: WALK.notPresent, level, entries };
    const isLarge = level < 4 && level > 1 && (value & PS) !== 0n;
    const isLeaf = level === 1 || isLarge;
    let reserved = 0xff_ff00_0000_0000n & (2n ** 52n - 1n) & ~(2n ** 40n - 1n);
    if (!nxe) reserved |= NX;
    if (level === 4) reserved |= PS;
    if (isLarge) reserved |= ((1n << BigInt(12 + 9 * (level - 1))) - 1n) & ~0x1fffn;
    if ((value & reserved) !== 0n) return { result: WALK.reserved, level, entries };
    const address40 = value & 0xff_ffff_f000n;
    if (!isLeaf) {
      table = address40;
      continue;
    }
    const all = (bit: bigint) => seen.every((each) => (each & bit) !== 0n);
    const rights =
      (all(W) ? RIGHTS.write : 0) |
      (all(U) ? RIGHTS.user : 0) |
      (seen.some((each) => (each & NX) !== 0n) ? 0 : RIGHTS.execute) |
      ((value & G) !== 0n ? RIGHTS.global : 0) |
      ((value & D) !== 0n ? RIGHTS.dirty : 0);
    const frame = (level === 1 ? address40 : address40 & ~0x1fffn) >> 12n;
    return { result: WALK.found, level, entries, page: { frame, rights, accessed: all(A) } };
  }
}

/** All entries of the walk just made had A set. */
const accessed = (physical: PhysicalMemory, { at }: PageWalk): boolean =>
  new Int32Array(physical.memory.buffer, at)[WALK_AT.accessed >> 2] !== 0;

const linearOf = (indexes: readonly number[]): bigint => indexes.reduce((page, index) => (page << 9n) | BigInt(index), 0n) << 12n;
const where = fc.array(fc.constantFrom(...INDEXES), { minLength: 4, maxLength: 4 });
const halves = (linear: bigint): [number, number] => [Number(BigInt.asIntN(32, linear >> 12n)), Number((linear >> 44n) & 15n)];

test('a walk finds what the manual says, and how far it came', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 10, maxLength: 40, size: 'max' }),
      where,
      fc.nat(TABLES - 1),
      fc.boolean(),
      (entries, indexes, root, nxe) => {
        const physical = memoryOf(entries);
        const linear = linearOf(indexes);
        const expected = walk(physical, root, linear, nxe);
        const real = new PageWalk(physical, WALKER.outside);
        expect(real.walk(root, ...halves(linear), nxe)).toBe(expected.result);
        expect(real.leafLevel).toBe(expected.level);
        expect(expected.entries.map((_, i) => BigInt(real.address(4 - i)))).toEqual(expected.entries);
        if (expected.page === undefined) return;
        expect({ frame: BigInt(real.frame), rights: real.rights, accessed: accessed(physical, real) }).toEqual(expected.page);
      },
    ),
    { numRuns: 1000, seed: 1 },
  );
});

interface Leaf {
  readonly page: number;
  readonly frame: number;
  readonly pages: number;
  readonly rights: number;
  readonly entry: number;
}

/** Every page that the indexes can name, once for each leaf, by walking: tables without reserved bits set, so that each present leaf is one that a walk finds. */
function leavesByWalking(physical: PhysicalMemory, root: number, from: number, to: number): Leaf[] {
  const leaves = new Map<number, Leaf>();
  for (const a of INDEXES)
    for (const b of INDEXES)
      for (const c of INDEXES)
        for (const d of INDEXES) {
          const linear = linearOf([a, b, c, d]);
          const found = walk(physical, root, linear, true);
          if (found.page === undefined) continue;
          const pages = 512 ** (found.level - 1);
          const page = Math.floor(Number(linear >> 12n) / pages) * pages;
          if (page + pages <= from || page >= to) continue;
          const { rights } = found.page;
          const mine =
            ((rights & RIGHTS.write) !== 0 ? RIGHT.write : 0) |
            ((rights & RIGHTS.user) !== 0 ? RIGHT.user : 0) |
            ((rights & RIGHTS.execute) !== 0 ? RIGHT.execute : 0) |
            ((rights & RIGHTS.global) !== 0 ? RIGHT.global : 0) |
            ((rights & RIGHTS.dirty) !== 0 ? RIGHT.dirty : 0) |
            (found.page.accessed ? RIGHT.accessed : 0);
          leaves.set(page, { page, frame: Number(found.page.frame), pages, rights: mine, entry: Number(found.entries.at(-1)) });
        }
  return [...leaves.values()].toSorted((x, y) => x.page - y.page);
}

/** Entries that no walk refuses: tables in RAM, large pages where they may begin. */
const valid = fc
  .record({
    table: fc.nat(TABLES - 1),
    index: fc.constantFrom(...INDEXES),
    frame: fc.nat(TABLES - 1),
    set: bits,
    isPresent: fc.nat(9),
    pat: fc.boolean(),
  })
  .map(({ table, index, frame, set, isPresent, pat }) => {
    // table n has level 4 − n mod 4: the graph of tables has no cycle, and no entry means two things
    const level = 4 - (table % 4);
    const isLarge = (set & PS) !== 0n && (level === 2 || level === 3);
    const to = isLarge ? BigInt(frame) << BigInt(9 * (level - 1)) : BigInt(level === 1 ? frame : (frame & ~3) | ((table + 1) % 4));
    const kept = isLarge || level === 1 ? set : set & ~PS;
    // bit 12 of a large page is PAT, no address
    const pat12 = isLarge && pat ? 1n << 12n : 0n;
    return { table, index, value: (to << 12n) | pat12 | (level === 1 ? kept & ~PS : kept) | (isPresent > 0 ? P : 0n) };
  });
test('marking a walk as used sets A in each entry, D in the leaf for a write, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(valid, { minLength: 30, maxLength: 60, size: 'max' }), fc.nat(), fc.boolean(), (entries, choice, write) => {
      const physical = memoryOf(entries);
      const pages: number[] = [];
      new TableInspector(physical).leaves(0, 0, 2 ** 36, (page) => pages.push(page));
      fc.pre(pages.length > 0);
      const linear = BigInt(pages[choice % pages.length] ?? 0) << 12n;
      const expected = walk(physical, 0, linear, true);
      expect(expected.result).toBe(WALK.found);
      const model = new DataView(physical.u8.slice().buffer);
      for (const [i, address] of expected.entries.entries()) {
        const isLeaf = i === expected.entries.length - 1;
        const at = Number(address);
        model.setBigUint64(at, model.getBigUint64(at, true) | A | (isLeaf && write ? D : 0n), true);
      }
      const real = new PageWalk(physical, WALKER.outside);
      real.walk(0, ...halves(linear), true);
      physical.code.markUsed(real.at, write ? 1 : 0);
      expect(Buffer.compare(physical.u8, new Uint8Array(model.buffer))).toBe(0);
    }),
    { numRuns: 100, seed: 2 },
  );
});

const range = fc.tuple(where, where).map(([a, b]) => [a, b].map((indexes) => Number(linearOf(indexes) >> 12n)).toSorted((x, y) => x - y));

test('all leaves of a root are those that walks find, in order, within bounds', () => {
  let leaves = 0;
  fc.assert(
    fc.property(
      fc.array(valid, { minLength: 20, maxLength: 60, size: 'max' }),
      range,
      fc.boolean(),
      (entries, [low = 0, high = 0], isWhole) => {
        const physical = memoryOf(entries);
        const [from, to] = isWhole ? [0, 2 ** 36] : [low, high];
        const seen: Leaf[] = [];
        new TableInspector(physical).leaves(0, from, to, (page, frame, pages, rights, at) =>
          seen.push({ page, frame, pages, rights, entry: at }),
        );
        expect(seen).toEqual(leavesByWalking(physical, 0, from, to));
        leaves += seen.length;
      },
    ),
    { numRuns: 100, seed: 3 },
  );
  expect(leaves).toBeGreaterThan(1000);
});

test('the tables of a root are those that walks read, parents first', () => {
  fc.assert(
    fc.property(fc.array(valid, { minLength: 20, maxLength: 60, size: 'max' }), (entries) => {
      const physical = memoryOf(entries);
      const read = new Map<string, number>([['0 -1', 4]]);
      for (const a of INDEXES)
        for (const b of INDEXES)
          for (const c of INDEXES) {
            const found = walk(physical, 0, linearOf([a, b, c, 0]), true);
            for (const [i, address] of found.entries.entries())
              if (i > 0)
                read.set(
                  `${Number(address) >> 12} ${found.entries[i - 1]} ${Math.floor(Number(linearOf([a, b, c, 0]) >> 12n) / 512 ** (4 - i))}`,
                  4 - i,
                );
          }
      const seen = new Map<string, number>();
      const levels: number[] = [];
      new TableInspector(physical).tables(0, 0, 2 ** 36, (frame, level, parent, page) => {
        seen.set(parent < 0 ? '0 -1' : `${frame} ${parent} ${page / 512 ** level}`, level);
        expect(level === 4 || levels.at(-1) !== undefined).toBe(true);
        if (level < 4) expect(levels.includes(level + 1)).toBe(true);
        levels.push(level);
      });
      expect(seen).toEqual(read);
    }),
    { numRuns: 80, seed: 4 },
  );
});
