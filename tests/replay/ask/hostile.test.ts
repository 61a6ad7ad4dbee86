/** Traces that were forged, with checksums that are right: whatever is asked of them ends, with an answer or an error of one line. */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { UserError } from '../../../src/machine/index.ts';
import {
  Coverage,
  diff,
  exportPerfetto,
  lcovText,
  openTrace,
  type PlayerOptions,
  profileOf,
  record,
  Selection,
  select,
  type Trace,
} from '../../../src/replay/index.ts';
import type { RunBlock } from '../../../src/replay/schema.ts';
import { forge } from '../forge.ts';
import { guestRecording } from '../guest.ts';

let bytes: Uint8Array;
let trace: Trace;
/** Its compiled code is shared: that is most of what a machine costs. */
let like: PlayerOptions;

beforeAll(async () => {
  const recording = await record(guestRecording({ rounds: 8, timer: 700 }));
  bytes = recording.trace ?? new Uint8Array(0);
  like = { like: recording.machine };
  trace = await openTrace(bytes);
});

/** What may be done to a block, each with a byte and a place out of 0 … 1. */
const CHANGES: Readonly<Record<string, (run: RunBlock, place: number, byte: number) => RunBlock>> = {
  bits: (run, place, byte) => ({ ...run, path: run.path && { ...run.path, bits: changed(run.path.bits, place, byte, run.path.bitCount) } }),
  targets: (run, place, byte) => ({ ...run, path: run.path && { ...run.path, targets: changed(run.path.targets, place, byte) } }),
  guesses: (run, place, byte) => ({
    ...run,
    path: run.path?.guesses ? { ...run.path, guesses: changed(run.path.guesses, place, byte, run.path.targetCount) } : run.path,
  }),
  rip: (run, place, byte) => ({ ...run, rip: run.rip ^ (BigInt(byte) << BigInt(Math.floor(place * 56))) }),
  mode: (run, place) => ({ ...run, mode: ([16, 32, 64] as const)[Math.floor(place * 2.99)] ?? 16 }),
  events: (run, place, byte) =>
    'stream' in run.events ? { ...run, events: { ...run.events, stream: changed(run.events.stream, place, byte) } } : run,
};

/** One byte is another; the bits behind the last stay 0. */
function changed(column: Uint8Array, place: number, byte: number, bits = 8 * column.length): Uint8Array {
  const copy = column.slice();
  const index = Math.floor(place * copy.length);
  if (index < copy.length) copy[index] = (copy[index] ?? 0) ^ byte;
  if ((bits & 7) !== 0 && copy.length > 0) copy[copy.length - 1] = (copy.at(-1) ?? 0) & ((1 << (bits & 7)) - 1);
  return copy;
}

const QUESTIONS: Readonly<Record<string, (trace: Trace) => Promise<unknown>>> = {
  profile: (forged) => profileOf(forged, like),
  coverage: async (forged) => {
    const coverage = new Coverage();
    await coverage.add(forged, like);
    return lcovText(coverage);
  },
  instructions: (forged) => select(forged, new Selection(['op=*', 'kind=event']), like, () => true),
  export: (forged) => exportPerfetto(forged, like, () => {}),
  diff: (forged) => diff(trace, forged, like),
};

test('every question to a forged trace is answered, or refused in one line', { timeout: 120_000 }, async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.keys(CHANGES)),
      fc.constantFrom(...Object.keys(QUESTIONS)),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.integer({ min: 1, max: 255 }),
      async (change, question, block, place, byte) => {
        const index = Math.floor(block * trace.runs);
        const forged = await openTrace(await forge(bytes, index, (run) => CHANGES[change]?.(run, place, byte) ?? run));
        try {
          await QUESTIONS[question]?.(forged);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.message).not.toContain('\n');
          refused++;
        }
      },
    ),
    { numRuns: 24, seed: 8, endOnFailure: true },
  );
  expect(refused).toBeGreaterThan(5);
});
