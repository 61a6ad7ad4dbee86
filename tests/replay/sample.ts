/** A small trace made by hand, with every kind of block and event: what the tests of the format read, cut and damage. */
import { createHash } from 'node:crypto';
import { EVENTS, type TraceEvent } from '../../src/replay/events.ts';
import type { Field, ListField, NameField } from '../../src/replay/fields.ts';
import type { CheckpointBlock, EndBlock, RunBlock, TraceHeader } from '../../src/replay/schema.ts';
import { checksums } from '../../src/replay/trace/checksum.ts';
import { MemorySink } from '../../src/replay/trace/file.ts';
import { TraceWriter } from '../../src/replay/trace/writer.ts';
import { packEvents } from './event-log.ts';

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
  branch: null,
};

/** The smallest and the largest value of a field. */
function edges(field: Field): readonly [unknown, unknown] {
  switch (field.type) {
    case 'u8':
      return [0, 0xff];
    case 'u16':
      return [0, 0xffff];
    case 'u32':
      return [0, 0xffff_ffff];
    case 'u64':
      return [0n, 2n ** 64n - 1n];
    case 'u64s': {
      const { length } = field as ListField;
      return [new Array(length).fill(0n), Array.from({ length }, (_, i) => 2n ** 64n - 1n - BigInt(i))];
    }
    case 'flag':
      return [false, true];
    case 'name': {
      const { names } = field as NameField<string>;
      return [names[0], names.at(-1)];
    }
    case 'text':
      return ['', 'a device'];
    case 'bytes':
      return [new Uint8Array(0), Uint8Array.of(0, 0x41, 0xff)];
    default:
      throw new Error(`no edges for a field of type ${field.type}`);
  }
}

/** Two events of each kind, made from the table: all fields at their smallest, and all at their largest. They stand at the positions 0 … 16. */
export const events: readonly TraceEvent[] = EVENTS.flatMap((row, place) =>
  [0, 1].map((edge) => {
    const event: Record<string, unknown> = { kind: row.kind };
    for (const [name, field] of Object.entries<Field>(row.fields)) {
      event[name] = name === 'at' ? BigInt(Math.floor(((place * 2 + edge) * 16) / (EVENTS.length * 2 - 1))) : edges(field)[edge];
    }
    return event as unknown as TraceEvent;
  }),
);

export function run(first: bigint, count: number, list: readonly TraceEvent[], hash: string): RunBlock {
  const path = {
    bits: Uint8Array.of(0b1010_0101, 0b11),
    bitCount: 10,
    guesses: Uint8Array.of(0b100),
    targetCount: 3,
    targets: new Uint8Array(16).fill(7),
  };
  return {
    first,
    count,
    rip: 0xffff_ffff_8000_0000n + first,
    mode: 64,
    path,
    addresses: null,
    events: packEvents(list, first),
    hash,
    ram: first === 16n,
  };
}

function checkpointPart(part: number): CheckpointBlock {
  return {
    at: 32n,
    part,
    parts: 2,
    serialCalls: 8n,
    programCalls: 1n,
    state: part === 0 ? Uint8Array.of(1, 2, 3) : new Uint8Array(0),
    frames: new Uint8Array(Uint32Array.of(5, 9).buffer),
    pages: new Uint8Array(part * 2 * 4096).fill(part + 1),
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
  for (const part of checkpoint) writer.checkpoint(part);
  writer.run(third);
  writer.end(end);
  return sink.bytes;
}
