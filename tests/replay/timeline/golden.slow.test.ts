/** Every format version that is read, keel and bare guests, in both tiers. */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openTrace, Player, Timeline } from '../../../src/replay/index.ts';
import { goldenFolder, goldenNames } from '../golden.ts';

test.each(goldenNames)(
  '%s is moved in like a run from its start, and its events are those of a scan',
  async (name) => {
    const trace = await openTrace(join(goldenFolder, name));
    const fresh = await Player.open(trace, { tier: 0 });
    const all = Array.from({ length: trace.runs }, (_, run) => trace.events(run)).flat();
    for (const tier of [0, 1] as const) {
      const timeline = await Timeline.open(trace, { tier, like: fresh.machine });
      const position = fc.bigInt(trace.start, trace.instructions);
      fc.assert(
        fc.property(
          fc.array(position, { minLength: 1, maxLength: 3 }),
          fc.bigInt(0n, 3000n),
          fc.nat(all.length - 1),
          (places, back, number) => {
            for (const to of places) timeline.seek(to);
            timeline.stepBack(back);
            fresh.seek(trace.start);
            fresh.run(timeline.position);
            expect(timeline.machine.hash()).toBe(fresh.machine.hash());
            const here = timeline.position;
            const kinds = [all[number]?.kind ?? 'irq'] as const;
            expect(timeline.nextEvent({ kinds })).toEqual(all.find(({ kind, at }) => kind === kinds[0] && at > here) ?? null);
            expect(timeline.previousEvent({ kinds })).toEqual(all.findLast(({ kind, at }) => kind === kinds[0] && at < here) ?? null);
            expect(timeline.events.at(number)).toEqual(all[number]);
            const address = timeline.machine.rip;
            const stopped = timeline.back({ breakpoints: [{ address }], until: here > 20_000n ? here - 20_000n : 0n });
            if (stopped.why === 'breakpoint') expect(timeline.machine.rip).toBe(address);
          },
        ),
        { numRuns: 4 },
      );
      expect(timeline.events.count).toBe(all.length);
    }
  },
  60_000,
);
