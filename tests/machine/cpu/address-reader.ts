/** Reads a column of addresses as its documentation says (cpu/address-log.ts), given the keys: the judge of the code that writes it. */
import type { PackedAddresses } from '../../../src/machine/index.ts';
import { wrongGuesses } from '../../../src/replay/addresses.ts';

interface Key {
  last: bigint;
  stride: bigint;
  near: bigint;
  change: bigint;
  isNear: boolean;
}

const signed = (n: bigint): number => Number(BigInt.asIntN(32, n));

/** `keys`: the low 16 bits of each access' word. Gives the addresses, as numbers with a sign. */
export function readAddresses(packed: PackedAddresses, keys: readonly number[]): bigint[] {
  const known = new Map<number, Key>();
  const distances = new Map<number, bigint>();
  const changes = new Map<number, bigint>();
  const wrong = wrongGuesses(packed);
  let next = wrong.next();
  let [stack, before] = [0n, 0n];
  return keys.map((low, index) => {
    const isByStack = low >= 0x8000;
    const number = low & 0x3fff;
    const key = known.get(number) ?? { last: 0n, stride: 0n, near: 0n, change: 0n, isNear: false };
    if (!isByStack) known.set(number, key);
    const distance = distances.get(number) ?? 0n;
    const [byStride, near] = [key.last + key.stride, before + key.near];
    const guess = isByStack ? stack + distance : key.isNear ? near : byStride;
    let address = guess;
    if (next.value?.index === index) {
      const base = isByStack ? stack : key.last;
      const mixed = Math.imul(signed(isByStack ? distance : key.last), 0x9e3779b1) + Math.imul(low, 0x85ebca6b);
      const circumstances = (mixed >>> 0) >>> 18;
      const { is } = next.value;
      address =
        is === 'other' ? (key.isNear ? byStride : near) : is === 'following' ? base + (changes.get(circumstances) ?? 0n) : guess + is;
      next = wrong.next();
      const change = address - base;
      changes.set(circumstances, change);
      if (isByStack) distances.set(number, change);
      else {
        if (is === 'other') key.isNear = !key.isNear;
        key.near = address - before;
        if (change === key.change) key.stride = change;
        key.change = change;
      }
    }
    if (isByStack) stack = address;
    else key.last = address;
    before = address;
    return address;
  });
}
