import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openTrace, record, replay } from '../../src/replay/index.ts';
import { guestRecording } from './guest.ts';

describe('recordings side by side', () => {
  test('in several threads are the same file as one alone, and each replays in any of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'replay-'));
    try {
      const script = new URL('./record-guest.ts', import.meta.url);
      const files = [0, 1, 2].map((i) => join(folder, `${i}.mpk`));
      const threads = files.map((file) => new Worker(script, { argv: [file], execArgv: [] }));
      await Promise.all(threads.map((thread) => new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject))));
      const { trace, machine } = await record(guestRecording());
      for (const file of files) {
        expect(Buffer.compare(readFileSync(file), trace ?? new Uint8Array(0))).toBe(0);
        expect(await replay(file, { like: machine })).toMatchObject({ identical: true, complete: true });
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a replay', () => {
  test('reports any flipped bit, and reads any cut up to its last whole block', async () => {
    const recording = await record(guestRecording());
    const bytes = recording.trace ?? new Uint8Array(0);
    const like = { like: recording.machine };
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 20 * 8, max: bytes.length * 8 - 1 }), async (bit) => {
        const flipped = bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const report = await replay(flipped, like);
        expect({ identical: report.identical, kind: report.difference?.kind }).toEqual({ identical: false, kind: 'damage' });
      }),
      { numRuns: 200, seed: 8 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: bytes.length - 1 }), async (length) => {
        const report = await replay(bytes.subarray(0, length), like);
        if (report.difference !== null) expect(report.difference.message).toMatch(/file ends before/);
        else {
          const whole = await openTrace(bytes.subarray(0, length));
          expect(report).toMatchObject({ identical: true, complete: false, instructions: whole.instructions });
        }
      }),
      { numRuns: 100, seed: 9 },
    );
  });
});
