import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { InstructionView, Trace } from '../../../src/replay/index.ts';
import { Walker } from '../../../src/replay/walk/walker.ts';
import { changingTrace, remappedTrace, smallTrace, steps } from './guests.ts';

let small: Trace;
let changing: Trace;
let smallSteps: InstructionView[];
let changingSteps: InstructionView[];

beforeAll(async () => {
  [small, changing] = [await smallTrace(), await changingTrace()];
  [smallSteps, changingSteps] = [await steps(small), await steps(changing)];
});

/** Address and bytes of each instruction along the path. */
async function walked(trace: Trace, from: bigint, to: bigint): Promise<string[]> {
  const lines: string[] = [];
  const walker = await Walker.open<null>(trace, {
    ownerOf: () => null,
    sink: {
      block: (block, count, _isTaken, at) => {
        for (let i = 0; i < count; i++) {
          const index = block.isRepeated ? 0 : i;
          lines.push(line(BigInt(at + i), block.ripOf(index), block.bytesOf(index)));
        }
      },
    },
  });
  walker.walk(from, to);
  return lines;
}

const line = (at: bigint, rip: bigint, bytes: Uint8Array): string => `${at} 0x${rip.toString(16)} ${Buffer.from(bytes).toString('hex')}`;
const lines = (views: readonly InstructionView[]) => views.map(({ at, rip, bytes }) => line(at, rip, bytes));

describe('the walk along the path by blocks', () => {
  test('gives the instructions that single steps give', async () => {
    expect(small.instructions).toBeGreaterThan(4000n);
    expect(await walked(small, 0n, small.instructions)).toEqual(lines(smallSteps));
  });

  test('sees code as it is at the moment, however it changes', async () => {
    expect(await walked(changing, 0n, changing.instructions)).toEqual(lines(changingSteps));
    const patched = new Set(changingSteps.filter(({ text }) => text.startsWith('mov al,')).map(({ text }) => text));
    expect(patched.size).toBe(40);
  });

  test('looks again where a page was flushed', async () => {
    const trace = await remappedTrace();
    const views = await steps(trace);
    expect(views.filter(({ text }) => text === 'dec esi')).toHaveLength(24);
    expect(await walked(trace, 0n, trace.instructions)).toEqual(lines(views));
  });

  test('gives any part of a run as the whole', async () => {
    const end = small.instructions;
    await fc.assert(
      fc.asyncProperty(fc.bigInt(0n, end), fc.bigInt(0n, 900n), async (from, length) => {
        expect(await walked(small, from, from + length)).toEqual(lines(smallSteps.slice(Number(from), Number(from + length))));
      }),
      { numRuns: 8, seed: 11 },
    );
  });
});
