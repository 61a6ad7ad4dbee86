/** A small trace made by hand, with every kind of block and event: what the tests of the format read, cut and damage. */
import { createHash } from 'node:crypto';
import type { TraceEvent } from '../../src/replay/events.ts';
import type { CheckpointBlock, EndBlock, RunBlock, TraceHeader } from '../../src/replay/schema.ts';
import { checksums } from '../../src/replay/trace/checksum.ts';
import { EventLog } from '../../src/replay/trace/columns.ts';
import { MemorySink } from '../../src/replay/trace/file.ts';
import { TraceWriter } from '../../src/replay/trace/writer.ts';

export const image = Uint8Array.from({ length: 300 }, (_, i) => (i * i) & 0xff);

export const header: TraceHeader = {
  machine: {
    memoryBytes: 16 << 20,
    seed: 'sample',
    harness: true,
    startTime: 1_700_000_000n,
    record: { path: true, addresses: false },
    watch: { supervisorUserAccess: false },
  },
  append: 'quiet',
  artefacts: [
    { role: 'image', name: 'tiny', sha256: createHash('sha256').update(image).digest('hex'), size: image.length, embedded: true },
  ],
  blockInstructions: 16,
  checkpointInstructions: 32,
};

/** One event of each kind, all values at the edges of their types. */
export const events: readonly TraceEvent[] = [
  { kind: 'irq', at: 0n, vector: 255, target: 2n ** 64n - 1n },
  { kind: 'exception', at: 1n, vector: 14, code: 0x8000_0007, cr2: 0xdead_beefn, rip: 0x40_0000n, target: 0xffff_ffff_8010_0000n },
  { kind: 'software-interrupt', at: 1n, vector: 3, rip: 1n, target: 2n },
  { kind: 'syscall', at: 2n, number: 1n, args: [1n, 2n, 3n, 4n, 5n, 2n ** 63n], rip: 5n },
  { kind: 'syscall', at: 3n, number: 60n, args: [0n, 0n, 0n, 0n, 0n, 0n], rip: 9n },
  { kind: 'sysret', at: 4n, result: 2n ** 64n - 38n, how: 'iret' },
  { kind: 'enter-user', at: 4n, how: 'sysret' },
  { kind: 'enter-kernel', at: 5n, cause: 'int' },
  { kind: 'control-register', at: 6n, register: 3, before: 0n, after: 0x1000n },
  { kind: 'msr', at: 7n, index: 0xc000_0080, before: 0n, after: 0x501n },
  { kind: 'debug-register', at: 7n, register: 7, before: 0x400n, after: 0x401n },
  { kind: 'descriptor-table', at: 8n, table: 'tr', base: 0xffff_8000_0000_0000n, limit: 0x67 },
  { kind: 'tlb-flush', at: 8n, flush: 'all-but-global', pcid: 0xfff, linear: 0n },
  {
    kind: 'stale',
    at: 9n,
    linear: 0x1000n,
    access: 'write',
    cpl: 3,
    rip: 7n,
    usedFrame: 2n ** 40n - 1n,
    usedRights: 15,
    nowFrame: 0n,
    nowRights: 0,
  },
  {
    kind: 'supervisor-user-access',
    at: 9n,
    rip: 1n,
    linear: 2n,
    size: 8,
    write: true,
    execute: false,
    user: true,
    implicit: false,
    ac: false,
    writable: true,
    faulted: false,
  },
  { kind: 'page-table-write', at: 10n, address: 0x2000n, before: 1n, after: 3n },
  { kind: 'port-in', at: 11n, port: 0x3fd, size: 1, value: 0x60 },
  { kind: 'port-out', at: 12n, port: 0xffff, size: 4, value: 0xffff_ffff },
  { kind: 'mmio', at: 12n, device: 'lapic', offset: 0x380, size: 4, write: true, value: 10_000n },
  { kind: 'mmio', at: 12n, device: 'ioapic', offset: 0, size: 4, write: false, value: 0n },
  { kind: 'input', at: 13n, source: 'serial', call: 7n, data: Uint8Array.of(0x41) },
  { kind: 'input', at: 13n, source: 'program', call: 0n, data: new Uint8Array(0) },
  { kind: 'output', at: 14n, byte: 0x0a },
  { kind: 'harness', at: 15n, command: 3, value: 0x0b },
  { kind: 'halt', at: 16n, ticks: 12_345n },
];

export function run(first: bigint, count: number, list: readonly TraceEvent[], hash: string): RunBlock {
  const log = new EventLog();
  for (const event of list) log.add(event, first);
  const path = { bits: Uint8Array.of(0b1010_0101, 0b11), bitCount: 10, targets: new Uint8Array(16).fill(7) };
  return { first, count, rip: 0xffff_ffff_8000_0000n + first, mode: 64, path, addresses: null, events: log.pack(), hash };
}

function checkpointPart(part: number): CheckpointBlock {
  return {
    at: 32n,
    part,
    parts: 2,
    serialCalls: 8n,
    programCalls: 1n,
    state: part === 0 ? Uint8Array.of(1, 2, 3) : new Uint8Array(0),
    frames: new Uint8Array(Uint32Array.of(part + 5).buffer),
    pages: new Uint8Array(4096).fill(part + 1),
  };
}

export const runs: readonly RunBlock[] = [
  run(0n, 16, events, '0123456789abcdef'),
  run(16n, 16, [], 'ffffffffffffffff'),
  run(32n, 12, [{ kind: 'output', at: 40n, byte: 1 }], '0000000000000000'),
];
export const checkpoint: readonly CheckpointBlock[] = [checkpointPart(0), checkpointPart(1)];
export const end: EndBlock = { at: 44n, stop: { reason: 'debug-exit', code: 16 }, hash: 'fedcba9876543210' };

/** The sample's bytes. */
export async function sampleTrace(): Promise<Uint8Array> {
  const sink = new MemorySink();
  const writer = new TraceWriter(sink, await checksums(), header, [image]);
  const [first, second, third] = runs;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three runs');
  writer.run(first);
  writer.run(second);
  writer.checkpoint(checkpoint);
  writer.run(third);
  writer.end(end);
  return sink.bytes;
}
