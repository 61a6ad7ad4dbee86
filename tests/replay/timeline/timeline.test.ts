import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { EVENTS, openTrace, Player, record, type Search, type Stopped, Timeline, type Trace } from '../../../src/replay/index.ts';
import { guestRecording } from '../guest.ts';

let trace: Trace;
let timeline: Timeline;
/** Of the guest's instructions. */
let rips: bigint[];

beforeAll(async () => {
  const recording = await record({ ...guestRecording({ rounds: 12, timer: 200 }), blockInstructions: 512, checkpointInstructions: 1024 });
  trace = await openTrace(recording.trace ?? new Uint8Array(0));
  timeline = await Timeline.open(trace, { like: recording.machine });
  const player = await Player.open(trace, { like: recording.machine });
  rips = [];
  for (let view = player.step(); view !== null; view = player.step()) rips.push(view.rip);
});

const why = ({ why, position }: Stopped): unknown => [why, position];
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
          // Behind what was delivered, the state is one on the way to the next position.
          if (timeline.delivered > 0) {
            const { position } = timeline;
            expect(timeline.machine.hash()).not.toBe(fresh.machine.hash());
            timeline.step();
            expect(timeline.position).toBe(position + 1n);
            fresh.run(position + 1n);
          }
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
  test('is found forwards and backwards where a scan finds it', () => {
    fc.assert(
      fc.property(fc.nat(rips.length - 1), position(), (i, from) => {
        const address = rips[i] ?? 0n;
        const all = places(address);
        timeline.seek(from);
        const next = all.find((at) => at > from);
        expect(why(timeline.forward(search(address)))).toEqual(next === undefined ? ['end', timeline.end] : ['breakpoint', next]);
        if (next !== undefined) expect(timeline.machine.rip).toBe(address);
        timeline.seek(from);
        const last = all.findLast((at) => at < from);
        expect(why(timeline.back(search(address)))).toEqual(last === undefined ? ['start', 0n] : ['breakpoint', last]);
        if (last !== undefined) expect(timeline.machine.rip).toBe(address);
      }),
      { numRuns: 40 },
    );
  });

  test('on the first instruction of a handler is met behind the delivery, again and again in both directions', () => {
    const irqs = [...timeline.events.all({ kinds: ['irq'] })].flatMap((event) => (event.kind === 'irq' ? [event] : []));
    const address = irqs[0]?.target ?? 0n;
    const at = irqs.filter(({ target }) => target === address).map(({ at }) => at);
    expect(at.length).toBeGreaterThan(1);
    const here = (): unknown => [timeline.position, timeline.delivered, timeline.machine.rip];
    const met = at.map((position) => [position, 1, address]);
    const meet = (go: () => Stopped): unknown[] =>
      at.map(() => {
        expect(go().why).toBe('breakpoint');
        return here();
      });
    timeline.seek(0n);
    expect(meet(() => timeline.forward(search(address)))).toEqual(met);
    expect(timeline.next()?.rip).toBe(address);
    expect(here()).toEqual(met.at(-1));
    timeline.seek(timeline.end);
    expect(meet(() => timeline.back(search(address)))).toEqual([...met].reverse());
    timeline.stepBack();
    expect(here()).toEqual([at[0], 0, expect.not.objectContaining({ address })]);
    expect(timeline.machine.rip).not.toBe(address);
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

test('a watched access is found forwards and backwards where a scan finds it, before it and after it', async () => {
  const player = await Player.open(trace, { like: timeline.machine });
  const places = new Map<bigint, bigint[]>();
  const { machine } = player;
  machine.probes = { breakpoints: [], watchpoints: [{ space: 'physical', address: 0n, length: 16 << 20, access: 'write' }] };
  machine.observer = {
    access: (at, { physical }) => void places.set(physical, [...(places.get(physical) ?? []), at]),
  };
  player.run(player.end);
  const written = [...places].filter(([, at]) => at.length > 1);
  expect(written.length).toBeGreaterThan(1);
  fc.assert(
    fc.property(fc.nat(written.length - 1), position(), (i, from) => {
      const [address, all] = written[i] ?? [0n, []];
      const search: Search = { watchpoints: [{ space: 'physical', address, length: 1, access: 'write' }] };
      timeline.seek(from);
      const next = all.find((at) => at >= from);
      expect(why(timeline.forward(search))).toEqual(next === undefined ? ['end', timeline.end] : ['watchpoint', next + 1n]);
      timeline.seek(from);
      const last = all.findLast((at) => at < from);
      expect(why(timeline.back(search))).toEqual(last === undefined ? ['start', 0n] : ['watchpoint', last]);
    }),
  );
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
