/** Measuring: what every machine must say alike, and what a cell holds where it does not. Peers are made here: no program is run. */
import { expect, it } from 'vitest';
import type { Image } from '../../bench/build.ts';
import { BenchError } from '../../bench/error.ts';
import { measure } from '../../bench/measure.ts';
import type { Peer, Run } from '../../bench/peers/peer.ts';

const image: Image = { name: 'a guest', file: 'guest', elf64: '', initrd: null, elf32: null, process: null, lastLine: null };

/** A machine whose rounds take these CPU seconds. */
function peer(
  name: string,
  seconds: readonly number[],
  run: Partial<Run> = {},
  version: string | null = '1',
): Peer & { readonly rounds: () => number } {
  let round = 0;
  return {
    name,
    tool: name,
    version,
    canRun: () => true,
    run: () => ({ cpuSeconds: seconds[round++] ?? Number.NaN, console: 'checksum 1\n', ...run }),
    rounds: () => round,
  };
}

const cells = (peers: readonly Peer[], rounds: number) => Object.fromEntries(measure(image, peers, rounds, () => {}).cells);
const timed = (cpuSeconds: number) => ({ kind: 'timed', cpuSeconds, traceBytes: null });

it('takes the median of the rounds', () => {
  expect(cells([peer('ours', [3, 1, 2])], 3)).toEqual({ ours: timed(2) });
});

it('measures a slow machine once', () => {
  const slow = peer('slow', [16, 1, 1]);
  const quick = peer('quick', [1, 1, 1]);
  expect(cells([slow, quick], 3)).toEqual({ slow: timed(16), quick: timed(1) });
  expect([slow.rounds(), quick.rounds()]).toEqual([1, 3]);
});

it('takes another answer for an error', () => {
  const { other } = cells([peer('ours', [1]), peer('other', [1], { console: 'checksum 2\n' })], 1);
  expect(other).toEqual({ kind: 'error', message: String.raw`another answer: "checksum 2\n" for "checksum 1\n"` });
});

it('takes another state hash or count of our own machine for an error', () => {
  const ours = { hash: 'a', instructions: 5 };
  const { hash, count, replay } = cells(
    [
      peer('ours', [1], ours),
      peer('hash', [1], { ...ours, hash: 'b' }),
      peer('count', [1], { ...ours, instructions: 6 }),
      peer('replay', [1], { ...ours, console: null }),
    ],
    1,
  );
  expect([hash?.kind, count?.kind, replay]).toEqual(['error', 'error', timed(1)]);
});

it('keeps an error of one round, and goes on with the others', () => {
  let round = 0;
  const failing: Peer = {
    ...peer('failing', []),
    run: () => {
      if (round++ === 1) throw new BenchError('ended with status 3');
      return { cpuSeconds: 1, console: 'checksum 1\n' };
    },
  };
  expect(cells([peer('ours', [1, 1, 1]), failing], 3)).toEqual({
    ours: timed(1),
    failing: { kind: 'error', message: 'ended with status 3' },
  });
});

it('says what is not installed and what cannot run it', () => {
  const cannot: Peer = { ...peer('cannot', [1]), canRun: () => false };
  expect(cells([peer('missing', [1], {}, null), cannot], 1)).toEqual({ missing: { kind: 'not installed' }, cannot: { kind: 'left out' } });
});
