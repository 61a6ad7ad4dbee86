/** One of the two machines in lockstep: it runs to a stop and says what happened, and can be put at an earlier moment of either. */
import type { Boot, Host, Machine, MachineConfig, Snapshot, Tier } from '../../machine/index.ts';
import { Engine, type MadeBlock } from '../engine.ts';
import type { TraceEventOf } from '../events.ts';
import { PlaybackHost } from '../inputs.ts';
import { MAX_BLOCK_INSTRUCTIONS } from '../schema.ts';

/** What both machines run. */
export interface TwinRun {
  /** `record.path` compares the path too, and runs the code that records it. */
  readonly machine: Omit<MachineConfig, 'tier'>;
  readonly boot: Boot;
}

/** A moment of a run. */
export interface Mark {
  readonly snapshot: Snapshot;
  /** How often each door of the host had been asked. */
  readonly calls: Engine['host']['calls'];
}

export type Input = TraceEventOf<'input'>;

export class Twin {
  readonly #engine: Engine;
  /** Null where the inputs come from a host. */
  readonly #playback: PlaybackHost | null;

  private constructor(engine: Engine, playback: PlaybackHost | null) {
    this.#engine = engine;
    this.#playback = playback;
  }

  /** At power-on. `host`: who is asked for inputs and takes the output; null: inputs come by `feed`, and the output goes nowhere. */
  static async create({ machine, boot }: TwinRun, tier: Tier, host: Host | null): Promise<Twin> {
    const playback = host === null ? new PlaybackHost() : null;
    const engine = await Engine.create(
      { ...machine, tier },
      boot,
      host ?? playback ?? new PlaybackHost(),
      (byte) => host?.serialOutput(byte),
      MAX_BLOCK_INSTRUCTIONS,
      undefined,
    );
    return new Twin(engine, playback);
  }

  get machine(): Machine {
    return this.#engine.machine;
  }

  /** Inputs that the other was given. */
  feed(inputs: Iterable<Input>): void {
    this.#playback?.feed(inputs);
  }

  /** Runs to a count of instructions, or to where the run ends. */
  block(to: bigint): MadeBlock {
    return this.#engine.block(to, () => true);
  }

  /** The same, for somebody else to observe. */
  run(to: bigint): void {
    const { machine } = this;
    while (machine.count < to) {
      const before = machine.count;
      if (machine.run(to).reason !== 'ready' && machine.count === before) return;
    }
  }

  mark(): Mark {
    return { snapshot: this.machine.snapshot(), calls: { ...this.#engine.host.calls } };
  }

  /** Goes to a moment; `inputs` are those of the whole run. */
  goTo({ snapshot, calls }: Mark, inputs: Iterable<Input>): void {
    this.machine.restore(snapshot);
    Object.assign(this.#engine.host.calls, calls);
    this.#playback?.clear();
    this.#playback?.feed(inputs);
  }
}
