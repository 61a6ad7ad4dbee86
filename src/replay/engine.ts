/**
 * Runs a machine block by block: what record and replay have in common. `block` runs on to the next boundary and gives what happened; the boundaries
 * depend on the run alone, so that a replay makes the same blocks.
 */
import { type Boot, type Host, Machine, type MachineConfig, type Snapshot, type Stop } from '../machine/index.ts';
import { bug, UserError } from '../machine/isa/bug.ts';
import { BlockMaker } from './block-maker.ts';
import { CountingHost, type PlaybackHost } from './inputs.ts';
import { type CheckpointBlock, PAGE_BYTES, type RunBlock } from './schema.ts';

/** Pages of one checkpoint block: 16 MiB. */
const PART_PAGES = 4096;

/** Pages of one chunk of a snapshot. */
const CHUNK_PAGES = 64;

/** No run is longer. */
export const NO_LIMIT = 1n << 62n;

export interface MadeBlock {
  /** Lives until the next call of `block`. */
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

  private constructor(machine: Machine, host: CountingHost, maker: BlockMaker, blockInstructions: number) {
    this.machine = machine;
    this.host = host;
    this.blockInstructions = blockInstructions;
    this.#maker = maker;
    this.#recorded = machine.config.record ?? { path: false, addresses: false };
    machine.observer = maker;
  }

  /**
   * A machine with `boot` loaded (null: what it is to hold comes by `restore`), whose inputs come from `source`. `output` takes what the guest prints.
   * Blocks have the events of format `version`. `like` is another machine, whose compiled code is shared. Throws UserError where the images are bad.
   */
  static async create(
    config: MachineConfig,
    boot: Boot | null,
    source: Host | PlaybackHost,
    output: (byte: number) => void,
    blockInstructions: number,
    version: number,
    like: Machine | undefined,
  ): Promise<Engine> {
    let engine: Engine | null = null;
    const maker = new BlockMaker(() => engine?.cutHere(), version);
    const host = new CountingHost(
      source,
      (door, call, data) => {
        if (engine !== null) maker.hostInput(engine.machine.count, door, call, data);
      },
      output,
    );
    const machine = await Machine.create(config, host, like);
    if (boot !== null) machine.load(boot);
    engine = new Engine(machine, host, maker, blockInstructions);
    return engine;
  }

  /** Ends the block that is being made after the current instruction. */
  cutHere(): void {
    this.#full = true;
    this.machine.requestStop();
  }

  /** Runs to the end of the next block: `blockInstructions` on, or `limit`, or where the run ends. */
  block(limit: bigint): MadeBlock {
    const { machine } = this;
    const first = machine.count;
    machine.beginPathBlock();
    this.#maker.begin(first, machine.rip, machine.codeBits);
    this.#full = false;
    const boundary = first + BigInt(this.blockInstructions);
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
    return { block: this.#maker.take(machine.count, this.#recorded, machine.hash()), stop };
  }

  /** A snapshot of this moment as the blocks of a checkpoint: the pages that changed since the last one. */
  checkpoint(): CheckpointBlock[] {
    const snapshot = this.machine.snapshot();
    const last = this.#lastCheckpoint;
    const { numbers, bytes } = snapshot.pages(last);
    this.#lastCheckpoint = snapshot;
    // a page that was written with what it held before is no change: whether it is listed depends on how the machine was run
    const changed = [...numbers.keys()].filter(
      (i) => !isSame(bytes.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES), pageOf(last, numbers[i] ?? 0)),
    );
    const parts = Math.max(1, Math.ceil(changed.length / PART_PAGES));
    return Array.from({ length: parts }, (_, part) => {
      const places = changed.slice(part * PART_PAGES, (part + 1) * PART_PAGES);
      const pages = new Uint8Array(places.length * PAGE_BYTES);
      for (const [i, place] of places.entries()) pages.set(bytes.subarray(place * PAGE_BYTES, (place + 1) * PAGE_BYTES), i * PAGE_BYTES);
      return {
        at: snapshot.count,
        part,
        parts,
        serialCalls: this.host.calls.serial,
        programCalls: this.host.calls.program,
        state: part === 0 ? snapshot.state : new Uint8Array(0),
        frames: new Uint8Array(Uint32Array.from(places, (place) => numbers[place] ?? 0).buffer),
        pages,
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

const zeroPage: Uint8Array = new Uint8Array(PAGE_BYTES);

/** A page of a snapshot; absent pages are zero. */
function pageOf(snapshot: Snapshot | null, frame: number): Uint8Array {
  const chunk = snapshot?.chunks[Math.floor(frame / CHUNK_PAGES)];
  return chunk?.[frame % CHUNK_PAGES] ?? zeroPage;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
