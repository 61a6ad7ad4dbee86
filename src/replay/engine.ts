/**
 * Runs a machine block by block: what record and replay have in common. `block` runs on to the next boundary and gives what happened; the boundaries
 * depend on the run alone, so that a replay makes the same blocks.
 */
import { ADDRESS_STRIDE, type Boot, type Host, Machine, type MachineConfig, type Stop } from '../machine/index.ts';
import { bug, UserError } from '../machine/isa/bug.ts';
import { BlockMaker, type EventCounts } from './block-maker.ts';
import { CountingHost, type PlaybackHost } from './inputs.ts';
import { type CheckpointBlock, OLD_PART_PAGES, PAGE_BYTES, PART_PAGES, type RunBlock } from './schema.ts';
import { MAX_BLOCK_EVENTS } from './trace/event-stream.ts';
import { FORMAT_VERSION } from './trace/frame.ts';
import type { StoredState } from './trace/stored-state.ts';

/** No run is longer. */
export const NO_LIMIT = 1n << 62n;

export interface MadeBlock {
  /** Views: they live until the machine runs on. */
  readonly block: RunBlock;
  /** Why the run is over; null where it goes on. */
  readonly stop: Stop | null;
}

/** Whether the run is over. `ready` only says that the guest would like a snapshot to be taken, `observer` that a block should end. */
function isFinal(stop: Stop): boolean {
  return stop.reason !== 'ready' && stop.reason !== 'observer';
}

export class Engine {
  readonly machine: Machine;
  readonly host: CountingHost;
  readonly blockInstructions: number;
  readonly #maker: BlockMaker;
  readonly #recorded: { readonly path: boolean; readonly addresses: boolean };
  #full = false;
  /** Those of the part of a checkpoint that is being made. */
  #pages = new Uint8Array(PART_PAGES * PAGE_BYTES);

  private constructor(machine: Machine, host: CountingHost, blockInstructions: number) {
    this.machine = machine;
    this.host = host;
    this.blockInstructions = blockInstructions;
    this.#maker = new BlockMaker(machine.log);
    this.#recorded = machine.config.record ?? { path: false, addresses: false };
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
        if (engine?.machine.observer instanceof BlockMaker) engine.machine.observer.hostInput(engine.machine.count, door, call, data);
      },
      output,
    );
    const machine = await Machine.create(config, host, like);
    if (boot !== null) machine.load(boot);
    engine = new Engine(machine, host, blockInstructions);
    return engine;
  }

  /** Ends the block that is being made after the next instruction. */
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
   * over RAM as well; it is told how many instructions and events the block has. Between blocks nobody observes: what runs there is quick.
   */
  block(
    limit: bigint,
    takesRam: (stop: Stop | null, instructions: number, events: number) => boolean,
    length = this.blockInstructions,
  ): MadeBlock {
    const { machine } = this;
    const first = machine.count;
    machine.beginBlock();
    this.#maker.begin(first, machine.rip, machine.codeBits);
    this.#full = false;
    machine.observer = this.#maker;
    const boundary = first + BigInt(length);
    const end = boundary < limit ? boundary : limit;
    let until = this.#upTo(end);
    let stop: Stop | null = null;
    for (;;) {
      const reached = machine.run(until);
      if (reached.reason === 'limit' || (reached.reason === 'observer' && machine.count === until)) {
        if (machine.count !== until) bug(`run(${until}) returned at ${machine.count}`);
        if (until === limit) stop = { reason: 'limit' };
        if (until === end || this.#full || machine.isFullOfAddresses) break;
        until = this.#upTo(end);
        continue;
      }
      if (isFinal(reached)) {
        stop = reached;
        break;
      }
      // A block ends where its count is first reached, so that a replay ends it there: events of the instruction that comes next belong to the next block.
      // Until then there is room for as many as a guest can make without an instruction: faults end the run where they are many.
      if (this.#full) until = machine.count + 1n;
    }
    machine.drainPath();
    machine.observer = null;
    // Where an older version cuts its blocks, more may come than fit.
    if (this.#maker.events > MAX_BLOCK_EVENTS)
      throw new UserError(`the block at instruction ${first} makes ${this.#maker.events} events, more than a recording of it can hold`);
    const ram = takesRam(stop, Number(machine.count - first), this.#maker.events);
    const hash = ram ? machine.hash() : machine.hashWithoutRam();
    return { block: this.#maker.take(machine.count, this.#recorded, { hash, ram }), stop };
  }

  /** Where a block that may go on to `end` is looked at: columns of addresses may have become so long that it ends. */
  #upTo(end: bigint): bigint {
    const next = this.machine.count + BigInt(ADDRESS_STRIDE);
    return this.#recorded.addresses && next < end ? next : end;
  }

  /**
   * This moment as the blocks of a checkpoint of format `version`, with the pages that changed since the last one. Each block lives until the next is asked
   * for.
   */
  *checkpoint(version = FORMAT_VERSION): Generator<CheckpointBlock> {
    const { machine, host } = this;
    const { state, frames } = machine.checkpoint();
    const hasHead = version >= 3;
    const size = hasHead ? PART_PAGES : OLD_PART_PAGES;
    const heads = hasHead ? 1 : 0;
    const parts = Math.max(1, heads + Math.ceil(frames.length / size));
    const common = { at: machine.count, parts, serialCalls: host.calls.serial, programCalls: host.calls.program };
    if (hasHead) yield { ...common, part: 0, state, frames: bytesOf(frames), pages: new Uint8Array(0) };
    for (let part = heads; part < parts; part++) {
      const numbers = frames.subarray((part - heads) * size, (part - heads + 1) * size);
      if (numbers.length * PAGE_BYTES > this.#pages.length) this.#pages = new Uint8Array(size * PAGE_BYTES);
      const pages = this.#pages.subarray(0, numbers.length * PAGE_BYTES);
      for (const [i, frame] of numbers.entries()) machine.copyPage(frame, pages, i * PAGE_BYTES);
      yield { ...common, part, state: part === 0 ? state : new Uint8Array(0), frames: bytesOf(numbers), pages };
    }
  }

  /** This moment, for `restore`. */
  state(): StoredState {
    const snapshot = this.machine.snapshot();
    const { serial, program } = this.host.calls;
    return { state: snapshot.state, ...snapshot.pages(null), serialCalls: serial, programCalls: program };
  }

  /** Puts the machine where a checkpoint was taken. */
  restore(stored: StoredState): void {
    this.machine.restoreFrom(stored);
    this.host.calls.serial = stored.serialCalls;
    this.host.calls.program = stored.programCalls;
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.slice().buffer);
}
