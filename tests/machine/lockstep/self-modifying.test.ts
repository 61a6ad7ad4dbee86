/** Guests that store into pages that they execute: the same in every tier, wherever they are stopped. */
import { expect, test } from 'vitest';
import { Random } from '../cpu/interpreter-judge.ts';
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
