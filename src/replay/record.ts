/**
 * Records a run:
 *
 *     const recording = await record({ machine: { memoryBytes: 64 << 20, seed: 'a', harness: false }, image, to: 'run.mpk' });
 *     recording.stop, recording.instructions, recording.hash
 *
 * The trace is a function of the options and of what the host gives: the same run is the same file, byte for byte.
 */
import { createHash } from 'node:crypto';
import { type Host, type Machine, type MachineConfig, QuietHost, type Stop } from '../machine/index.ts';
import { UserError } from '../machine/isa/bug.ts';
import type { EventCounts } from './block-maker.ts';
import { CheckpointPlan } from './checkpoint-plan.ts';
import { Engine, NO_LIMIT } from './engine.ts';
import { type Artefact, BLOCK_INSTRUCTIONS, CHECKPOINT_INSTRUCTIONS, MAX_BLOCK_INSTRUCTIONS, type TraceHeader } from './schema.ts';
import { checksums } from './trace/checksum.ts';
import { FileSink, MemorySink } from './trace/file.ts';
import { TraceWriter } from './trace/writer.ts';

/** A file with the name that the trace remembers it by: a base name, never a path. */
export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface RecordOptions {
  /** The machine; what is recorded of it is said below. */
  readonly machine: Omit<MachineConfig, 'record'>;
  /** The PVH ELF64 that boots. */
  readonly image: NamedFile;
  readonly initrd?: NamedFile;
  /** The kernel's command line. */
  readonly append?: string;
  /** ELF files that give symbols and source lines to whoever inspects the trace. */
  readonly symbols?: readonly NamedFile[];
  /** Where inputs come from and output goes to. Default: no input, output kept in the result only. */
  readonly host?: Host;
  /** Path of the trace; without it the trace is kept in memory. While it is written it lies at `PATH.partial`. */
  readonly to?: string;
  /** The run ends at this count of instructions. */
  readonly limit?: bigint;
  /** False leaves the path out: smaller and faster, and a replay then compares events and hashes only. Default true. */
  readonly path?: boolean;
  /** Linear addresses of memory operands as well. Default false. */
  readonly addresses?: boolean;
  /** False leaves the images out: whoever replays finds them by their hash. Default true. */
  readonly embed?: boolean;
  readonly blockInstructions?: number;
  /** Instructions between checkpoints. Default: as many as make them cheap beside the run (checkpoint-plan.ts), at least CHECKPOINT_INSTRUCTIONS. */
  readonly checkpointInstructions?: number;
  /** Another machine, whose compiled code is shared: it saves time. */
  readonly like?: Machine;
  /** Told after each block. */
  readonly progress?: (instructions: bigint) => void;
}

export interface Recording {
  readonly stop: Stop;
  readonly instructions: bigint;
  /** The machine's state hash at the end. */
  readonly hash: string;
  /** How many events of each kind there were. */
  readonly counts: EventCounts;
  /** What the guest printed. */
  readonly output: Uint8Array;
  /** The trace where it was kept in memory, else null. */
  readonly trace: Uint8Array | null;
  /** Bytes of the trace. */
  readonly size: number;
  /** The machine as the run left it. */
  readonly machine: Machine;
}

/** The header of a recording, and the bytes of its artefacts. */
function headerOf(options: RecordOptions): { header: TraceHeader; contents: Uint8Array[] } {
  const blockInstructions = options.blockInstructions ?? BLOCK_INSTRUCTIONS;
  const checkpointInstructions = options.checkpointInstructions ?? CHECKPOINT_INSTRUCTIONS;
  if (blockInstructions < 1 || blockInstructions > MAX_BLOCK_INSTRUCTIONS || checkpointInstructions % blockInstructions !== 0)
    throw new UserError(
      `blocks of ${blockInstructions} instructions with checkpoints every ${checkpointInstructions}: the second must be a multiple of the first`,
    );
  const files: [Artefact['role'], NamedFile][] = [['image', options.image]];
  if (options.initrd !== undefined) files.push(['initrd', options.initrd]);
  for (const file of options.symbols ?? []) files.push(['symbols', file]);
  const artefacts = files.map(([role, { name, bytes }]): Artefact => {
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { role, name, sha256, size: bytes.length, embedded: options.embed ?? true };
  });
  const machine: MachineConfig = { ...options.machine, record: { path: options.path ?? true, addresses: options.addresses ?? false } };
  const header = { machine, append: options.append ?? null, artefacts, blockInstructions, checkpointInstructions, branch: null };
  return { header, contents: files.map(([, { bytes }]) => bytes) };
}

/** Runs the machine to its end (or `limit`) and writes the trace. Throws UserError for bad images and for a disk that is full. */
export async function record(options: RecordOptions): Promise<Recording> {
  const { header, contents } = headerOf(options);
  const host = options.host ?? new QuietHost();
  const output = new ByteLog();
  const boot = {
    image: options.image.bytes,
    ...(options.initrd && { initrd: options.initrd.bytes }),
    ...(options.append !== undefined && { append: options.append }),
  };
  const take = (byte: number): void => {
    output.push(byte);
    host.serialOutput(byte);
  };
  const engine = await Engine.create(header.machine, boot, host, take, header.blockInstructions, options.like);
  const sink = options.to === undefined ? new MemorySink() : new FileSink(options.to);
  const writer = new TraceWriter(sink, await checksums(), header, contents);
  try {
    const plan = new CheckpointPlan(options.checkpointInstructions ?? null);
    const run = writeRun(engine, writer, plan, options.limit ?? NO_LIMIT, options.progress);
    const trace = sink instanceof MemorySink ? sink.bytes : null;
    return { ...run, output: output.bytes(), trace, size: writer.size, machine: engine.machine };
  } catch (error) {
    writer.abandon();
    throw error;
  }
}

/** Runs an engine from where it stands to the end of the run (or `limit`), and writes all that happens, down to the trace's end. */
export function writeRun(
  engine: Engine,
  writer: TraceWriter,
  plan: CheckpointPlan,
  limit: bigint,
  progress: ((instructions: bigint) => void) | undefined,
): Pick<Recording, 'stop' | 'instructions' | 'hash' | 'counts'> {
  const counts: EventCounts = {};
  /** Adds a block to the plan, and says whether its hash is over RAM: at the end, and before a checkpoint. */
  const planned = (end: Stop | null, instructions: number, events: number): boolean => {
    plan.add(instructions, events);
    return end !== null || plan.isDue;
  };
  for (;;) {
    const { block, stop } = engine.block(limit, planned);
    writer.run(block);
    engine.countInto(counts);
    const at = engine.machine.count;
    progress?.(at);
    if (stop !== null) {
      writer.end({ at, stop, hash: block.hash });
      return { stop, instructions: at, hash: block.hash, counts };
    }
    if (plan.isDue) {
      let bytes = 0;
      for (const part of engine.checkpoint()) {
        writer.checkpoint(part);
        bytes += part.pages.length;
      }
      plan.taken(bytes);
    }
  }
}

/** Bytes that come one at a time. */
export class ByteLog {
  #bytes = new Uint8Array(256);
  #length = 0;

  push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}
