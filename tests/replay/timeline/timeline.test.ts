import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { EVENTS, openTrace, Player, record, type Search, type Stopped, Timeline, type Trace } from '../../../src/replay/index.ts';
import { guestRecording } from '../guest.ts';

let trace: Trace;
let timeline: Timeline;
/** Of the guest's instructions. */
let rips: bigint[];

beforeAll(async () => {
  const recording = await record({ ...guestRecording({ rounds: 8 }), blockInstructions: 512, checkpointInstructions: 1024 });
  trace = await openTrace(recording.trace ?? new Uint8Array(0));
  timeline = await Timeline.open(trace, { like: recording.machine });
  const player = await Player.open(trace, { like: recording.machine });
  rips = [];
  for (let view = player.step(); view !== null; view = player.step()) rips.push(view.rip);
});

const position = (): fc.Arbitrary<bigint> => fc.bigInt(0n, trace.instructions);

describe('moving', () => {
  test('in any way to a position gives the state that a seek from the start gives', async () => {
    const fresh = await Player.open(trace, { like: timeline.machine });
    const move = fc.oneof(
      position().map((to) => () => timeline.seek(to)),
      fc.bigInt(1n, 700n).map((count) => () => timeline.step(count)),
      fc.bigInt(1n, 700n).map((count) => () => timeline.stepBack(count)),
      fc.nat(rips.length - 1).map((i) => () => void timeline.forward({ breakpoints: [{ address: rips[i] ?? 0n }] })),
      fc.nat(rips.length - 1).map((i) => () => void timeline.back({ breakpoints: [{ address: rips[i] ?? 0n }] })),
      fc.constant(() => void timeline.next()),
    );
    fc.assert(
      fc.property(fc.array(move, { minLength: 1, maxLength: 8 }), (moves) => {
        for (const go of moves) {
          go();
          fresh.seek(0n);
          fresh.run(timeline.position);
          expect(timeline.machine.hash()).toBe(fresh.machine.hash());
        }
      }),
      { numRuns: 30 },
    );
  });

  test('back what was moved forward comes to the same position', () => {
    fc.assert(
      fc.property(position(), fc.bigInt(1n, 500n), (from, count) => {
        timeline.seek(from);
        const hash = timeline.machine.hash();
        timeline.step(count);
        const moved = timeline.position - from;
        expect(moved).toBe(from + count > timeline.end ? timeline.end - from : count);
        timeline.stepBack(moved);
        expect([timeline.position, timeline.machine.hash()]).toEqual([from, hash]);
      }),
    );
  });

  test('beyond the ends stops there', () => {
    timeline.seek(trace.instructions + 5n);
    expect(timeline.position).toBe(timeline.end);
    timeline.stepBack(timeline.end + 1n);
    expect(timeline.position).toBe(0n);
  });
});

describe('a breakpoint', () => {
  const places = (address: bigint): bigint[] => rips.flatMap((rip, at) => (rip === address ? [BigInt(at)] : []));
  const search = (address: bigint): Search => ({ breakpoints: [{ address }] });
  const why = ({ why, position }: Stopped): unknown => [why, position];

  test('is found forwards and backwards where a scan finds it', () => {
    fc.assert(
      fc.property(fc.nat(rips.length - 1), position(), (i, from) => {
        const address = rips[i] ?? 0n;
        const all = places(address);
        timeline.seek(from);
        const next = all.find((at) => at > from);
        expect(why(timeline.forward(search(address)))).toEqual(next === undefined ? ['end', timeline.end] : ['breakpoint', next]);
        timeline.seek(from);
        const last = all.findLast((at) => at < from);
        expect(why(timeline.back(search(address)))).toEqual(last === undefined ? ['start', 0n] : ['breakpoint', last]);
      }),
      { numRuns: 40 },
    );
  });

  test('is not looked for beyond a position, and a search ends where it is interrupted', async () => {
    timeline.seek(100n);
    expect(timeline.forward({ breakpoints: [{ address: 1n }], until: 200n })).toEqual({ why: 'until', position: 200n, hit: null });
    expect(timeline.back({ breakpoints: [{ address: 1n }], until: 50n })).toEqual({ why: 'until', position: 50n, hit: null });
    const way = timeline.travel('forward', { breakpoints: [{ address: 1n }] });
    timeline.interrupt();
    expect((await way).why).toBe('interrupted');
  });
});

describe('an event', () => {
  test('is the one that a scan finds, forwards and backwards, by number too', () => {
    const all = Array.from({ length: trace.runs }, (_, run) => trace.events(run)).flat();
    expect(timeline.events.count).toBe(all.length);
    const kinds = fc.subarray(
      EVENTS.map(({ kind }) => kind),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(kinds, position(), fc.nat(all.length - 1), (wanted, from, number) => {
        const match = { kinds: wanted };
        expect(timeline.nextEvent(match, from)).toEqual(all.find(({ kind, at }) => at > from && wanted.includes(kind)) ?? null);
        expect(timeline.previousEvent(match, from)).toEqual(all.findLast(({ kind, at }) => at < from && wanted.includes(kind)) ?? null);
        expect(timeline.events.at(number)).toEqual(all[number]);
        expect(timeline.events.numberAt(from)).toBe(all.filter(({ at }) => at < from).length);
      }),
    );
    expect([...timeline.events.all({ kinds: ['irq'] }, true)]).toEqual(all.filter(({ kind }) => kind === 'irq').reverse());
  });

  test('of the console is a line where its first byte left', () => {
    const outputs = [...timeline.events.all({ kinds: ['output'] })];
    expect(timeline.nextLine('b', -1n)).toEqual({ at: outputs[0]?.at, text: expect.stringMatching(/^(ab)+$/) });
    expect(timeline.previousLine(/^b/)).toBeNull();
  });
});
