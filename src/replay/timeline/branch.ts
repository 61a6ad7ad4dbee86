/**
 * "Go live": leaves a recorded run at some moment, with other memory, registers or inputs, and records what happens then as a trace of its own. That trace
 * begins with the changed machine as its first checkpoint, so it replays without its parent, which its header names.
 */
import { createHash } from 'node:crypto';
import { UserError } from '../../machine/index.ts';
import { CheckpointPlan } from '../checkpoint-plan.ts';
import { Engine, NO_LIMIT } from '../engine.ts';
import { type Door, PlaybackHost } from '../inputs.ts';
import { inputsOf, type Player } from '../player.ts';
import { ByteLog, type Recording, writeRun } from '../record.ts';
import {
  type Artefact,
  CHECKPOINT_INSTRUCTIONS,
  type Change,
  MAX_ARTEFACTS,
  MAX_CHANGE_BYTES,
  MAX_CHANGES,
  type TraceHeader,
} from '../schema.ts';
import { checksums } from '../trace/checksum.ts';
import { FileSink, MemorySink } from '../trace/file.ts';
import { TraceWriter } from '../trace/writer.ts';

/** Bytes that are written at an address, linear by the page tables of the moment. */
export interface Write {
  readonly space: 'linear' | 'physical';
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

export interface BranchOptions {
  /** What the branch calls its parent: a base name, never a path. */
  readonly parent: string;
  /** Path of the branch's trace; without it the trace is kept in memory. */
  readonly to?: string;
  /** Values by the names of `Machine.setRegister`. */
  readonly registers?: Readonly<Record<string, bigint>>;
  readonly memory?: readonly Write[];
  /** What the host gives from here on; a door that is left out gives what was recorded. */
  readonly inputs?: { readonly serial?: Uint8Array; readonly program?: readonly Uint8Array[] };
  /** The run ends after so many instructions more. */
  readonly limit?: bigint;
  /** Whether path and addresses are recorded. Default: as in the parent. */
  readonly path?: boolean;
  readonly addresses?: boolean;
  /** Takes what the guest prints. */
  readonly output?: (byte: number) => void;
  /** Told after each block. */
  readonly progress?: (instructions: bigint) => void;
}

/** Records the run that begins where `player` stands. UserError where a change cannot be made. */
export async function recordBranch(player: Player, options: BranchOptions): Promise<Recording> {
  const { trace } = player;
  const { header, contents } = headerOf(player, options);
  const output = new ByteLog();
  const playback = new ChangedInputs(options.inputs ?? {});
  for (let run = trace.runs === 0 ? 0 : trace.runAt(player.position); run < trace.runs; run++) playback.feed(inputsOf(trace, run));
  const take = (byte: number): void => {
    output.push(byte);
    options.output?.(byte);
  };
  const engine = await Engine.create(header.machine, null, playback, take, header.blockInstructions, player.machine);
  engine.restore(player.state());
  change(engine, options);
  const limit = options.limit === undefined ? NO_LIMIT : player.position + options.limit;
  const fixed = header.checkpointInstructions === CHECKPOINT_INSTRUCTIONS ? null : header.checkpointInstructions;
  const sink = options.to === undefined ? new MemorySink() : new FileSink(options.to);
  const writer = new TraceWriter(sink, await checksums(), header, contents);
  try {
    for (const part of engine.checkpoint()) writer.checkpoint(part);
    const run = writeRun(engine, writer, new CheckpointPlan(fixed), limit, options.progress);
    const trace = sink instanceof MemorySink ? sink.bytes : null;
    return { ...run, output: output.bytes(), trace, size: writer.size, machine: engine.machine };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Inputs as they were recorded, but for the doors that are given others. */
class ChangedInputs extends PlaybackHost {
  readonly #given: Readonly<Record<Door, Uint8Array[] | null>>;

  constructor({ serial, program }: NonNullable<BranchOptions['inputs']>) {
    super();
    this.#given = {
      serial: serial === undefined ? null : Array.from(serial, (byte) => Uint8Array.of(byte)),
      program: program === undefined ? null : [...program],
    };
  }

  override take(door: Door, call: bigint): Uint8Array | null {
    const given = this.#given[door];
    return given === null ? super.take(door, call) : (given.shift() ?? null);
  }
}

/** Makes the changes. The machine is then put where its state says that it is, as whoever replays the branch does. */
function change(engine: Engine, { registers = {}, memory = [] }: BranchOptions): void {
  const { machine } = engine;
  for (const { space, address, bytes } of memory) {
    if (!(space === 'linear' ? machine.writeLinear(address, bytes) : machine.writePhysical(address, bytes)))
      throw new UserError(`${bytes.length} bytes at ${space} address 0x${address.toString(16)}: there is no RAM, or not for all of them`);
  }
  for (const [name, value] of Object.entries(registers)) machine.setRegister(name, value);
  try {
    engine.restore(engine.state());
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof UserError)) throw error;
    throw new UserError(`with these changes the machine is in no state that it can have: ${error.message}`);
  }
}

function headerOf({ trace, position }: Player, options: BranchOptions): { header: TraceHeader; contents: (Uint8Array | null)[] } {
  const { header } = trace;
  const record = {
    path: options.path ?? header.machine.record?.path ?? true,
    addresses: options.addresses ?? header.machine.record?.addresses ?? false,
  };
  const artefacts: Artefact[] = [...header.artefacts];
  const contents = artefacts.map((_, index) => trace.artefact(index));
  // Programs that came before are told in no event of the branch; they give symbols.
  for (let run = 0; run < trace.runs && trace.firstOf(run) < position; run++) {
    for (const { at, source, data } of inputsOf(trace, run)) {
      if (source !== 'program' || at >= position || artefacts.length >= MAX_ARTEFACTS) continue;
      artefacts.push({ role: 'symbols', name: 'program', sha256: sha256(data), size: data.length, embedded: true });
      contents.push(data);
    }
  }
  const branch = {
    at: position,
    parent: options.parent,
    digest: Buffer.from(trace.digest()).toString('hex'),
    changes: changesOf(options),
  };
  return { header: { ...header, machine: { ...header.machine, record }, artefacts, branch }, contents };
}

function changesOf({ registers = {}, memory = [], inputs = {} }: BranchOptions): Change[] {
  const none = new Uint8Array(0);
  const changes: Change[] = Object.entries(registers).map(([name, value]) => ({
    kind: 'register',
    place: name.toLowerCase(),
    data: littleEndian(value),
  }));
  for (const { space, address, bytes } of memory) changes.push({ kind: space, place: address.toString(16), data: bytes });
  if (inputs.serial !== undefined) changes.push({ kind: 'serial', place: '', data: inputs.serial });
  for (const program of inputs.program ?? []) changes.push({ kind: 'program', place: sha256(program), data: none });
  if (inputs.program?.length === 0) changes.push({ kind: 'program', place: '', data: none });
  const large = changes.find(({ data }) => data.length > MAX_CHANGE_BYTES);
  if (large !== undefined) throw new UserError(`a change of ${large.data.length} bytes: at most ${MAX_CHANGE_BYTES} at once`);
  if (changes.length > MAX_CHANGES) throw new UserError(`${changes.length} changes: at most ${MAX_CHANGES}`);
  return changes;
}

/** In 8 bytes, or 16 where they are needed. */
function littleEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(value >> 64n === 0n ? 8 : 16);
  for (const i of bytes.keys()) bytes[i] = Number((value >> BigInt(8 * i)) & 0xffn);
  return bytes;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
