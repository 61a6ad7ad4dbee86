import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ADDRESS_LOG, ADDRESS_LOG_BYTES, AddressLog, BY_STACK, KEYS, STEADY } from '../../../src/machine/cpu/address-log.ts';
import { ADDRESS_NEXT, CpuState, layoutMemory } from '../../../src/machine/cpu/state.ts';
import { addressModule } from '../../../src/machine/translator/address-code.ts';
import { readAddresses } from './address-reader.ts';

const layout = layoutMemory(1 << 16, 1 << 16, ADDRESS_LOG_BYTES);
const memory = new WebAssembly.Memory({ initial: Math.ceil(layout.totalBytes / 65536) });
const state = new CpuState(memory, layout.cpuBase);
const log = new AddressLog(memory, layout.addressBase, state, new WebAssembly.Module(addressModule()));

interface Access {
  readonly key: number;
  readonly address: bigint;
}

function append({ key, address }: Access): void {
  log.add(BigInt(key & (KEYS - 1)), address, (key & BY_STACK) !== 0);
}

/** What a few instructions access that go over arrays, structures and the stack, and anywhere. */
const accesses = fc
  .array(
    fc.record({
      keys: fc.array(fc.constantFrom(1, 2, 3, 0x3fff, BY_STACK + 1, BY_STACK + 2, BY_STACK + 3), { minLength: 1, maxLength: 4 }),
      base: fc.bigInt(-(1n << 47n), (1n << 47n) - 1n),
      step: fc.constantFrom(0n, 8n, -8n, 1n, 4096n),
      apart: fc.constantFrom(0n, 8n, 640n, -(1n << 33n)),
      times: fc.integer({ min: 1, max: 40 }),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((loops) =>
    loops.flatMap(({ keys, base, step, apart, times }) =>
      Array.from({ length: times }, (_, i) =>
        keys.map((key, k): Access => ({ key, address: BigInt.asIntN(48, base + step * BigInt(i) + apart * BigInt(k)) })),
      ).flat(),
    ),
  );

function columns(list: readonly Access[], folds: (index: number) => boolean) {
  log.begin();
  for (const [i, access] of list.entries()) {
    append(access);
    if (folds(i)) log.fold();
  }
  log.fold();
  const { count, misses, differences } = log.take();
  return { count, misses: misses.slice(), differences: differences.slice() };
}

describe('a column of addresses', () => {
  test('is read back by its documentation, whenever it was folded', () => {
    fc.assert(
      fc.property(accesses, fc.integer({ min: 1, max: 50 }), (list, every) => {
        const packed = columns(list, () => false);
        expect(columns(list, (i) => i % every === 0)).toEqual(packed);
        expect(
          readAddresses(
            packed,
            list.map(({ key }) => key),
          ),
        ).toEqual(list.map(({ address }) => address));
      }),
      { numRuns: 300 },
    );
  });

  test('of strings goes on as the first elements began', () => {
    const { repeat } = log.exports as { repeat: (base: number, count: number, streams: number) => void };
    fc.assert(
      fc.property(
        accesses,
        accesses,
        fc.integer({ min: 1, max: 2 }),
        fc.constantFrom(1n, 2n, 4n, 8n),
        fc.integer({ min: 1, max: 50 }),
        (before, after, streams, step, more) => {
          const element = (i: number) =>
            Array.from({ length: streams }, (_, k) => ({ key: 1 + k, address: 0x1000n + BigInt(k) * 0x7123n + step * BigInt(i) }));
          const elements = Array.from({ length: STEADY + more }, (_, i) => element(i)).flat();
          const single = columns([...before, ...elements, ...after], () => false);
          log.begin();
          before.forEach(append);
          elements.slice(0, STEADY * streams).forEach(append);
          repeat(state.base, more, streams);
          after.forEach(append);
          log.fold();
          const { count, misses, differences } = log.take();
          expect({ count, misses: misses.slice(), differences: differences.slice() }).toEqual(single);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('says of each access what else it could have been guessed to be', () => {
    fc.assert(
      fc.property(accesses, fc.nat(), (list, at) => {
        const index = at % list.length;
        const packed = columns(list, () => false);
        log.begin();
        list.forEach(append);
        const guesses = log.guesses(index);
        const keys = list.map(({ key }) => key);
        const wrap = (n: bigint) => BigInt.asUintN(64, n);
        expect(guesses?.address).toBe(wrap(list[index]?.address ?? 0n));
        // the column up to here, with another end
        const front = columns(list.slice(0, index), () => false);
        const read = (kind: number, difference: readonly number[]) => {
          const rest = front.count - countTold(front.misses);
          const miss = rest < 15 ? [rest * 16 + kind] : [0xf0 + kind, ...new Uint8Array(Uint32Array.of(rest).buffer)];
          const forged = {
            count: index + 1,
            misses: Uint8Array.from([...front.misses, ...miss]),
            differences: Uint8Array.from([...front.differences, ...difference]),
          };
          return wrap(readAddresses(forged, keys.slice(0, index + 1))[index] ?? 0n);
        };
        expect(packed.count).toBe(list.length);
        expect(guesses?.following).toBe(read(8, []));
        if (((keys[index] ?? 0) & BY_STACK) === 0) expect(guesses?.other).toBe(read(0, []));
        expect(wrap((guesses?.first ?? 0n) + 1n)).toBe(read(1, [2]));
      }),
      { numRuns: 200 },
    );
  });

  test('leaves no word behind when it is folded', () => {
    log.begin();
    append({ key: 1, address: 5n });
    expect(log.last).toEqual([5n]);
    log.fold();
    expect(log.last).toEqual([]);
    expect(state.get32(ADDRESS_NEXT)).toBe(layout.addressBase + ADDRESS_LOG.words);
  });
});

/** How many accesses stand before the end of the last wrong guess. */
function countTold(misses: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < misses.length; at++) {
    const right = (misses[at] ?? 0) >> 4;
    count += right + 1;
    if (right !== 15) continue;
    count += new DataView(misses.buffer, misses.byteOffset).getUint32(at + 1, true) - 15;
    at += 4;
  }
  return count;
}
