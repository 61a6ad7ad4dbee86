/** The export for Perfetto, and coverage, of a run of keel with several processes: read by other people's decoders. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildKeel, compile, packPrograms } from '../../../src/compiler/index.ts';
import {
  Coverage,
  exportPerfetto,
  inspectEvents,
  lcovText,
  openTrace,
  profileOf,
  record,
  Timeline,
  type Trace,
} from '../../../src/replay/index.ts';
import { runTool, toolOrSkip } from '../../tools.ts';

const PROTO = fileURLToPath(new URL('perfetto.proto', import.meta.url));

/** A signal handler, a program that becomes another, and a child that reads what its parent writes. */
const PARENT = `
import { execute, exit, fork, pipe, print, read, wait, writeAll } from 'palindrome/program';
const ends = new Int32Array(2);
const status = new Int32Array(1);
const buffer = new Uint8Array(4);
pipe(ends);
if (fork() === 0) {
  read(ends[0], buffer);
  print('read\\n');
  exit(3);
}
writeAll(ends[1], bytesOf('abcd'));
wait(-1, status);
if (fork() === 0) {
  execute('/bin/other');
  exit(1);
}
wait(-1, status);
print('done\\n');
exit(0);
`;
const OTHER = `
import { exit, print } from 'palindrome/program';
print('other\\n');
exit(0);
`;

interface Packet {
  readonly timestamp?: number;
  readonly trustedPacketSequenceId?: number;
  readonly sequenceFlags?: number;
  readonly trackDescriptor?: {
    readonly uuid: number;
    readonly name?: string;
    readonly parentUuid?: number;
    readonly process?: { readonly pid: number; readonly processName: string };
    readonly thread?: { readonly pid: number; readonly tid: number; readonly threadName: string };
  };
  readonly trackEvent?: {
    readonly type: string;
    readonly trackUuid: number;
    readonly nameIid?: number;
    readonly categoryIids?: readonly number[];
    readonly debugAnnotations?: readonly { readonly nameIid: number; readonly stringValue?: string }[];
  };
  readonly internedData?: Readonly<Record<string, readonly { readonly iid: number; readonly name: string }[]>>;
}

const folder = mkdtempSync(join(tmpdir(), 'palindrome-export-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let trace: Trace;
let bytes: Buffer;
let packets: readonly Packet[];

function program(text: string): Uint8Array {
  const { image, diagnostics } = compile({ entry: 'main.ts' }, new Map([['main.ts', text]]));
  if (image === null) throw new Error(JSON.stringify(diagnostics));
  return image;
}

beforeAll(async () => {
  const files = [
    { path: '/bin/parent', bytes: program(PARENT) },
    { path: '/bin/other', bytes: program(OTHER) },
  ];
  const recording = await record({
    machine: { memoryBytes: 32 << 20, seed: 'export', harness: false },
    image: { name: 'keel', bytes: buildKeel().image },
    initrd: { name: 'initrd', bytes: packPrograms(files, [['/bin/parent']]) },
    limit: 100_000_000n,
  });
  trace = await openTrace(recording.trace ?? new Uint8Array(0));
  const pieces: Uint8Array[] = [];
  await exportPerfetto(trace, {}, (piece) => pieces.push(piece.slice()));
  bytes = Buffer.concat(pieces);
  const type = (await protobuf.load(PROTO)).lookupType('perfetto.protos.Trace');
  const message = type.decode(bytes);
  packets = (type.toObject(message, { longs: Number, enums: String }) as { packet: Packet[] }).packet;
});

/** Names by their numbers, as far as they are known when each packet is read. */
function* named(): Generator<{ readonly packet: Packet; readonly name: string | null; readonly category: string | null }> {
  const names = new Map<string, string>();
  for (const packet of packets) {
    for (const [field, entries] of Object.entries(packet.internedData ?? {}))
      for (const { iid, name } of entries) {
        expect(iid).toBeGreaterThan(0);
        expect(names.has(`${field} ${iid}`)).toBe(false);
        names.set(`${field} ${iid}`, name);
      }
    const of = (field: string, iid: number | undefined): string | null => {
      if (iid === undefined) return null;
      const name = names.get(`${field} ${iid}`);
      expect(name, `${field} ${iid}`).toBeDefined();
      return name ?? null;
    };
    for (const annotation of packet.trackEvent?.debugAnnotations ?? []) of('debugAnnotationNames', annotation.nameIid);
    yield {
      packet,
      name: of('eventNames', packet.trackEvent?.nameIid),
      category: of('eventCategories', packet.trackEvent?.categoryIids?.[0]),
    };
  }
}

describe('the export for Perfetto', () => {
  test('of a branch begins with the process that runs there', async () => {
    const timeline = await Timeline.open(trace);
    timeline.seek(timeline.resolve('syscall:wait4'));
    const { trace: branch } = await timeline.branch({ parent: 'parent.mpk', limit: 1n });
    const pieces: Uint8Array[] = [];
    await exportPerfetto(await openTrace(branch ?? new Uint8Array(0)), {}, (piece) => pieces.push(piece.slice()));
    expect(Buffer.concat(pieces).toString('latin1')).toContain('parent');
  });

  test('keeps the rules of the trace processor', () => {
    const tracks = new Map<number, Packet['trackDescriptor']>();
    const open = new Map<number, number>();
    const last = new Map<number, number>();
    for (const [index, { packet, name, category }] of [...named()].entries()) {
      expect(packet.trustedPacketSequenceId).toBe(1);
      expect(packet.sequenceFlags).toBe(index === 0 ? 1 : 2);
      const { trackDescriptor, trackEvent, timestamp } = packet;
      expect((trackDescriptor === undefined) !== (trackEvent === undefined)).toBe(true);
      if (trackDescriptor !== undefined) {
        expect(trackDescriptor.uuid).toBeGreaterThan(0);
        if (trackDescriptor.parentUuid !== undefined) expect(tracks.has(trackDescriptor.parentUuid)).toBe(true);
        if (trackDescriptor.thread !== undefined)
          expect(tracks.get(trackDescriptor.parentUuid ?? 0)?.process?.pid).toBe(trackDescriptor.thread.pid);
        tracks.set(trackDescriptor.uuid, trackDescriptor);
      }
      if (trackEvent === undefined) continue;
      const { trackUuid: track, type } = trackEvent;
      expect(tracks.has(track)).toBe(true);
      expect(timestamp ?? 0).toBeGreaterThanOrEqual(last.get(track) ?? 0);
      last.set(track, timestamp ?? 0);
      if (type === 'TYPE_SLICE_BEGIN') open.set(track, (open.get(track) ?? 0) + 1);
      if (type === 'TYPE_SLICE_END') open.set(track, (open.get(track) ?? 0) - 1);
      else expect([name, category].every((text) => text !== null && text !== '')).toBe(true);
      expect(open.get(track) ?? 0).toBeGreaterThanOrEqual(0);
    }
    expect([...open.values()].every((depth) => depth === 0)).toBe(true);
  });

  test('has the system calls of each process as slices, and says who ran and what was printed', () => {
    const threads = new Map<number, string>();
    const calls: string[] = [];
    const printed: string[] = [];
    const ran: string[] = [];
    for (const { packet, name, category } of named()) {
      if (packet.trackDescriptor?.thread !== undefined) threads.set(packet.trackDescriptor.uuid, packet.trackDescriptor.thread.threadName);
      if (category === 'syscall') calls.push(`${threads.get(packet.trackEvent?.trackUuid ?? 0)}: ${name}`);
      if (category === 'console') printed.push(name ?? '');
      if (category === 'scheduling') ran.push(name ?? '');
    }
    const events = [...inspectEvents(trace, { kinds: new Set(['syscall']) })];
    expect(calls).toHaveLength(events.length);
    expect(calls.map((call) => call.split(': ')[1])).toEqual(events.map(({ text }) => /^syscall (\w+)/.exec(text)?.[1]));
    expect(calls).toContain('pid 1 parent: pipe2');
    expect(calls).toContain('pid 17 parent: read');
    expect(calls).toContain('pid 33 other: write');
    expect(printed.filter((line) => !line.startsWith('keel:'))).toEqual(['read', 'other', 'done']);
    expect(ran).toContain('pid 33 other');
  });

  test('is read by protoc', (context) => {
    const protoc = toolOrSkip(context, 'protoc');
    const file = join(folder, 'trace.pftrace');
    writeFileSync(file, bytes);
    const text = runTool(protoc, [`--proto_path=${join(PROTO, '..')}`, '--decode=perfetto.protos.Trace', PROTO], {
      input: readFileSync(file),
    });
    expect(text.match(/^packet \{/gm)).toHaveLength(packets.length);
    // a field that the description does not have would be shown by its number
    expect(text).not.toMatch(/^\s*\d+[:\s]/m);
    expect(text).toContain('process_name: "pid 17 parent"');
  });
});

describe('a profile of keel', () => {
  test('has each process in user mode, and stacks that go through switches, fork and execve', async () => {
    const profile = await profileOf(trace);
    expect(profile.instructions).toBe(Number(trace.instructions));
    expect(profile.processes.filter(({ user }) => user > 0).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['pid 1 parent', 'pid 17 parent', 'pid 33 other']),
    );
    const stacks = [...profile.folded()].map((line) => line.replace(/ \d+$/, ''));
    // the child that waited in a read goes on in it
    expect(stacks.some((stack) => /^pid 17 parent;[^_]*;.*syscall_entry.*_\[k\];.*readPipe/.test(stack))).toBe(true);
    // nobody's stack holds another one's system call: each goes into the kernel once
    expect(stacks.filter((stack) => (stack.match(/keel_syscall/g) ?? []).length > 1)).toEqual([]);
  });
});

describe('coverage of keel', () => {
  test('is what lcov and genhtml read', async (context) => {
    const lcov = toolOrSkip(context, 'lcov');
    const genhtml = toolOrSkip(context, 'genhtml');
    const coverage = new Coverage();
    await coverage.add(trace);
    const { text, lines, linesHit } = lcovText(coverage);
    const file = join(folder, 'run.info');
    writeFileSync(file, text);
    const summary = runTool(lcov, ['--rc', 'lcov_branch_coverage=1', '--summary', file]);
    expect(summary).toContain(`(${linesHit} of ${lines} lines)`);
    const root = fileURLToPath(new URL('../../..', import.meta.url));
    runTool(genhtml, ['-q', '--branch-coverage', '--ignore-errors', 'source', '-o', join(folder, 'html'), file], { cwd: root });
    expect(readFileSync(join(folder, 'html', 'index.html'), 'utf8')).toMatch(/kernel\/task|>task</);
    const scheduler = /SF:src\/kernel\/task\/scheduler\.ts\n([\s\S]*?)end_of_record/.exec(text)?.[1] ?? '';
    expect(scheduler).toMatch(/FNDA:[1-9]\d*,Scheduler\.reschedule/);
    expect(scheduler).toMatch(/DA:\d+,0/);
  });
});
