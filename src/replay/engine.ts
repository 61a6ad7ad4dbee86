/**
 * Runs a machine block by block: what record and replay have in common. `block` runs on to the next boundary and gives what happened; the boundaries
 * depend on the run alone, so that a replay makes the same blocks.
 */
import { type Boot, type Host, Machine, type MachineConfig, type Snapshot, type Stop } from '../machine/index.ts';
import { bug, UserError } from '../machine/isa/bug.ts';
import { BlockMaker, type EventCounts } from './block-maker.ts';
import { CountingHost, type PlaybackHost } from './inputs.ts';
import { type CheckpointBlock, PAGE_BYTES, type RunBlock } from './schema.ts';

/** Pages of one checkpoint block: 16 MiB. */
const PART_PAGES = 4096;

/** No run is longer. */
export const NO_LIMIT = 1n << 62n;

export interface MadeBlock {
  /** Views: they live until the machine runs on. */
  readonly block: RunBlock;
  /** Why the run is over; null where it goes on. */
  readonly stop: Stop | null;
}

/** Whether a run goes on after this stop. `ready` only says that the guest would like a snapshot to be taken. */
function isFinal(stop: Stop): boolean {
  return stop.reason !== 'ready';
}

export class Engine {
  readonly machine: Machine;
  readonly host: CountingHost;
  readonly blockInstructions: number;
  readonly #maker: BlockMaker;
  readonly #recorded: { readonly path: boolean; readonly addresses: boolean };
  #full = false;
  #lastCheckpoint: Snapshot | null = null;

  private constructor(machine: Machine, host: CountingHost, blockInstructions: number) {
    this.machine = machine;
    this.host = host;
    this.blockInstructions = blockInstructions;
    this.#maker = new BlockMaker(machine.log);
    this.#recorded = machine.config.record ?? { path: false, addresses: false };
    machine.observer = this.#maker;
    machine.log.full = () => this.#cutHere();
  }

  /**
   * A machine with `boot` loaded (null: what it is to hold comes by `restore`), whose inputs come from `source`. `output` takes what the guest prints.
   * `like` is another machine, whose compiled code is shared. Throws UserError where the images are bad.
   */
  static async create(
    config: MachineConfig,
    boot: Boot | null,
    source: Host | PlaybackHost,
    output: (byte: number) => void,
    blockInstructions: number,
    like: Machine | undefined,
  ): Promise<Engine> {
    let engine: Engine | null = null;
    const host = new CountingHost(
      source,
      (door, call, data) => {
        if (engine !== null) engine.#maker.hostInput(engine.machine.count, door, call, data);
      },
      output,
    );
    const machine = await Machine.create(config, host, like);
    if (boot !== null) machine.load(boot);
    engine = new Engine(machine, host, blockInstructions);
    return engine;
  }

  /** Ends the block that is being made after the current instruction. */
  #cutHere(): void {
    this.#full = true;
    this.machine.requestStop();
  }

  /** Adds how many events of each kind the last block has. */
  countInto(counts: EventCounts): void {
    this.#maker.countInto(counts);
  }

  /**
   * Runs to the end of the next block: `length` instructions on, or `limit`, or where the run ends. `takesRam` says, at the block's end, whether its hash is
   * over RAM as well.
   */
  block(limit: bigint, takesRam: (at: bigint, stop: Stop | null) => boolean, length = this.blockInstructions): MadeBlock {
    const { machine } = this;
    const first = machine.count;
    machine.beginBlock();
    this.#maker.begin(first, machine.rip, machine.codeBits);
    this.#full = false;
    const boundary = first + BigInt(length);
    const until = boundary < limit ? boundary : limit;
    let stop: Stop | null = null;
    for (;;) {
      const reached = machine.run(until);
      if (reached.reason === 'limit') {
        if (machine.count !== until) bug(`run(${until}) returned at ${machine.count}`);
        if (until === limit) stop = reached;
        break;
      }
      if (reached.reason === 'observer' && this.#full) {
        if (machine.count === first)
          throw new UserError(`at instruction ${first} the guest makes events for ever, without executing any instruction`);
        break;
      }
      if (isFinal(reached)) {
        stop = reached;
        break;
      }
    }
    machine.drainPath();
    const ram = takesRam(machine.count, stop);
    const hash = ram ? machine.hash() : machine.hashWithoutRam();
    return { block: this.#maker.take(machine.count, this.#recorded, { hash, ram }), stop };
  }

  /** A snapshot of this moment as the blocks of a checkpoint: the pages that changed since the last one. */
  checkpoint(): CheckpointBlock[] {
    const snapshot = this.machine.snapshot();
    const last = this.#lastCheckpoint;
    const { numbers, bytes } = snapshot.pages(last);
    this.#lastCheckpoint = snapshot;
    const parts = Math.max(1, Math.ceil(numbers.length / PART_PAGES));
    return Array.from({ length: parts }, (_, part) => {
      const from = part * PART_PAGES;
      const to = from + PART_PAGES;
      return {
        at: snapshot.count,
        part,
        parts,
        serialCalls: this.host.calls.serial,
        programCalls: this.host.calls.program,
        state: part === 0 ? snapshot.state : new Uint8Array(0),
        frames: new Uint8Array(numbers.slice(from, to).buffer),
        pages: bytes.subarray(from * PAGE_BYTES, to * PAGE_BYTES),
      };
    });
  }

  /** Puts the machine where the last of these checkpoints was taken; `checkpoints` are all of a trace up to it, in order. */
  restore(checkpoints: Iterable<readonly CheckpointBlock[]>): void {
    let snapshot: Snapshot | null = null;
    let last: CheckpointBlock | null = null;
    for (const parts of checkpoints) {
      const numbers = parts.flatMap(({ frames }) => [...new Uint32Array(frames.slice().buffer)]);
      const bytes = Uint8Array.from(Buffer.concat(parts.map(({ pages }) => pages)));
      last = parts[0] ?? null;
      snapshot = this.machine.snapshotFrom(
        { state: last?.state ?? new Uint8Array(0), numbers: Uint32Array.from(numbers), bytes },
        snapshot,
      );
    }
    if (last === null || snapshot === null) return bug('no checkpoint to restore');
    this.machine.restore(snapshot);
    this.host.calls.serial = last.serialCalls;
    this.host.calls.program = last.programCalls;
    this.#lastCheckpoint = snapshot;
  }
}
