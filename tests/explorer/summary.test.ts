/** Tiles of every level say what the trace's own events say. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginningOf } from '../../src/explorer/overview/beginning.ts';
import { kinds, TAG } from '../../src/explorer/overview/lanes.ts';
import { Summary } from '../../src/explorer/overview/summary.ts';
import { decodeTile, encodeTile, LANES, TILE_BINS } from '../../src/explorer/protocol.ts';
import { openTrace, Timeline, type Trace } from '../../src/replay/index.ts';

const golden = join(import.meta.dirname, '../../traces/golden');

/** How many instructions of a range were in user mode, from the decoded events. */
function userInstructions(trace: Trace, began: boolean, from: number, to: number): number {
  let isUser = began;
  let count = 0;
  let at = Number(trace.start);
  const change = (next: number, toUser: boolean): void => {
    if (isUser) count += Math.max(0, Math.min(next, to) - Math.max(at, from));
    at = next;
    isUser = toUser;
  };
  for (let run = 0; run < trace.runs; run++)
    for (const event of trace.events(run)) {
      if (event.kind === 'enter-user') change(Number(event.at) + 1, true);
      if (event.kind === 'enter-kernel') change(Number(event.at) + (event.cause === 'syscall' || event.cause === 'int' ? 1 : 0), false);
    }
  change(Number(trace.instructions), isUser);
  return count;
}

describe.each(readdirSync(golden))('%s', (name) => {
  it('has the events in columns as it has them decoded', async () => {
    const trace = await openTrace(join(golden, name));
    const entries = [TAG['enter-kernel'], TAG['enter-user']];
    for (let run = 0; run < trace.runs; run++) {
      const { count, tags, offsets } = trace.skim(run);
      const skimmed = Array.from({ length: count }, (_, i) => [(tags[i] ?? 0) & 0x7f, offsets[i]]);
      const decoded = trace.events(run).map(({ kind, at }) => [TAG[kind], Number(at - trace.firstOf(run))]);
      const others = (rows: (number | undefined)[][]) => rows.filter(([tag]) => !entries.includes(tag ?? 0));
      expect(others(skimmed)).toEqual(others(decoded));
    }
  });

  it('has tiles that count each event once, and each instruction', async () => {
    const trace = await openTrace(join(golden, name));
    const summary = new Summary(trace, await beginningOf(trace));
    const began = (await Timeline.open(trace)).machine.cpl === 3;
    while (summary.scanNext());
    const events = Array.from({ length: trace.runs }, (_, run) => trace.events(run)).flat();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 24 }), fc.double({ min: 0, max: 1, noNaN: true }), (level, share) => {
        const length = TILE_BINS * 2 ** level;
        const index = Math.floor((share * summary.end) / length);
        const tile = decodeTile(encodeTile(summary.tile(level, index)).buffer);
        const [from, to] = [index * length, Math.min((index + 1) * length, summary.end)];
        const counts = new Uint32Array(TILE_BINS * LANES.length);
        const listed: number[][] = [];
        for (const event of events) {
          const { lane } = kinds[TAG[event.kind]] ?? { lane: null };
          const at = Number(event.at);
          if (lane === null || at < from || at >= from + length) continue;
          listed.push([at - from, TAG[event.kind]]);
          // What happened behind the last instruction stands in the last bin that there is.
          const place = Math.floor((at - from) / 2 ** level) * LANES.length + LANES.indexOf(lane);
          counts[place] = (counts[place] ?? 0) + 1;
        }
        if (from + length < summary.end) expect(tile.counts).toEqual(counts);
        const told = Array.from({ length: (tile.events?.length ?? 0) / 3 }, (_, i) => [tile.events?.[3 * i], tile.events?.[3 * i + 1]]);
        if (tile.events !== null) expect(told).toEqual(listed);
        let [user, all] = [0, 0];
        for (let i = 0; i < tile.spans.length; i += 3) {
          user += tile.spans[i + 1] ?? 0;
          all += (tile.spans[i + 1] ?? 0) + (tile.spans[i + 2] ?? 0);
        }
        expect([user, all]).toEqual([userInstructions(trace, began, from, to), Math.max(0, to - Math.max(from, Number(trace.start)))]);
      }),
      { numRuns: 60 },
    );
  });
});
