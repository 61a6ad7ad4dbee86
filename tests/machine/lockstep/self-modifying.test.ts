/** Guests that store into pages that they execute: the same in every tier, wherever they are stopped. */
import { expect, test } from 'vitest';
import { Random } from '../cpu/interpreter-judge.ts';
import { boot } from '../system/guest.ts';
import { SELF_MODIFYING } from '../system/self-modifying-guests.ts';
import { judgeTiers } from './judge.ts';

const STORES = 30_000;
const half = (STORES * (STORES + 1)) / 2;
const quarter = ((STORES / 2) * (STORES / 2 + 1)) / 2;

test.each([
  ['sharing', 1, half],
  ['sharing', 'auto', half],
  ['patching', 1, half],
  ['patching', 'auto', half],
  ['compiling', 1, quarter],
  ['compiling', 'auto', quarter],
] as const)('%s (tier %s)', async (name, tier, sum) => {
  const judged = await judgeTiers(name, SELF_MODIFYING[name](STORES), new Random(7), { tier, path: tier === 1, addresses: tier === 1 });
  expect(judged.text.trim()).toBe(sum.toString(16));
});

test.each(['sharing', 'patching', 'compiling'] as const)('%s: a snapshot brings back the bytes that its code had', async (name) => {
  const { machine } = await boot(SELF_MODIFYING[name](3000), { tier: 1 });
  const begin = machine.snapshot();
  machine.run(10_000n);
  const [middle, hash] = [machine.snapshot(), machine.hash()];
  machine.run(1_000_000n);
  const end = `${machine.count} ${machine.hash()}`;
  for (const snapshot of [middle, begin, middle]) {
    machine.restore(snapshot);
    machine.run(10_000n);
    expect(machine.hash()).toBe(hash);
    machine.run(1_000_000n);
    expect(`${machine.count} ${machine.hash()}`).toBe(end);
  }
});
