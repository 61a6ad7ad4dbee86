/** The traces that are mutated: small ones, of every format version. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { record } from '../../../../src/replay/index.ts';
import { BLOCK } from '../../../../src/replay/schema.ts';
import { type Checksums, checksums } from '../../../../src/replay/trace/checksum.ts';
import { Msgpack } from '../../../../src/replay/trace/msgpack.ts';
import { goldenFolder, oldRecordings } from '../../golden.ts';
import { guestRecording } from '../../guest.ts';
import { sampleTrace } from '../../sample.ts';
import { type Frame, type Parts, putTogether, takeApart } from './parts.ts';
import { pack } from './values.ts';

export interface Victim {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly parts: Parts;
}

export interface Victims {
  readonly sums: Checksums;
  readonly all: readonly Victim[];
  /** Those that hold what they boot, and are replayed as they are. */
  readonly playable: readonly Victim[];
}

const msgpack = new Msgpack();

/** A few blocks of a trace that is large, without the images, with a checkpoint of three pages and an end. */
function cutSmall(trace: Uint8Array, sums: Checksums): Uint8Array {
  const { version, frames } = takeApart(trace, sums);
  const kept: Frame[] = [];
  const runs = frames.filter(({ kind }) => kind === BLOCK.run).slice(0, version < 3 ? 1 : 3);
  const change = (frame: Frame, by: (value: Record<string, unknown>) => object, position = frame.position): Frame => ({
    ...frame,
    position,
    raw: pack(by(msgpack.decode(frame.raw) as Record<string, unknown>)),
    original: null,
  });
  const [header, last] = [frames[0], frames.at(-1)];
  if (header === undefined || last === undefined) throw new Error('a whole trace is wanted');
  kept.push(
    change(header, (value) => ({ ...value, artefacts: (value['artefacts'] as object[]).map((each) => ({ ...each, embedded: false })) })),
  );
  // A branch begins with one.
  kept.push(
    ...frames
      .slice(
        0,
        frames.findIndex(({ kind }) => kind === BLOCK.run),
      )
      .filter(({ kind }) => kind === BLOCK.checkpoint),
  );
  kept.push(...runs);
  const { first, count } = msgpack.decode(runs.at(-1)?.raw ?? new Uint8Array(0)) as { first: bigint; count: number };
  const at = first + BigInt(count);
  const numbers = new Uint8Array(Uint32Array.of(1, 5, 9).buffer);
  const [none, pages] = [new Uint8Array(0), new Uint8Array(3 * 4096).fill(7)];
  const head = {
    at,
    part: 0,
    parts: version < 3 ? 1 : 2,
    serialCalls: 2n,
    programCalls: 0n,
    state: Uint8Array.of(1, 2, 3),
    frames: numbers,
  };
  const parts =
    version < 3
      ? [{ ...head, pages }]
      : [
          { ...head, pages: none },
          { ...head, part: 1, state: none, pages },
        ];
  for (const part of parts) kept.push({ kind: BLOCK.checkpoint, raw: pack(part), original: null, position: at, tags: 0n });
  kept.push(change(last, (value) => ({ ...value, at, stop: ['limit', null] }), at));
  return putTogether({ version, frames: kept }, sums, { hasIndex: true });
}

/** Its frames stored as they are, which the reader may meet as well: opening zstd's takes most of the time. */
function stored(trace: Uint8Array, sums: Checksums): Uint8Array {
  const { version, frames } = takeApart(trace, sums);
  return putTogether({ version, frames: frames.map((frame) => ({ ...frame, original: null })) }, sums, { hasIndex: true });
}

export async function makeVictims(): Promise<Victims> {
  const sums = await checksums();
  const victim = (name: string, bytes: Uint8Array): Victim => ({ name, bytes, parts: takeApart(bytes, sums) });
  const recorded = async (name: string, change: object): Promise<Victim> => {
    const { trace } = await record({ ...guestRecording({ rounds: 16, timer: 900 }), ...change });
    return victim(name, stored(trace ?? new Uint8Array(0), sums));
  };
  const playable = [
    await recorded('guest', {}),
    await recorded('guest with addresses', { addresses: true }),
    await recorded('guest without a path', { path: false }),
    ...['guest-branch.mpk', 'guest-events.mpk'].map((name) =>
      victim(name, stored(Uint8Array.from(readFileSync(join(goldenFolder, name))), sums)),
    ),
  ];
  const sample = await sampleTrace();
  const old = Object.keys(oldRecordings).map((name) => victim(name, Uint8Array.from(readFileSync(join(goldenFolder, name)))));
  const cut = [...playable, ...old].map(({ name, bytes }) => victim(`${name}, cut small`, cutSmall(bytes, sums)));
  return { sums, all: [victim('sample', sample), victim('sample, stored', stored(sample, sums)), ...cut], playable };
}
