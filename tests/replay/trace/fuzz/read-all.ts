/**
 * Everything that reads a trace, over one that may be hostile. What may be thrown is a `UserError` (`TraceDamage` is one); whatever else comes out of here is
 * a fault of the reader.
 */
import { Machine, QuietHost, UserError } from '../../../../src/machine/index.ts';
import { wrongGuesses } from '../../../../src/replay/addresses.ts';
import {
  inspectEvents,
  inspectInstructions,
  inspectRegisters,
  openTrace,
  Player,
  replay,
  type Trace,
} from '../../../../src/replay/index.ts';
import { targetsOf } from '../../../../src/replay/path.ts';
import { symbolsOf } from '../../../../src/replay/player.ts';
import { Timeline } from '../../../../src/replay/timeline/timeline.ts';
import { TraceCursor } from '../../../../src/replay/trace/cursor.ts';
import { MemorySource } from '../../../../src/replay/trace/file.ts';
import { storedState } from '../../../../src/replay/trace/stored-state.ts';
import type { Choices } from './random.ts';

/** How a reading ended. */
export type Ending = 'read' | 'refused';

async function ending(work: () => Promise<void>): Promise<Ending> {
  try {
    await work();
    return 'read';
  } catch (error) {
    if (error instanceof UserError) return 'refused';
    throw error;
  }
}

/** All that is read without running anything: twice, from front to back and by the index. `isThorough`: what stands on that as well. */
export async function parse(bytes: Uint8Array, isThorough: boolean): Promise<Ending> {
  const forward = await ending(async () => {
    const cursor = await TraceCursor.open(new MemorySource(bytes));
    while (cursor.next() !== null);
    if (cursor.cut !== null) throw new UserError('cut');
  });
  const byIndex = await ending(async () => {
    const trace = await openTrace(bytes);
    readBlocks(trace);
    for (let i = 0; i < trace.checkpoints.length; i++) storedState(trace, i);
    for (let i = 0; i < trace.header.artefacts.length; i++) trace.artefact(i);
    if (isThorough) symbolsOf(trace, {});
    if (isThorough) for (const { text } of inspectEvents(trace)) if (text.length === 0) throw new Error('an event without words');
    if (trace.cut !== null || trace.damage !== null) throw new UserError('partly');
  });
  return forward === 'read' && byIndex === 'read' ? 'read' : 'refused';
}

function readBlocks(trace: Trace): void {
  for (let i = 0; i < trace.runs; i++) {
    const run = trace.run(i);
    trace.events(i);
    trace.placed(i, () => {
      if (run.path !== null) targetsOf(run.path);
      if (run.addresses !== null)
        for (const { index } of wrongGuesses(run.addresses)) if (index < 0) throw new Error('an access before the first');
    });
  }
}

/** Runs hostile traces: its machines share compiled code. */
export class Players {
  readonly #like: readonly Machine[];

  private constructor(like: readonly Machine[]) {
    this.#like = like;
  }

  static async create(): Promise<Players> {
    const like = [];
    for (const record of [
      { path: true, addresses: false },
      { path: true, addresses: true },
      { path: false, addresses: false },
    ])
      like.push(await Machine.create({ memoryBytes: 4 << 20, seed: 'like', harness: false, record }, new QuietHost()));
    return new Players(like);
  }

  /** Replays the whole trace, seeks in it in both directions, looks at moments of it, and at all its events with the names of processes. */
  async play(bytes: Uint8Array, choices: Choices): Promise<Ending> {
    return ending(async () => {
      const trace = await openTrace(bytes);
      const { record } = trace.header.machine;
      const found = this.#like.find(({ config }) => config.record?.path === record?.path && config.record?.addresses === record?.addresses);
      const options = found === undefined ? {} : { like: found };
      const position = (): bigint => BigInt(choices.below(Number(trace.instructions) + 2));
      const ways = [
        async () => void (await replay(bytes, options)),
        async () => void (await replay(bytes, { ...options, to: position() })),
        async () => {
          const player = await Player.open(trace, options);
          for (let i = 0; i < 3; i++) {
            player.seek(position());
            for (let n = 0; n < 3; n++) player.step();
          }
        },
        async () => {
          const timeline = await Timeline.open(trace, options);
          timeline.seek(position());
          timeline.stepBack(3n);
          timeline.next();
          timeline.nextEvent({ kinds: ['syscall'] });
          timeline.previousEvent({ kinds: ['output', 'irq'] });
          timeline.back({ watchpoints: [{ space: 'physical', address: 0x10_0000n, length: 8, access: 'write' }] });
        },
        async () => {
          await inspectInstructions(trace, position(), 8, options);
          await inspectRegisters(trace, position(), options);
        },
      ];
      await choices.pick(ways)();
    });
  }
}
