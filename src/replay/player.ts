/**
 * A machine that plays a trace: it can be put at any position, and from there it runs, steps and shows itself. Positions are counts of retired
 * instructions; at position n, n instructions have retired, and the next is instruction n.
 *
 *     const player = await Player.open(trace);
 *     player.seek(1_000_000n);
 *     player.step();                       // what instruction 1,000,000 was
 *     player.machine.registers();          // as they are after it
 */
import type { Boot, Machine, MachineConfig, Snapshot, Tier } from '../machine/index.ts';
import { bug, UserError } from '../machine/isa/bug.ts';
import { Engine, type MadeBlock } from './engine.ts';
import { EVENTS, type TraceEvent, type TraceEventOf } from './events.ts';
import { PlaybackHost } from './inputs.ts';
import type { NamedFile } from './record.ts';
import type { Artefact } from './schema.ts';
import { type Code, codeAt, type InstructionView, stepOnce, viewOf } from './step.ts';
import { Symbols } from './symbols.ts';
import { TraceDamage } from './trace/frame-reader.ts';
import { isArtefact, type Trace } from './trace/reader.ts';
import { type StoredState, storedState } from './trace/stored-state.ts';

export interface PlayerOptions {
  /** Finds an artefact that the trace names but does not hold. */
  readonly find?: (artefact: Artefact) => Uint8Array | null;
  /** Boots this image instead of the recorded one: to see where two kernels part. */
  readonly image?: Uint8Array;
  readonly initrd?: Uint8Array;
  /** Another machine, whose compiled code is shared: it saves time. */
  readonly like?: Machine;
  /** How guest code is run: see MachineConfig. */
  readonly tier?: Tier;
  /** Takes what the guest prints while it is played. */
  readonly output?: (byte: number) => void;
}

/** A moment to which a player can come back. */
export interface Mark {
  readonly position: bigint;
  readonly snapshot: Snapshot;
  readonly restore: () => void;
}

/** Tag of the events that replay reads back. */
export const INPUT_TAG: number = EVENTS.find((row) => row.kind === 'input')?.tag ?? bug('there is no event for input');

/** The bytes of the artefact with this role, or null where the trace has none. */
function contents(trace: Trace, role: Artefact['role'], options: PlayerOptions): NamedFile | null {
  const index = trace.header.artefacts.findIndex((artefact) => artefact.role === role);
  const artefact = trace.header.artefacts[index];
  if (artefact === undefined) return null;
  const bytes = trace.artefact(index) ?? options.find?.(artefact) ?? null;
  if (bytes === null) throw new UserError(`the trace does not hold ${artefact.name}; give the file whose SHA-256 is ${artefact.sha256}`);
  if (!isArtefact(artefact, bytes))
    throw new UserError(`${artefact.name} is another file than the one recorded (its SHA-256 is not ${artefact.sha256})`);
  return { name: artefact.name, bytes };
}

/** The trace's machine, which may run in another tier than when it was recorded. */
function inTier(machine: MachineConfig, { tier }: PlayerOptions): MachineConfig {
  return tier === undefined ? machine : { ...machine, tier };
}

/** What the trace's machine boots, with what `options` puts in its place. */
export function bootOf(trace: Trace, options: PlayerOptions): Boot {
  const image = options.image ?? contents(trace, 'image', options)?.bytes;
  if (image === undefined) throw new UserError('the trace names no image to boot');
  const initrd = options.initrd ?? contents(trace, 'initrd', options)?.bytes;
  const { append } = trace.header;
  return { image, ...(initrd !== undefined && { initrd }), ...(append !== null && { append }) };
}

/**
 * The files that the trace holds or names, as far as they are at hand, and the archives that came as inputs. Archives have programs as guests get them,
 * without what debuggers know: the files that were given for their symbols come first.
 */
export function* namedFiles(trace: Trace, options: PlayerOptions): Generator<NamedFile & { readonly role: Artefact['role'] | 'program' }> {
  const isArchive = ({ role }: Artefact): number => Number(role === 'initrd');
  for (const [index, artefact] of [...trace.header.artefacts.entries()].sort(([, a], [, b]) => isArchive(a) - isArchive(b))) {
    const bytes = trace.artefact(index) ?? options.find?.(artefact) ?? null;
    if (bytes !== null && isArtefact(artefact, bytes)) yield { role: artefact.role, name: artefact.name, bytes };
  }
  for (let run = 0; run < trace.runs; run++) {
    for (const { data, source } of inputsOf(trace, run)) if (source === 'program') yield { role: 'program', name: 'program', bytes: data };
  }
}

/** The symbols of everything that the trace holds; programs that came as inputs are added as they are met. */
export function symbolsOf(trace: Trace, options: PlayerOptions): Symbols {
  const symbols = new Symbols();
  for (const file of namedFiles(trace, options)) symbols.add(file);
  return symbols;
}

/** The inputs of a run block, in order. */
export function inputsOf(trace: Trace, run: number): TraceEventOf<'input'>[] {
  if (!trace.hasTag(run, INPUT_TAG)) return [];
  return trace.events(run).filter((event): event is TraceEventOf<'input'> => event.kind === 'input');
}

/** An engine that makes the run of a trace again. */
export async function engineOf(
  trace: Trace,
  options: PlayerOptions,
  playback: PlaybackHost,
  output: (byte: number) => void,
): Promise<Engine> {
  const { machine, blockInstructions, branch } = trace.header;
  if (branch !== null && (options.image !== undefined || options.initrd !== undefined))
    throw new UserError('this trace is a branch, which begins in the middle of a run: no other image can be booted');
  const boot = branch === null ? bootOf(trace, options) : null;
  const engine = await Engine.create(inTier(machine, options), boot, playback, output, blockInstructions, options.like);
  if (branch !== null) restoreStored(engine, trace, 0);
  // Versions 1 and 2 cut their blocks by the number of events.
  if (trace.version < 3)
    engine.machine.log.neverFull(() => {
      throw new UserError(`a block of this trace, of format version ${trace.version}, makes more events than a recording of it can hold`);
    });
  return engine;
}

/** Puts an engine where a checkpoint of the trace was taken; throws `TraceDamage`. */
function restoreStored(engine: Engine, trace: Trace, checkpoint: number): void {
  const at = trace.checkpoints[checkpoint];
  if (at === undefined) throw new TraceDamage({ offset: 0, block: 0, reason: 'a branch without the checkpoint that it begins with' });
  const wrong = (reason: string): TraceDamage =>
    new TraceDamage({ ...trace.placeOfCheckpoint(checkpoint), reason: `the checkpoint at ${at} cannot be restored: ${reason}` });
  const stored = storedState(trace, checkpoint);
  try {
    engine.restore(stored);
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof UserError)) throw error;
    throw wrong(error.message);
  }
  const { machine } = engine;
  const before = at === trace.start ? null : trace.run(trace.runAt(at - 1n));
  if (machine.count !== at || (before !== null && before.hash !== (before.ram ? machine.hash() : machine.hashWithoutRam())))
    throw wrong('it holds another state than the block before it says');
}

export class Player {
  readonly trace: Trace;
  readonly #engine: Engine;
  readonly #playback: PlaybackHost;
  readonly #start: Snapshot;
  readonly #options: PlayerOptions;
  #symbols: Symbols | null = null;
  /** The next run block whose inputs have not been fed. */
  #fed = 0;

  private constructor(trace: Trace, engine: Engine, playback: PlaybackHost, options: PlayerOptions) {
    this.trace = trace;
    this.#engine = engine;
    this.#playback = playback;
    this.#options = options;
    this.#start = engine.machine.snapshot();
  }

  /** Throws UserError where an image is missing or bad. */
  static async open(trace: Trace, options: PlayerOptions = {}): Promise<Player> {
    const playback = new PlaybackHost();
    const engine = await engineOf(trace, options, playback, options.output ?? (() => {}));
    return new Player(trace, engine, playback, options);
  }

  get machine(): Machine {
    return this.#engine.machine;
  }

  get position(): bigint {
    return this.machine.count;
  }

  /** The first position at which nothing more was recorded. */
  get end(): bigint {
    return this.trace.instructions;
  }

  /** Goes to a position (or the start or the end, if it is outside of them): from the nearest checkpoint before it, or on from here where that is nearer. */
  seek(to: bigint): void {
    const target = to < this.trace.start ? this.trace.start : to < this.end ? to : this.end;
    this.seekCheckpoint(target);
    this.run(target);
  }

  /** Goes to the nearest checkpoint at or before a position, unless the way on from here is shorter. */
  seekCheckpoint(target: bigint): void {
    const checkpoint = this.trace.checkpointAt(target);
    const from = checkpoint < 0 ? 0n : (this.trace.checkpoints[checkpoint] ?? 0n);
    if (target < this.position || from > this.position) this.restoreCheckpoint(checkpoint);
  }

  /** Goes to a checkpoint of the trace; -1: to the start. */
  restoreCheckpoint(checkpoint: number): void {
    const { trace } = this;
    if (checkpoint < 0) {
      this.machine.restore(this.#start);
      this.#engine.host.calls.serial = 0n;
      this.#engine.host.calls.program = 0n;
    } else {
      restoreStored(this.#engine, trace, checkpoint);
    }
    this.#playback.clear();
    this.#fed = trace.runs === 0 ? 0 : trace.runAt(this.position);
  }

  /** Takes what is needed to come back to this moment quickly. */
  mark(): Mark {
    this.machine.drainPath();
    const snapshot = this.machine.snapshot();
    const { serial, program } = this.#engine.host.calls;
    const restore = (): void => {
      this.machine.restore(snapshot);
      this.#engine.host.calls.serial = serial;
      this.#engine.host.calls.program = program;
      this.#playback.clear();
      this.#fed = this.trace.runs === 0 ? 0 : this.trace.runAt(snapshot.count);
    };
    return { position: snapshot.count, snapshot, restore };
  }

  /** This moment, for another engine. */
  state(): StoredState {
    this.machine.drainPath();
    return this.#engine.state();
  }

  /** Runs on to a position, by the inputs that were recorded; less far where an observer ends the run. */
  run(to: bigint): void {
    const { machine } = this;
    this.#feed(to);
    while (machine.count < to) {
      const before = machine.count;
      const stop = machine.run(to);
      if (stop.reason === 'observer') return;
      if (stop.reason !== 'limit' && machine.count === before && stop.reason !== 'ready') return;
    }
  }

  /** Runs on to a position and tells how many bits, targets and addresses the path got on the way. */
  pathUntil(to: bigint): { readonly bit: number; readonly target: number; readonly address: number } {
    const { machine } = this;
    const made = { bit: 0, target: 0, address: 0 };
    const observer = machine.observer;
    machine.observer = {
      path: ({ bitCount, targetCount, addresses }) => {
        made.bit += bitCount;
        made.target += targetCount;
        made.address += addresses?.count ?? 0;
      },
    };
    this.run(to);
    machine.drainPath();
    machine.observer = observer;
    return made;
  }

  /** Makes the next block, as record does. */
  block(limit: bigint): MadeBlock {
    this.#feed(this.position + BigInt(this.#engine.blockInstructions));
    const index = this.trace.runAt(this.position);
    const { ram } = this.trace.run(index);
    return this.#engine.block(limit, () => ram, this.trace.lengthOf(index));
  }

  /** Gives the playback the inputs of the blocks up to `to`. */
  #feed(to: bigint): void {
    while (this.#fed < this.trace.runs && this.trace.firstOf(this.#fed) <= to) this.#playback.feed(inputsOf(this.trace, this.#fed++));
  }

  /** Executes one instruction and tells which it was; null where the run has ended. Interrupts and faults before it are delivered on the way. */
  step(): InstructionView | null {
    if (this.position >= this.end) return null;
    const executed = stepOnce(this.machine, (to) => this.run(to));
    return executed && viewOf(executed, this.symbols);
  }

  /** The instruction that stands at an address now, as if it were number `at`. */
  look(at: bigint, rip: bigint): InstructionView {
    return viewOf({ at, rip, cpl: this.machine.cpl, code: this.code(rip) }, this.symbols);
  }

  /** The bytes of code at an address as they are now, up to a page that is not mapped, and how wide the mode is. */
  code(rip: bigint): Code {
    return codeAt(this.machine, rip);
  }

  get symbols(): Symbols {
    this.#symbols ??= symbolsOf(this.trace, this.#options);
    return this.#symbols;
  }

  /** The recorded events with `from` ≤ at < `to`, in order. */
  *events(from: bigint, to: bigint): Generator<TraceEvent> {
    if (this.trace.runs === 0) return;
    for (let run = this.trace.runAt(from); run < this.trace.runs && this.trace.firstOf(run) < to; run++) {
      for (const event of this.trace.events(run)) if (event.at >= from && event.at < to) yield event;
    }
  }
}
