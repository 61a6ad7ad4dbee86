import { expect, test } from 'vitest';
import type { Machine, Observer } from '../../src/machine/index.ts';
import { BlockMaker } from '../../src/replay/block-maker.ts';
import type { TraceEvent } from '../../src/replay/index.ts';
import { eventsOf } from '../../src/replay/trace/run-events.ts';
import { boot } from '../machine/system/guest.ts';
import { systemText } from '../machine/system/system-random.ts';

const SEED = Number(process.env['SEED'] ?? 1);
/** Every way of every event that generated code adds. */
const WAYS = 15;
const INSTRUCTIONS = 60_000n;

const start = async (text: string): Promise<Machine> => (await boot(text, { tier: 'auto' })).machine;

/** The events of a run as generated code logs them. */
async function logged(text: string): Promise<TraceEvent[]> {
  const machine = await start(text);
  const maker = new BlockMaker(machine.log);
  const first = machine.count;
  machine.beginBlock();
  maker.begin(first, machine.rip, machine.codeBits);
  machine.observer = maker;
  machine.run(first + INSTRUCTIONS);
  return eventsOf(maker.take(machine.count, { path: false, addresses: false }, { hash: '', ram: false }));
}

/** The same, as an observer is told: of each kind that generated code logs. */
async function told(text: string): Promise<TraceEvent[]> {
  const machine = await start(text);
  const events: TraceEvent[] = [];
  const observer: Observer = {
    irq: (at, vector, target) => events.push({ kind: 'irq', at, vector, target }),
    exception: (at, vector, code, cr2, rip, target) =>
      events.push({ kind: 'exception', at, vector, code: code ?? 0, cr2: cr2 ?? 0n, rip, target }),
    softwareInterrupt: (at, vector, rip, target) => events.push({ kind: 'software-interrupt', at, vector, rip, target }),
    syscall: (at, number, args, rip) => events.push({ kind: 'syscall', at, number, args: [...args], rip }),
    sysret: (at, result, how) => events.push({ kind: 'sysret', at, result, how }),
    enterUser: (at, how) => events.push({ kind: 'enter-user', at, how }),
    enterKernel: (at, cause) => events.push({ kind: 'enter-kernel', at, cause }),
    controlRegister: (at, register, before, after) => events.push({ kind: 'control-register', at, register, before, after }),
    contextSwitch: (at, from, to) =>
      events.push({ kind: 'context-switch', at, from: from.root, fromPcid: from.pcid, to: to.root, toPcid: to.pcid }),
    pageTableWrite: (at, address, before, after) => events.push({ kind: 'page-table-write', at, address, before, after }),
  };
  machine.observer = observer;
  machine.run(machine.count + INSTRUCTIONS);
  return events;
}

test(`what generated code logs is what an observer is told (seed ${SEED})`, async () => {
  const seen = new Set<string>();
  const texts = Array.from({ length: 60 }, (_, n) => systemText(SEED * 1000 + n));
  // INT3 is rare.
  const order = [...texts.filter((text) => text.includes('int3')).slice(0, 3), ...texts];
  for (let n = 0; n < 4 || (seen.size < WAYS && n < 24); n++) {
    const text = order[n] ?? '';
    const expected = await told(text);
    const kinds = new Set(expected.map(({ kind }) => kind));
    expect((await logged(text)).filter(({ kind }) => kinds.has(kind))).toEqual(expected);
    for (const event of expected)
      seen.add('cause' in event ? `${event.kind} ${event.cause}` : 'how' in event ? `${event.kind} ${event.how}` : event.kind);
  }
  expect(seen.size, [...seen].sort().join(', ')).toBe(WAYS);
});
