import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { PREAMBLE_BYTES } from '../../../src/replay/trace/frame.ts';
import { goldenFolder, oldRecordings } from '../golden.ts';
import { readAll, Victim, verdict } from './victim.ts';

let victim: Victim;

beforeAll(async () => {
  victim = await Victim.create();
});

describe('hostile traces, at length', () => {
  test('every single bit, flipped, is reported', async () => {
    const { sample, frames } = victim;
    for (let bit = 0; bit < sample.length * 8; bit++) {
      const found = await verdict(victim.flipped(bit));
      // One bit may lead to another version that can be read: the header contradicts it.
      if (bit < PREAMBLE_BYTES * 8) expect('refused' in found || ('damage' in found && found.damage.block === 0)).toBe(true);
      else {
        const block = frames.findLastIndex((start, i) => bit >> 3 >= start && i < frames.length - 1);
        if (!('damage' in found) || found.damage.block !== block || found.damage.offset !== frames[block])
          expect({ bit, found }).toBe('damage there');
      }
      await readAll(victim.flipped(bit));
    }
  });

  test('eight thousand forged traces bring damage or another trace', async () => {
    const edit = fc.tuple(fc.nat(), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.nat(victim.frames.length - 2), fc.array(edit, { minLength: 1, maxLength: 6 }), async (frame, edits) => {
        const bytes = victim.forged(frame, (raw) => {
          for (const [at, value] of edits) raw[at % Math.min(raw.length, 900)] = value;
          return raw;
        });
        await verdict(bytes);
        await readAll(bytes);
      }),
      { numRuns: 8_000, seed: 6 },
    );
  });

  test.each(Object.keys(oldRecordings))('so do forged traces of an older format: %s', async (name) => {
    const old = await Victim.create(Uint8Array.from(readFileSync(join(goldenFolder, name))));
    const edit = fc.tuple(fc.nat(), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(
        fc.nat(old.frames.length - 2),
        fc.constantFrom(900, Number.POSITIVE_INFINITY),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        async (frame, within, edits) => {
          const bytes = old.forged(frame, (raw) => {
            for (const [at, value] of edits) raw[at % Math.min(raw.length, within)] = value;
            return raw;
          });
          await verdict(bytes);
          await readAll(bytes);
        },
      ),
      { numRuns: 300, seed: 8 },
    );
  });

  test('five thousand files of bytes taken, put in and doubled', async () => {
    const edit = fc.record({ at: fc.nat(), take: fc.nat(40), put: fc.uint8Array({ maxLength: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 3 }), async (edits) => {
        let bytes: Uint8Array = victim.sample;
        for (const { at, take, put } of edits) {
          const from = at % bytes.length;
          bytes = Uint8Array.from(Buffer.concat([bytes.subarray(0, from), put, bytes.subarray(from + take)]));
        }
        const found = await verdict(bytes);
        if ('whole' in found) expect(Buffer.compare(bytes, victim.sample)).toBe(0);
        await readAll(bytes);
      }),
      { numRuns: 5_000, seed: 7 },
    );
  });
});
