/**
 * Finds the first instruction at which a replay went another way than the recording, and tells it for people: the instruction, what came before it,
 * what the recording and the replay did there, and the state.
 *
 * Blocks give the place to within 2^22 instructions. Events carry their position. A bit or target of the path is traced back to the instruction that
 * made it by running the block again to chosen points and counting the bits until there. Where only the state hash differs, no single instruction
 * can be named from the trace: the report says so, and names the block.
 */
import type { Registers } from '../machine/index.ts';
import type { AddressDifference, BlockDifference } from './compare.ts';
import { describeEvent } from './describe.ts';
import type { TraceEvent } from './events.ts';
import { walkPath } from './path.ts';
import type { Player } from './player.ts';
import type { RunBlock } from './schema.ts';
import type { InstructionView } from './step.ts';
import type { Damage } from './trace/frame-reader.ts';
import { Malformed } from './trace/malformed.ts';
import { eventsOf } from './trace/run-events.ts';

/** How the first difference shows. `damage`: the trace itself is wrong; the others: the replay was not the recorded run. */
export type DifferenceKind = 'damage' | 'path' | 'event' | 'address' | 'state' | 'end' | 'image';

export interface Difference {
  readonly kind: DifferenceKind;
  /** Position of the first instruction that differs; for `state`, the position after the block of which it is one. */
  readonly at: bigint;
  /** One line: what differs, and where. */
  readonly message: string;
  /** The instruction, as the replay executed it; null where there is none. */
  readonly instruction: InstructionView | null;
  /** Up to eight instructions before it, which both did. */
  readonly before: readonly InstructionView[];
  /** What the recording did there and next, a line each. */
  readonly recorded: readonly string[];
  /** What the replay did there and next. */
  readonly replayed: readonly string[];
  /** Registers of the replay before the instruction; null where the machine could not be brought there. */
  readonly registers: Registers | null;
  /** Where the file is wrong, for `damage`. */
  readonly damage: Damage | null;
}

const BEFORE = 8n;
const AFTER = 4;

export function damageDifference(damage: Damage, at: bigint): Difference {
  return {
    kind: 'damage',
    at,
    message: `the trace is damaged at offset ${damage.offset} (block ${damage.block}): ${damage.reason}`,
    instruction: null,
    before: [],
    recorded: [],
    replayed: [],
    registers: null,
    damage: { offset: damage.offset, block: damage.block, reason: damage.reason },
  };
}

/** The position of the instruction that made bit or target number `index` of the path of the block that begins at `first`. */
export function makerOf(player: Player, first: bigint, count: number, part: 'bit' | 'target' | 'address', index: number): bigint {
  player.seek(first);
  const begin = player.mark();
  let low = 0;
  let high = count;
  // the smallest n such that the first n instructions make more than `index` of them
  while (low < high) {
    const middle = (low + high) >> 1;
    begin.restore();
    const made = player.pathUntil(first + BigInt(middle));
    if (made[part] > index) high = middle;
    else low = middle + 1;
  }
  return first + BigInt(Math.max(low, 1) - 1);
}

/** What the recording and the replay accessed; null: nothing more. */
interface Accessed {
  readonly part: 'address';
  readonly recorded: bigint | null;
  readonly replayed: bigint | null;
}

interface Candidate {
  readonly at: bigint;
  readonly kind: DifferenceKind;
  readonly difference: Exclude<BlockDifference, AddressDifference> | Accessed;
}

/** An access of instruction `at`, in the block that begins at `first`. */
function accessCandidate(player: Player, first: bigint, at: bigint, { index, recorded, replayed }: AddressDifference): Candidate {
  player.seek(first);
  player.mark().restore();
  const { address: before } = player.pathUntil(at);
  player.step();
  const guesses = player.machine.guessesOf(index - before);
  const none = { part: 'address', recorded: null, replayed: null } as const;
  if (guesses === null || replayed === undefined) return { at, kind: 'address', difference: none };
  const { address, first: guess, other, following } = guesses;
  const by = { other, following };
  const said = recorded === null ? guess : typeof recorded === 'bigint' ? guess + recorded : recorded && by[recorded];
  return {
    at,
    kind: 'address',
    difference: { ...none, recorded: said === undefined ? null : BigInt.asUintN(64, said), replayed: address },
  };
}

function candidate(player: Player, first: bigint, count: number, difference: BlockDifference): Candidate {
  switch (difference.part) {
    case 'event': {
      const { recorded, replayed } = difference;
      const isRecordedFirst = recorded !== null && (replayed === null || recorded.at < replayed.at);
      return { at: (isRecordedFirst ? recorded : replayed)?.at ?? first, kind: 'event', difference };
    }
    case 'bit':
    case 'target':
      return { at: makerOf(player, first, count, difference.part, difference.index), kind: 'path', difference };
    case 'address':
      return accessCandidate(player, first, makerOf(player, first, count, difference.part, difference.index), difference);
    case 'rip':
      return { at: first, kind: 'path', difference };
    case 'count':
      return { at: first + BigInt(Math.min(difference.recorded, difference.replayed)), kind: 'end', difference };
    case 'hash':
      return { at: first + BigInt(count), kind: 'state', difference };
  }
}

function word(value: bigint | null): string {
  return value === null ? 'nothing more' : `0x${value.toString(16)}`;
}

function line(event: TraceEvent): string {
  return `${event.at}  ${describeEvent(event)}`;
}

/** The lines of `recorded` and `replayed`, and the sentence. */
function tell(found: Candidate): { recorded: string; replayed: string; message: string } {
  const { difference, at } = found;
  switch (difference.part) {
    case 'event': {
      const recorded = difference.recorded === null ? 'no more events' : line(difference.recorded);
      const replayed = difference.replayed === null ? 'no more events' : line(difference.replayed);
      return { recorded, replayed, message: `the first different event is at instruction ${at}` };
    }
    case 'bit': {
      const way = (bit: boolean | null): string => (bit === null ? 'no more branches' : bit ? 'taken (1)' : 'not taken (0)');
      return { recorded: way(difference.recorded), replayed: way(difference.replayed), message: `the path parts at instruction ${at}` };
    }
    case 'target':
      return {
        recorded: `to ${word(difference.recorded)}`,
        replayed: `to ${word(difference.replayed)}`,
        message: `the path parts at instruction ${at}`,
      };
    case 'address':
      return {
        recorded: word(difference.recorded),
        replayed: word(difference.replayed),
        message: `instruction ${at} uses another address`,
      };
    case 'rip':
      return {
        recorded: `at ${word(difference.recorded)}`,
        replayed: `at ${word(difference.replayed)}`,
        message: `the block of instruction ${at} begins elsewhere`,
      };
    case 'count':
      return {
        recorded: `${difference.recorded} instructions in the block`,
        replayed: `${difference.replayed} instructions in the block`,
        message: `the run ends at another place, near instruction ${at}`,
      };
    case 'hash':
      return {
        recorded: `state ${difference.recorded}`,
        replayed: `state ${difference.replayed}`,
        message: `the state after instruction ${at} differs, though path and events of its block are the same`,
      };
  }
}

/** The first of the differences between a recorded block and the replayed one, told wholly. `player` plays the same trace. */
export function divergence(player: Player, recorded: RunBlock, replayed: RunBlock, found: readonly BlockDifference[]): Difference {
  const events = (run: RunBlock): TraceEvent[] => eventsOf(run);
  const candidates = found.map((difference) => candidate(player, replayed.first, replayed.count, difference));
  const earliest = candidates.reduce((a, b) => (b.at < a.at ? b : a));
  const { at, kind } = earliest;
  const told = tell(earliest);
  const next = (list: readonly TraceEvent[]): string[] =>
    list
      .filter((event) => event.at >= at && event !== shown(earliest, list))
      .slice(0, AFTER)
      .map(line);
  const { before, instruction, registers } = surroundings(player, at);
  const where = instruction === null ? '' : `: ${instructionText(instruction)}`;
  const isPath = kind === 'path';
  return {
    kind,
    at,
    message: `${told.message}${where}`,
    instruction,
    before,
    recorded: [told.recorded, ...(isPath ? recordedNext(player, recorded, at) : []), ...next(events(recorded))],
    replayed: [told.replayed, ...(isPath ? replayedNext(player) : []), ...next(events(replayed))],
    registers,
    damage: null,
  };
}

/** The instructions that the recorded path goes to after instruction `at`, as far as their code is in memory now. */
function recordedNext(player: Player, run: RunBlock, at: bigint): string[] {
  const lines: string[] = [];
  try {
    for (const step of walkPath(run, eventsOf(run), (_, rip) => player.code(rip), new Map())) {
      if (step.at > at) lines.push(instructionText(player.look(step.at, step.rip)));
      if (lines.length === AFTER) break;
    }
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    lines.push(`the recorded path cannot be followed further: ${error.message}`);
  }
  return lines;
}

/** The instructions that the replay goes to from here. */
function replayedNext(player: Player): string[] {
  const lines: string[] = [];
  for (let view = player.step(); view !== null && lines.length < AFTER; view = player.step()) lines.push(instructionText(view));
  return lines;
}

/** The event of this list that `tell` shows already. */
function shown({ difference }: Candidate, list: readonly TraceEvent[]): TraceEvent | undefined {
  return difference.part === 'event' ? list[difference.index] : undefined;
}

/** What the player finds at a position: the instructions before it, the registers, the instruction. */
export function surroundings(
  player: Player,
  at: bigint,
): { readonly before: readonly InstructionView[]; readonly instruction: InstructionView | null; readonly registers: Registers } {
  player.seek(at > BEFORE ? at - BEFORE : 0n);
  const before: InstructionView[] = [];
  while (player.position < at) {
    const view = player.step();
    if (view === null) break;
    before.push(view);
  }
  const registers = player.machine.registers();
  return { before, registers, instruction: player.step() };
}

/** One line: `0x401000 mov eax, [rbx]  at 0x402000  (main+0x4, hello.ts:3:1)`. */
export function instructionText({ rip, text, addresses, place }: InstructionView): string {
  const names = [place?.symbol, place?.source].filter((name) => name !== null && name !== undefined);
  const accessed = addresses === undefined || addresses.length === 0 ? '' : `  at ${addresses.map(word).join(', ')}`;
  return `0x${rip.toString(16)} ${text}${accessed}${names.length > 0 ? `  (${names.join(', ')})` : ''}`;
}
