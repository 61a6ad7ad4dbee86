/** The table of translations against a plain Map. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CpuState, layoutMemory, MMU } from '../../../src/machine/cpu/state.ts';
import { Mmu } from '../../../src/machine/memory/mmu.ts';
import { PhysicalMemory } from '../../../src/machine/memory/physical.ts';
import { RIGHTS } from '../../../src/machine/memory/rights.ts';
import { Translations } from '../../../src/machine/memory/translations.ts';
import { GLOBAL_TAG, SLOT, TAG, TAG_BYTES, TAGS_AT } from '../../../src/machine/memory/translations-code.ts';

type Command =
  | {
      readonly do: 'insert';
      readonly page: number;
      readonly tag: number;
      readonly size: number;
      readonly frame: number;
      readonly rights: number;
    }
  | { readonly do: 'invalidate'; readonly page: number; readonly tag: number }
  | { readonly do: 'flush'; readonly tag: number }
  | { readonly do: 'flushAll'; readonly globals: boolean };

/** Few pages and tags, so that commands meet; some far apart. */
const page = fc.oneof(
  fc.nat(5),
  fc.nat(5).map((n) => 2 ** 35 + n * 512),
  fc.nat(3).map((n) => n * 262144 + 7),
);
const tag = fc.constantFrom(0, 1, 2, 4095);
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('insert' as const),
      page,
      tag: fc.oneof(tag, fc.constant(GLOBAL_TAG)),
      size: fc.nat(2),
      frame: fc.nat(2 ** 28 - 1),
      rights: fc.nat(31),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('invalidate' as const), page, tag: fc.oneof(tag, fc.constant(GLOBAL_TAG)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const), tag: fc.oneof(tag, fc.constant(GLOBAL_TAG)) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flushAll' as const), globals: fc.boolean() }) },
);

const UNIT = [1, 512, 262144] as const;
const unitOf = (pageNumber: number, size: number) => Math.floor(pageNumber / (UNIT[size] ?? 1));
const key = (pageNumber: number, of: number, size: number) => `${of} ${size} ${unitOf(pageNumber, size)}`;
const split = (n: number): [number, number] => [n | 0, Math.floor(n / 2 ** 32)];

test('agrees with a map after any commands, in what it finds, lists and sums', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
      const real = new Translations();
      const model = new Map<string, { frame: number; rights: number }>();
      for (const c of commands) {
        if (c.do === 'insert') {
          const [low, high] = split(unitOf(c.page, c.size));
          const there = real.code.find(low, high, c.tag, c.size);
          expect(there >= 0).toBe(model.has(key(c.page, c.tag, c.size)));
          if (there >= 0) real.code.remove(there);
          real.code.insert(low, high, c.tag, c.size, c.frame, c.rights, 1, 0, 0);
          model.set(key(c.page, c.tag, c.size), { frame: c.frame, rights: c.rights });
        } else if (c.do === 'invalidate') {
          let sizes = 0;
          for (let size = 0; size < 3; size++) if (model.delete(key(c.page, c.tag, size))) sizes |= 1 << size;
          expect(real.invalidatePage(...split(c.page), c.tag)).toBe(sizes);
        } else {
          if (c.do === 'flush') real.code.flushTag(c.tag);
          else real.flushAll(c.globals);
          for (const k of model.keys()) {
            const of = Number(k.split(' ')[0]);
            if (c.do === 'flush' ? of === c.tag : of !== GLOBAL_TAG || c.globals) model.delete(k);
          }
        }
      }
      const listed = real.entries().map((e) => [key(e.page, e.tag, e.size), { frame: e.frame, rights: e.rights }] as const);
      expect(new Map(listed)).toEqual(model);
      // The sum depends on what is there alone, not on how it came.
      const again = new Translations();
      again.restore(real.entries());
      expect(again.sum).toEqual(real.sum);
      expect(again.entries()).toEqual(real.entries());
    }),
    { numRuns: 150, seed: 1 },
  );
});

test('grows, and forgets dead entries when it does', () => {
  const table = new Translations();
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 1000; i++) table.code.insert(i, 0, 3, 0, i, RIGHTS.write, 1, 0, 0);
    table.code.flushTag(3);
  }
  for (let i = 0; i < 20_000; i++) table.code.insert(i, 1, 5, 0, i, RIGHTS.user, 1, 0, 0);
  for (let i = 0; i < 20_000; i += 777) expect(table.get(table.code.find(i, 1, 5, 0), SLOT.frame)).toBe(i);
  expect(table.code.find(5, 0, 3, 0)).toBe(-1);
  expect(table.entries()).toHaveLength(20_000);
});

test('a lookup takes the smallest page, and of one size the PCID’s own before a global one', () => {
  const PAGE = 2 ** 35 + 5 * 262144 + 7 * 512 + 3;
  const kinds = [0, 1, 2].flatMap((size) => [3, GLOBAL_TAG].map((tag) => ({ size, tag })));
  for (let present = 0; present < 2 ** kinds.length; present++) {
    const table = new Translations();
    // others of every kind are there, too: elsewhere, and of another PCID
    for (const [n, { size, tag }] of kinds.entries()) {
      table.code.insert(...split(unitOf(PAGE + 262144, size)), tag, size, 100 + n, 0, 1, 0, 0);
      if (tag !== GLOBAL_TAG) table.code.insert(...split(unitOf(PAGE, size)), 4, size, 200 + n, 0, 1, 0, 0);
      if ((present & (1 << n)) !== 0) table.code.insert(...split(unitOf(PAGE, size)), tag, size, n, 0, 1, 0, 0);
    }
    const slot = table.code.lookup(...split(PAGE), 3);
    const first = kinds.findIndex((_, n) => (present & (1 << n)) !== 0);
    expect([present, slot < 0 ? -1 : table.get(slot, SLOT.frame)]).toEqual([present, first]);
  }
});

test('every slot is listed', () => {
  for (let n = 0; n < 16; n++) {
    const table = new Translations();
    for (let i = 0; i < 2000; i++) table.code.insert(i, 0, n, 0, i, 0, 1, 0, 0);
    expect(table.entries().map(({ page }) => page)).toEqual(Array.from({ length: 2000 }, (_, i) => i));
  }
});

test('generations do not run out: all are numbered anew', () => {
  for (const start of [2 ** 31 - 4, -8, -7, -6, -5, -4, -3]) {
    const table = new Translations();
    new Int32Array(table.memory.buffer)[(TAGS_AT + 3 * TAG_BYTES + TAG.generation) >> 2] = start;
    table.code.insert(77, 0, 4, 0, start & 0xff, 0, 5, 9, 6);
    for (let flush = 0; flush < 12; flush++) {
      for (let page = 0; page < 5; page++) expect([start, flush, table.code.find(page, 0, 3, 0)]).toEqual([start, flush, -1]);
      for (let page = 0; page < 5; page++) table.code.insert(page, 0, 3, 0, flush, RIGHTS.write, 1, 0, 0);
      table.code.remove(table.code.find(flush % 5, 0, 3, 0));
      expect(table.entries().map(({ page }) => page)).toEqual([...[0, 1, 2, 3, 4].filter((page) => page !== flush % 5), 77]);
      table.code.flushTag(3);
    }
    const slot = table.code.find(77, 0, 4, 0);
    expect([SLOT.frame, SLOT.epoch, SLOT.root, SLOT.seen].map((field) => table.get(slot, field))).toEqual([start & 0xff, 5, 9, 6]);
    table.code.remove(slot);
    expect(table.sum).toEqual([0, 0]);
  }
});

test('epochs do not run out: where they begin again, no translation counts as compared', () => {
  const layout = layoutMemory(1 << 20);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.totalBytes / 65536) });
  const state = new CpuState(memory, layout.cpuBase);
  const mmu = new Mmu(state, new PhysicalMemory(memory, layout.ramBase, 1 << 20), { tableChanged: () => {}, rootChanged: () => {} });
  const { code } = mmu.translations;
  const first = state.get32(MMU.epoch);
  for (let page = 0; page < 4; page++) code.insert(page, 0, 0, 0, page, 0, first + page, 7, 0);
  state.set32(MMU.epoch, 0xfffffffe);
  for (let n = 0; n < 4; n++) {
    mmu.forgetTables();
    const epoch = state.get32(MMU.epoch);
    expect(epoch).not.toBe(0);
    for (let page = 0; page < 4; page++) expect(mmu.translations.get(code.find(page, 0, 0, 0), SLOT.epoch)).not.toBe(epoch);
  }
  expect(mmu.translations.get(code.find(2, 0, 0, 0), SLOT.root)).toBe(7);
});
