import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../src/replay/events.ts';
import { inspectEvents, openTrace, record, replay } from '../../src/replay/index.ts';
import { BRANCH_VERSION, OLDEST_VERSION } from '../../src/replay/trace/frame.ts';
import { goldenBranch, goldenFolder, goldenNames, goldenRecordings, recordGoldenBranch } from './golden.ts';

const traces = readdirSync(goldenFolder).filter((name) => name.endsWith('.mpk'));

const GUEST =
  'irq exception software-interrupt syscall sysret enter-user enter-kernel control-register msr descriptor-table tlb-flush port-in port-out mmio input output context-switch';
const HELLO =
  'exception syscall sysret enter-user enter-kernel control-register msr descriptor-table tlb-flush port-in port-out mmio output';

/** Which golden trace holds what. What a new kind of event, column or version adds goes into a new one: those that are here stay as they are. */
const HOLDS: Readonly<Record<string, { version: number; events: string; end: string; has: string }>> = {
  'hello-format-1.mpk': { version: 1, events: HELLO, end: 'debug-exit', has: 'path' },
  'hello-format-2.mpk': { version: 2, events: `${HELLO} context-switch`, end: 'debug-exit', has: 'path' },
  'hello.mpk': { version: 3, events: `${HELLO} context-switch`, end: 'debug-exit', has: 'path' },
  'guest.mpk': { version: 3, events: GUEST, end: 'debug-exit', has: 'path checkpoint' },
  'guest-events.mpk': {
    version: 3,
    events:
      'irq control-register msr debug-register descriptor-table tlb-flush stale supervisor-user-access page-table-write port-out mmio harness halt',
    end: 'unsupported',
    has: 'path',
  },
  'guest-addresses.mpk': { version: 4, events: GUEST, end: 'debug-exit', has: 'path addresses checkpoint' },
  'guest-branch.mpk': {
    version: 5,
    events:
      'software-interrupt syscall sysret enter-user enter-kernel control-register tlb-flush port-in port-out input output context-switch',
    end: 'debug-exit',
    has: 'path checkpoint branch',
  },
};

describe('golden traces', () => {
  test('there is one for each recording', () => {
    expect(traces.toSorted()).toEqual(goldenNames.toSorted());
  });

  test.each(traces)('%s replays identically', async (name) => {
    expect(await replay(join(goldenFolder, name))).toMatchObject({ identical: true, complete: true, difference: null });
  });

  test.each(Object.entries(HOLDS))('%s holds what it stands for', async (name, { version, events, end, has }) => {
    const trace = await openTrace(join(goldenFolder, name));
    const found = new Set([...inspectEvents(trace)].map(({ event }) => event.kind));
    const inOrder = (kinds: ReadonlySet<string>) => EVENTS.map(({ kind }) => kind).filter((kind) => kinds.has(kind));
    expect({ version: trace.version, events: inOrder(found), end: trace.end?.stop.reason }).toEqual({
      version,
      events: inOrder(new Set(events.split(' '))),
      end,
    });
    const { machine, branch } = trace.header;
    const held = {
      path: trace.run(0).path !== null,
      addresses: machine.record?.addresses === true,
      checkpoint: trace.checkpoints.length > 0,
      branch: branch !== null,
    };
    expect(Object.entries(held).flatMap(([what, is]) => (is ? [what] : []))).toEqual(has.split(' '));
  });

  test('there is one for each format version, each kind of event, and each kind of block and column', () => {
    const all = Object.values(HOLDS);
    const versions = Array.from({ length: BRANCH_VERSION - OLDEST_VERSION + 1 }, (_, i) => OLDEST_VERSION + i);
    expect(versions.filter((version) => !all.some((each) => each.version === version))).toEqual([]);
    const kinds = new Set(all.flatMap(({ events }) => events.split(' ')));
    expect(EVENTS.map(({ kind }) => kind).filter((kind) => !kinds.has(kind))).toEqual([]);
    expect(new Set(all.flatMap(({ has }) => has.split(' ')))).toEqual(new Set(['path', 'checkpoint', 'addresses', 'branch']));
    expect(Object.keys(HOLDS).toSorted()).toEqual(traces.toSorted());
  });

  test.each(Object.entries(goldenRecordings))('%s is what a recording makes now', async (name, options) => {
    const { trace } = await record(options());
    expect(Buffer.compare(trace ?? new Uint8Array(0), readFileSync(join(goldenFolder, name)))).toBe(0);
  });

  test(`${goldenBranch} is what a branch is now`, async () => {
    const made = (await recordGoldenBranch()) ?? new Uint8Array(0);
    expect(Buffer.compare(made, readFileSync(join(goldenFolder, goldenBranch)))).toBe(0);
  });
});
