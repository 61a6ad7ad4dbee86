import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { openTrace, Player, record, Timeline, type Trace } from '../../../src/replay/index.ts';
import { Waypoints } from '../../../src/replay/timeline/waypoints.ts';
import { guestRecording } from '../guest.ts';

let trace: Trace;
let player: Player;

/** A run of many slices without a checkpoint: only moments in memory make a way back short. */
beforeAll(async () => {
  const recording = await record({ ...guestRecording({ rounds: 1500 }), blockInstructions: 1 << 16, checkpointInstructions: 1 << 24 });
  trace = await openTrace(recording.trace ?? new Uint8Array(0));
  player = await Player.open(trace, { like: recording.machine });
  expect(trace.checkpoints.length).toBe(0);
  expect(trace.instructions).toBeGreaterThan(200_000n);
});

const position = (): fc.Arbitrary<bigint> => fc.bigInt(0n, trace.instructions);

describe('moments in memory', () => {
  test('bring back the state that a run from the start has', async () => {
    const timeline = await Timeline.open(trace, { like: player.machine });
    const move = fc.oneof(
      position().map((to) => () => timeline.seek(to)),
      fc.bigInt(1n, 20_000n).map((count) => () => timeline.stepBack(count)),
      fc.bigInt(1n, 20_000n).map((count) => () => timeline.step(count)),
      fc.bigInt(1n, 60_000n).map((count) => () => void timeline.back({ breakpoints: [{ address: 1n }], until: timeline.position - count })),
    );
    fc.assert(
      fc.property(fc.array(move, { minLength: 2, maxLength: 10 }), (moves) => {
        for (const go of moves) go();
        player.seek(0n);
        player.run(timeline.position);
        expect(timeline.machine.hash()).toBe(player.machine.hash());
      }),
      { numRuns: 15 },
    );
  });

  test('are the last at or before a position, many near the one that matters and few far from it, within the limit of pages', () => {
    fc.assert(
      fc.property(
        fc.array(position(), { minLength: 1, maxLength: 60 }),
        position(),
        fc.integer({ min: 1, max: 200 }),
        (places, here, mostPages) => {
          const [waypoints, few] = [new Waypoints(), new Waypoints(mostPages)];
          for (const to of places) {
            player.seek(to);
            const mark = player.mark();
            waypoints.add(mark, here);
            few.add(mark, here);
            expect(few.pages <= mostPages || few.length === 1).toBe(true);
          }
          const kept = new Set(places.filter((place) => waypoints.before(place)?.position === place));
          expect(kept.size).toBe(waypoints.length);
          for (const place of places.flatMap((each) => [each - 1n, each, each + 1n])) {
            const last =
              [...kept]
                .filter((each) => each <= place)
                .sort((a, b) => (a < b ? -1 : 1))
                .at(-1) ?? null;
            expect(waypoints.before(place)?.position ?? null).toBe(last);
          }
          const sorted = [...kept].sort((a, b) => (a < b ? -1 : 1));
          for (const [i, place] of sorted.entries()) {
            const [before, after] = [sorted[i - 1], sorted[i + 1]];
            if (before === undefined || after === undefined) continue;
            expect((after - before) * 2n >= (place < here ? here - place : place - here)).toBe(true);
          }
          // Going back from a place, what is run again is at most about as far as the place is from the position that matters.
          for (const place of places) {
            const distance = place < here ? here - place : place - here;
            const nearest = [...kept].map((each) => (each < place ? place - each : each - place)).sort((a, b) => (a < b ? -1 : 1))[0] ?? 0n;
            expect(nearest <= distance).toBe(true);
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  test('share the pages that did not change', () => {
    player.seek(100_000n);
    const waypoints = new Waypoints();
    waypoints.add(player.mark(), 100_000n);
    const alone = waypoints.pages;
    player.run(100_010n);
    waypoints.add(player.mark(), 100_000n);
    expect(waypoints.length).toBe(2);
    expect(waypoints.pages - alone).toBeLessThan(10);
    expect(alone).toBeGreaterThan(waypoints.pages - alone);
  });
});
