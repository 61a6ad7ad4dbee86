/**
 * The machine state that a checkpoint holds, changed by an enemy who makes all checksums and hashes right: it is refused, or it is another run, the same
 * in all tiers.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { Machine, type SnapshotParts, UserError } from '../../../src/machine/index.ts';
import { openTrace, record, replay, type Trace } from '../../../src/replay/index.ts';
import { storedState } from '../../../src/replay/trace/stored-state.ts';
import { forge } from '../forge.ts';
import { guestRecording, ScriptedHost } from '../guest.ts';

let bytes: Uint8Array;
let trace: Trace;
let machines: readonly Machine[];
let checkpoints: readonly SnapshotParts[];

beforeAll(async () => {
  const recording = await record(guestRecording());
  bytes = recording.trace ?? new Uint8Array(0);
  trace = await openTrace(bytes);
  const like = recording.machine;
  machines = await Promise.all(
    ([0, 'auto'] as const).map((tier) => Machine.create({ ...trace.header.machine, tier }, new ScriptedHost(), like)),
  );
  checkpoints = trace.checkpoints.map((_, index) => storedState(trace, index));
});

/** Some bytes of a state become others: any, all ones, one bit, a float that is none, a large number. */
const edit = fc.record({
  place: fc.oneof(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    fc.double({ min: 0.75, max: 1, maxExcluded: true, noNaN: true }),
  ),
  put: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.nat(7).map((bit) => Uint8Array.of(1 << bit)),
    fc
      .constantFrom([255, 255, 255, 255], [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], [0, 0, 0, 0, 0, 0, 0x50, 0x43])
      .map((list) => Uint8Array.from(list)),
  ),
});
const edits = fc.array(edit, { minLength: 1, maxLength: 3 });

function edited(state: Uint8Array, list: readonly { readonly place: number; readonly put: Uint8Array }[]): Uint8Array {
  const made = state.slice();
  for (const { place, put } of list) {
    const at = Math.floor(place * state.length);
    for (const [i, byte] of put.entries()) if (at + i < made.length) made[at + i] = (made[at + i] ?? 0) ^ byte;
  }
  return made;
}

/** The hash that the state has, or null where it is refused. */
function restored(machine: Machine, parts: SnapshotParts): string | null {
  try {
    machine.restoreFrom(parts);
    return machine.hash();
  } catch (error) {
    if (error instanceof RangeError || error instanceof UserError) return null;
    throw error;
  }
}

test('a state that no machine stores is refused; any other runs, in all tiers the same', () => {
  let refused = 0;
  const runs = 600;
  fc.assert(
    fc.property(fc.nat(checkpoints.length - 1), edits, (index, list) => {
      const parts = checkpoints[index];
      if (parts === undefined) throw new Error(`there is no checkpoint ${index}`);
      const state = edited(parts.state, list);
      const ends = machines.map((machine) => {
        if (restored(machine, { ...parts, state }) === null) return null;
        const start = machine.count;
        return [machine.run(start + 400n), machine.count, machine.hash()];
      });
      expect(ends[1]).toEqual(ends[0]);
      if (ends[0] === null) refused++;
    }),
    { numRuns: runs, seed: 1 },
  );
  // Both must have been tried.
  expect(refused).toBeGreaterThan(runs / 20);
  expect(refused).toBeLessThan(runs / 2);
});

test('a trace whose checkpoint holds another state is damaged, or its seeks lead into another run', async () => {
  const verdicts = new Set<string>();
  const like = machines[0];
  await fc.assert(
    fc.asyncProperty(fc.nat(checkpoints.length - 1), edits, async (index, list) => {
      const [parts, machine] = [checkpoints[index], machines[0]];
      if (parts === undefined || machine === undefined) throw new Error(`there is no checkpoint ${index}`);
      const state = edited(parts.state, list);
      fc.pre(Buffer.compare(state, parts.state) !== 0);
      const hash = restored(machine, { ...parts, state }) ?? '0123456789abcdef';
      const at = trace.checkpoints[index] ?? 0n;
      const forged = await forge(
        bytes,
        trace.runAt(at - 1n),
        (run) => ({ ...run, hash }),
        (old) => (Buffer.compare(old, parts.state) === 0 ? state : old),
      );
      const sought = await replay(forged, { to: at + 100n, ...(like && { like }) });
      verdicts.add(sought.difference?.kind ?? 'the same');
    }),
    { numRuns: 12, seed: 2 },
  );
  expect([...verdicts]).toContain('damage');
  expect([...verdicts].length).toBeGreaterThan(1);
});
