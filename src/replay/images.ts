/**
 * Where do two images part? Plays one trace on two machines, the recorded image on one and another image on the other, and finds the first
 * instruction that is another, or does something else.
 *
 * Block by block, path, events, registers and changed memory are compared (but for the bytes in which the images differ from the start); the first
 * block that differs, or in which the path leads over bytes that differ, is then gone through in single steps.
 */
import { RegisterCapture, type Registers, type Snapshot } from '../machine/index.ts';
import { differences } from './compare.ts';
import { instructionText } from './divergence.ts';
import { walkPath } from './path.ts';
import type { Player } from './player.ts';
import type { InstructionView } from './step.ts';
import { Malformed } from './trace/malformed.ts';

export interface FoundInstruction {
  readonly at: bigint;
  /** The instruction on the other machine; null where its run has ended. */
  readonly replayed: InstructionView | null;
  readonly before: readonly InstructionView[];
  readonly recordedLines: readonly string[];
  readonly replayedLines: readonly string[];
  /** Of the other machine, before the instruction. */
  readonly registers: Registers;
}

const BEFORE = 8;
const AFTER = 4;

/** Leaves both players behind the first difference, or at the end of the trace. */
export function firstDifferentInstruction(recorded: Player, other: Player): FoundInstruction | null {
  const starts = [recorded.machine.snapshot(), other.machine.snapshot()] as const;
  const initial = differingBytes(...starts);
  while (recorded.position < recorded.end) {
    const marks = [recorded.mark(), other.mark()] as const;
    const isOther = executesOther(recorded, initial);
    const [a, b] = [recorded.block(recorded.end), other.block(recorded.end)];
    const parted =
      isOther ||
      differences(a.block, b.block, recorded.trace.version).some(({ part }) => part !== 'hash') ||
      !sameRegisters(recorded, other) ||
      !sameMemory(recorded, other, starts, initial);
    if (parted) {
      for (const mark of marks) mark.restore();
      const found = stepTogether(recorded, other);
      if (found !== null) return found;
    }
    if (a.stop !== null) return null;
  }
  return null;
}

/** Pages on which the snapshots differ, and the bytes of the second there. */
function differingBytes(recorded: Snapshot, other: Snapshot): ReadonlyMap<number, readonly [Uint8Array, Uint8Array]> {
  const found = new Map<number, readonly [Uint8Array, Uint8Array]>();
  const [a, b] = [pagesOf(recorded, null), pagesOf(other, null)];
  const zero = new Uint8Array(4096);
  for (const frame of new Set([...a.keys(), ...b.keys()])) {
    const pages = [a.get(frame) ?? zero, b.get(frame) ?? zero] as const;
    if (Buffer.compare(pages[0], pages[1]) !== 0) found.set(frame, [pages[0].slice(), pages[1].slice()]);
  }
  return found;
}

/**
 * Whether the recorded path of the block that `player` stands in front of leads over bytes that differed at the start. True also where that cannot be
 * told: where the path was not recorded, or code is not in memory yet.
 */
function executesOther(player: Player, initial: ReadonlyMap<number, readonly [Uint8Array, Uint8Array]>): boolean {
  const { trace, machine } = player;
  const index = trace.runAt(player.position);
  const frames = new Map<bigint, number | null>();
  const frameOf = (page: bigint): number | null => {
    let frame = frames.get(page);
    if (frame === undefined) {
      const translation = machine.translate(page << 12n);
      frame = translation === null ? null : Number(translation.physical >> 12n);
      frames.set(page, frame);
    }
    return frame;
  };
  const looked = new Set<bigint>();
  try {
    for (const { rip, decoded } of walkPath(trace.run(index), trace.events(index), (_, at) => player.code(at), new Map())) {
      if (looked.has(rip)) continue;
      looked.add(rip);
      for (let address = rip; address < rip + BigInt(decoded.length); address++) {
        const pages = initial.get(frameOf(address >> 12n) ?? -1);
        const offset = Number(address & 0xfffn);
        if (pages !== undefined && pages[0][offset] !== pages[1][offset]) return true;
      }
    }
    return false;
  } catch (error) {
    if (error instanceof Malformed) return true;
    throw error;
  }
}

/** Pages by frame that may differ from those of `since`. */
function pagesOf(snapshot: Snapshot, since: Snapshot | null): ReadonlyMap<number, Uint8Array> {
  const { numbers, bytes } = snapshot.pages(since);
  return new Map(Array.from(numbers, (frame, i) => [frame, bytes.subarray(i * 4096, (i + 1) * 4096)]));
}

function sameRegisters(recorded: Player, other: Player): boolean {
  const [a, b] = [new RegisterCapture(), new RegisterCapture()];
  recorded.machine.captureRegisters(a);
  other.machine.captureRegisters(b);
  return a.halves.every((half, i) => half === b.halves[i]);
}

/** Whether all memory that either machine has changed since the start is the same, but for bytes that differed at the start and are still as they were. */
function sameMemory(
  recorded: Player,
  other: Player,
  starts: readonly [Snapshot, Snapshot],
  initial: ReadonlyMap<number, readonly [Uint8Array, Uint8Array]>,
): boolean {
  const frames = new Set([
    ...pagesOf(recorded.machine.snapshot(), starts[0]).keys(),
    ...pagesOf(other.machine.snapshot(), starts[1]).keys(),
  ]);
  for (const frame of frames) {
    const a = recorded.machine.readPhysical(BigInt(frame) * 4096n, 4096);
    const b = other.machine.readPhysical(BigInt(frame) * 4096n, 4096);
    if (Buffer.compare(a, b) === 0) continue;
    const first = initial.get(frame);
    for (let i = 0; i < 4096; i++) {
      if (a[i] !== b[i] && (first === undefined || first[0][i] !== a[i] || first[1][i] !== b[i])) return false;
    }
  }
  return true;
}

function stepTogether(recorded: Player, other: Player): FoundInstruction | null {
  const before: InstructionView[] = [];
  const end = recorded.position + BigInt(recorded.trace.header.blockInstructions);
  while (recorded.position < recorded.end && recorded.position < end) {
    const at = recorded.position;
    const registers = other.machine.registers();
    const [a, b] = [recorded.step(), other.step()];
    if (a === null && b === null) return null;
    const same = a !== null && b !== null && a.rip === b.rip && Buffer.compare(a.bytes, b.bytes) === 0 && sameRegisters(recorded, other);
    if (same) {
      before.push(b);
      if (before.length > BEFORE) before.shift();
      continue;
    }
    return {
      at,
      replayed: b,
      before,
      registers,
      recordedLines: following(recorded, a),
      replayedLines: following(other, b),
    };
  }
  return null;
}

/** The instruction and the next few that this machine does. */
function following(player: Player, first: InstructionView | null): string[] {
  const lines: string[] = [];
  for (let view = first; view !== null && lines.length < AFTER; view = player.step()) lines.push(instructionText(view));
  return lines.length > 0 ? lines : ['the run has ended'];
}
