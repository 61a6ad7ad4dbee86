/** RegionList, a pure module of keel, under Node: against a map from page to rights. */
import '../../../src/compiler/library/node.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** The module is bare TypeScript with types of its own world: only these members are used here. */
interface Regions {
  readonly count: number;
  at(index: number): { readonly start: bigint; readonly end: bigint; readonly rights: number; readonly isShared: boolean };
  find(address: bigint): { readonly rights: number } | null;
  insert(start: bigint, end: bigint, rights: number, isShared: boolean): boolean;
  remove(start: bigint, end: bigint): boolean;
  protect(start: bigint, end: bigint, rights: number): boolean;
  isFree(start: bigint, end: bigint): boolean;
  isCovered(start: bigint, end: bigint): boolean;
  hasShared(start: bigint, end: bigint): boolean;
  findRoom(bytes: bigint): bigint;
}

const modulePath = '../../../src/kernel/mm/region-list.ts';
const { RegionList } = (await import(modulePath)) as { RegionList: new () => Regions };

const PAGE = 0x1000n;
const PAGES = 40;
const BASE = 0x10_0000n;
const addressOf = (page: number) => BASE + BigInt(page) * PAGE;

type Step = {
  readonly kind: 'insert' | 'remove' | 'protect';
  readonly from: number;
  readonly pages: number;
  readonly rights: number;
  readonly shared: boolean;
};
const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('insert', 'remove', 'protect'),
  from: fc.nat(PAGES - 1),
  pages: fc.integer({ min: 1, max: 12 }),
  rights: fc.constantFrom(0, 1, 3, 5),
  shared: fc.boolean(),
});

interface Page {
  readonly rights: number;
  readonly shared: boolean;
}

/** Applies a step to both, as the system calls do: into free room only, over covered ranges only. */
function apply(regions: Regions, model: Map<number, Page>, { kind, from, pages, rights, shared }: Step): void {
  const range = Array.from({ length: pages }, (_, n) => from + n);
  const [start, end] = [addressOf(from), addressOf(from + pages)];
  expect(regions.isFree(start, end)).toBe(range.every((page) => !model.has(page)));
  expect(regions.isCovered(start, end)).toBe(range.every((page) => model.has(page)));
  expect(regions.hasShared(start, end)).toBe(range.some((page) => model.get(page)?.shared));
  if (kind === 'insert' && regions.isFree(start, end) && regions.insert(start, end, rights, shared)) {
    for (const page of range) model.set(page, { rights, shared });
  }
  if (kind === 'remove' && regions.remove(start, end)) for (const page of range) model.delete(page);
  if (kind === 'protect' && regions.isCovered(start, end) && regions.protect(start, end, rights)) {
    for (const page of range) model.set(page, { rights, shared: model.get(page)?.shared ?? false });
  }
}

describe('RegionList', () => {
  it('says of every page what a map says, in order, without overlap, neighbours that are alike merged', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const regions = new RegionList();
        const model = new Map<number, Page>();
        for (const each of steps) apply(regions, model, each);
        for (let page = 0; page < PAGES + 12; page++) {
          expect(regions.find(addressOf(page) + 5n)?.rights).toBe(model.get(page)?.rights);
        }
        for (let n = 1; n < regions.count; n++) {
          const [left, right] = [regions.at(n - 1), regions.at(n)];
          expect(left.end <= right.start).toBe(true);
          expect(left.end === right.start && left.rights === right.rights && left.isShared === right.isShared).toBe(false);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('refuses when the table is full, and changes nothing', () => {
    const regions = new RegionList();
    for (let n = 0; regions.insert(addressOf(2 * n), addressOf(2 * n + 1), 1, false); n++) {}
    expect(regions.count).toBe(64);
    expect(regions.remove(addressOf(0), addressOf(1))).toBe(false);
    expect(regions.find(addressOf(0))?.rights).toBe(1);
  });

  it('finds the highest room that is large enough', () => {
    const regions = new RegionList();
    const first = regions.findRoom(PAGE);
    expect(regions.insert(first, first + PAGE, 1, false)).toBe(true);
    expect(regions.findRoom(3n * PAGE)).toBe(first - 3n * PAGE);
    expect(regions.findRoom(1n << 60n)).toBe(0n);
  });
});
