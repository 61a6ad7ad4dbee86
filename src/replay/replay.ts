/**
 * Replays a trace: runs the recorded machine again from the header and the recorded inputs, and compares path, events, addresses and state hashes
 * block by block, the checkpoints, the end, and every byte of the file itself.
 *
 *     const report = await replay('run.mpk');
 *     report.identical, report.difference?.message
 */
import { createHash } from 'node:crypto';
import { differences, sameBlock } from './compare.ts';
import { type Difference, damageDifference, divergence, instructionText } from './divergence.ts';
import { type Engine, NO_LIMIT } from './engine.ts';
import type { TraceEventOf } from './events.ts';
import { firstDifferentInstruction } from './images.ts';
import { PlaybackHost } from './inputs.ts';
import { engineOf, INPUT_TAG, Player, type PlayerOptions } from './player.ts';
import { ByteLog } from './record.ts';
import type { CheckpointBlock, EndBlock, RunBlock } from './schema.ts';
import { type Cut, TraceCursor } from './trace/cursor.ts';
import { FileSource, MemorySource, type TraceSource } from './trace/file.ts';
import { placed, TraceDamage } from './trace/frame-reader.ts';
import { Malformed } from './trace/malformed.ts';
import { Trace } from './trace/reader.ts';
import { eventsOf, tagsOf } from './trace/run-events.ts';

export interface ReplayOptions extends PlayerOptions {
  /** Stops at this position, coming from the nearest checkpoint before it; only what lies between is compared. */
  readonly to?: bigint;
  /** Told after each block. */
  readonly progress?: (instructions: bigint) => void;
}

export interface ReplayReport {
  /** Everything that was compared was the same, and the trace is not damaged. */
  readonly identical: boolean;
  /** False where the trace was cut: then it was compared up to its last whole block. */
  readonly complete: boolean;
  /** Where the comparison began: the start, or the checkpoint from which `to` was reached. */
  readonly from: bigint;
  /** The position reached. */
  readonly instructions: bigint;
  /** The machine's state hash there. */
  readonly hash: string;
  /** The first difference; null where there is none. */
  readonly difference: Difference | null;
  readonly cut: Cut | null;
  /** What the guest printed from `from` on. */
  readonly output: Uint8Array;
}

/** Opens a trace by its path, or its bytes. Throws UserError where it is none or of another version, `TraceDamage` where its header cannot be read. */
export async function openTrace(trace: string | Uint8Array): Promise<Trace> {
  return Trace.open(sourceOf(trace));
}

function sourceOf(trace: string | Uint8Array): TraceSource {
  return typeof trace === 'string' ? new FileSource(trace) : new MemorySource(trace);
}

/** Replays a trace, given by its path or bytes. Throws UserError where it is no trace, or an image is missing. */
export async function replay(trace: string | Uint8Array, options: ReplayOptions = {}): Promise<ReplayReport> {
  const source = sourceOf(trace);
  try {
    return options.to === undefined ? await replayAll(source, options) : await replayTo(source, options, options.to);
  } catch (error) {
    if (!(error instanceof TraceDamage)) throw error;
    return {
      identical: false,
      complete: false,
      from: 0n,
      instructions: 0n,
      hash: '',
      difference: damageDifference(error, 0n),
      cut: null,
      output: new Uint8Array(0),
    };
  } finally {
    source.close();
  }
}

/** Goes through the file from front to back, and runs along. */
async function replayAll(source: TraceSource, options: ReplayOptions): Promise<ReplayReport> {
  const trace = await Trace.open(source);
  if (options.image !== undefined || options.initrd !== undefined) return replayOther(trace, options);
  checkArtefacts(trace);
  const cursor = await TraceCursor.open(source);
  const playback = new PlaybackHost();
  const output = new ByteLog();
  const engine = await engineOf(trace, options, playback, outputTo(output, options));
  let position = trace.start;
  let runs = 0;
  let last: { readonly block: RunBlock; readonly stop: ReturnType<Engine['block']>['stop'] } | null = null;
  let checkpoint: Iterator<CheckpointBlock> | null = null;
  const report = (difference: Difference | null): ReplayReport => ({
    identical: difference === null,
    complete: difference === null && cursor.cut === null,
    from: trace.start,
    instructions: position,
    hash: engine.machine.hash(),
    difference,
    cut: cursor.cut,
    output: output.bytes(),
  });
  try {
    for (let block = cursor.next(); block !== null; block = cursor.next()) {
      if (block.kind === 'run') {
        const run = block.value;
        if (last?.stop)
          return report(
            await endDifference(trace, options, position, `the replay ended with ${JSON.stringify(last.stop)}, the recording goes on`),
          );
        const { offset, sequence } = block;
        const index = runs++;
        if (index >= trace.runs || trace.firstOf(index) !== run.first)
          throw new TraceDamage({ offset, block: sequence, reason: 'the index has another block in the place of this' });
        playback.feed(placed(offset, sequence, () => inputs(run)));
        last = engine.block(limitOf(trace), () => run.ram, trace.lengthOf(index));
        position = engine.machine.count;
        const { block: made } = last;
        if (!placed(offset, sequence, () => sameBlock(run, made, trace.version)))
          return report(await explain(trace, options, run, made, false));
        options.progress?.(position);
      } else if (block.kind === 'checkpoint') {
        if (block.value.part === 0) checkpoint = engine.checkpoint(trace.version);
        if (!sameCheckpoint(block.value, checkpoint?.next().value))
          return report(await endDifference(trace, options, position, `the checkpoint at ${position} holds another state`));
      } else if (block.kind === 'end') {
        if (!sameEnd(block.value, last, position, engine.machine.hash())) {
          const message = `the recording ends with ${JSON.stringify(block.value.stop)} at ${block.value.at}, the replay with ${JSON.stringify(last?.stop)} at ${position}`;
          return report(await endDifference(trace, options, position, message));
        }
      }
    }
  } catch (error) {
    if (!(error instanceof TraceDamage)) throw error;
    return report(damageDifference(error, position));
  }
  return report(null);
}

/** Where the recording stopped by its own limit, or was cut, so does the replay: else it would run on. */
function limitOf(trace: Trace): bigint {
  if (trace.end === null) return trace.instructions;
  return trace.end.stop.reason === 'limit' ? trace.end.at : NO_LIMIT;
}

/** Every embedded artefact has the hash that the header says. */
function checkArtefacts(trace: Trace): void {
  for (let i = 0; i < trace.header.artefacts.length; i++) trace.artefact(i);
}

function outputTo(log: ByteLog, options: ReplayOptions): (byte: number) => void {
  return (byte) => {
    log.push(byte);
    options.output?.(byte);
  };
}

function inputs(run: RunBlock): TraceEventOf<'input'>[] {
  if ((tagsOf(run) & (1n << BigInt(INPUT_TAG))) === 0n) return [];
  return eventsOf(run).filter((event): event is TraceEventOf<'input'> => event.kind === 'input');
}

function sameCheckpoint(recorded: CheckpointBlock, made: CheckpointBlock | undefined): boolean {
  if (made === undefined) return false;
  const numbers = ['at', 'part', 'parts', 'serialCalls', 'programCalls'] as const;
  const bins = ['state', 'frames', 'pages'] as const;
  return numbers.every((key) => recorded[key] === made[key]) && bins.every((key) => Buffer.compare(recorded[key], made[key]) === 0);
}

function sameEnd(recorded: EndBlock, last: { readonly stop: EndBlock['stop'] | null } | null, position: bigint, hash: string): boolean {
  return recorded.at === position && recorded.hash === hash && JSON.stringify(recorded.stop) === JSON.stringify(last?.stop);
}

/** The difference of a block, with the place found by playing the trace again. */
async function explain(trace: Trace, options: ReplayOptions, recorded: RunBlock, replayed: RunBlock, partly: boolean): Promise<Difference> {
  const index = trace.runAt(recorded.first);
  const found = trace.placed(index, () => {
    const all = differences(recorded, replayed, trace.version, partly);
    if (all.length === 0) throw new Malformed('the block says what happened in other bytes than a recording has');
    return all;
  });
  const player = await Player.open(trace, quiet(options));
  return divergence(player, recorded, replayed, found);
}

/** The options of a second run: it prints nothing. */
function quiet(options: ReplayOptions): PlayerOptions {
  const { output: _, ...rest } = options;
  return rest;
}

async function endDifference(trace: Trace, options: ReplayOptions, at: bigint, message: string): Promise<Difference> {
  const player = await Player.open(trace, quiet(options));
  player.seek(at);
  return {
    kind: 'end',
    at,
    message,
    instruction: null,
    before: [],
    recorded: [],
    replayed: [],
    registers: player.machine.registers(),
    damage: null,
  };
}

/** From the nearest checkpoint to a position. */
async function replayTo(source: TraceSource, options: ReplayOptions, to: bigint): Promise<ReplayReport> {
  const trace = await Trace.open(source);
  const output = new ByteLog();
  const player = await Player.open(trace, { ...options, output: outputTo(output, options) });
  const target = to < trace.start ? trace.start : to < player.end ? to : player.end;
  player.seekCheckpoint(target);
  const from = player.position;
  let difference: Difference | null = null;
  while (player.position < target && difference === null) {
    const run = trace.run(trace.runAt(player.position));
    const { block, stop } = player.block(target);
    const whole = block.count === run.count;
    const isOther = () => (whole ? !sameBlock(run, block, trace.version) : differences(run, block, trace.version, true).length > 0);
    if (trace.placed(trace.runAt(run.first), isOther)) difference = await explain(trace, options, run, block, !whole);
    options.progress?.(player.position);
    if (stop !== null) break;
  }
  if (difference === null && player.position < target)
    difference = await endDifference(
      trace,
      options,
      player.position,
      `the replay ended at ${player.position}, the recording went on to ${player.end}`,
    );
  return {
    identical: difference === null,
    complete: trace.cut === null && trace.damage === null,
    from,
    instructions: player.position,
    hash: player.machine.hash(),
    difference,
    cut: trace.cut,
    output: output.bytes(),
  };
}

/** Replays with other images in the place of the recorded ones: reports the first instruction that does something else. */
async function replayOther(trace: Trace, options: ReplayOptions): Promise<ReplayReport> {
  const { image: _image, initrd: _initrd, ...recordedOptions } = quiet(options);
  const recorded = await Player.open(trace, recordedOptions);
  const other = await Player.open(trace, { like: recorded.machine, ...quiet(options) });
  const found = firstDifferentInstruction(recorded, other);
  const hash = other.machine.hash();
  const sameImages = hash === recorded.machine.hash();
  const name = createHash('sha256')
    .update(options.image ?? options.initrd ?? new Uint8Array(0))
    .digest('hex')
    .slice(0, 12);
  const difference: Difference | null =
    found === null
      ? null
      : {
          kind: 'image',
          at: found.at,
          message: `with the other image (SHA-256 ${name}…) instruction ${found.at} is the first that differs: ${found.replayed === null ? 'it is not reached' : instructionText(found.replayed)}`,
          instruction: found.replayed,
          before: found.before,
          recorded: found.recordedLines,
          replayed: found.replayedLines,
          registers: found.registers,
          damage: null,
        };
  return {
    identical: difference === null && sameImages,
    complete: trace.cut === null && trace.damage === null,
    from: 0n,
    instructions: other.position,
    hash,
    difference,
    cut: trace.cut,
    output: new Uint8Array(0),
  };
}
