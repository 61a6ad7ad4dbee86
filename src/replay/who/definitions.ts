/**
 * Which instruction wrote a register last: found by single steps through windows that end where the value is looked at, each as long as all before it together.
 */
import { type Decoded, decode } from '../../machine/isa/decode.ts';
import { RSP } from '../../machine/isa/registers.ts';
import { codeAt } from '../step.ts';
import { latest } from '../timeline/traveller.ts';
import { mayWrite, type RegisterId } from './dataflow.ts';
import type { Moment, Stage } from './stage.ts';

/** Bytes `low` … `low + length - 1` of a register that the instruction at `moment` wrote. */
export interface Definition {
  readonly low: number;
  readonly length: number;
  /** Null: written by nothing since `since`, where the search ended. */
  readonly moment: Moment | null;
  readonly since: bigint;
  /** By the delivery of an interrupt or a fault at that position, not by the instruction. */
  readonly isDelivery: boolean;
}

const FIRST_WINDOW = 256n;

/** For each byte of the register that `bytes` has a bit for: who wrote it last before instruction `before`; not looked for further back than `limit` instructions. */
export function definitions(stage: Stage, register: RegisterId, bytes: number, before: Moment, limit: bigint): Definition[] {
  const found = new Map<number, Omit<Definition, 'low' | 'length'>>();
  let left = bytes;
  const take = (bits: number, definition: Omit<Definition, 'low' | 'length'>): void => {
    for (let byte = 0; byte < 16; byte++) if ((bits & left & (1 << byte)) !== 0) found.set(byte, definition);
    left &= ~bits;
  };
  const isStackPointer = register.file === 'gpr' && register.index === RSP;
  if (isStackPointer && before.isDelivered) take(0xff, { moment: before, since: before.at, isDelivery: true });
  const least = latest(before.at - limit, stage.trace.start);
  let to = before.at;
  for (let size = FIRST_WINDOW; left !== 0 && to > least; size *= 2n) {
    const from = latest(to - size, least);
    const window = writersIn(stage, register, from, to);
    for (const { at, bits, isDelivery } of window.toReversed()) {
      if ((bits & left) === 0) continue;
      const moment = stage.moment(at);
      if (moment === null) continue;
      if (!isDelivery) take(bits & writtenBits(moment, register), { moment, since: at, isDelivery: false });
      if (isStackPointer && moment.isDelivered) take(0xff, { moment, since: at, isDelivery: true });
      if (left === 0) break;
    }
    to = from;
  }
  take(left, { moment: null, since: least, isDelivery: false });
  return grouped(found);
}

interface Writer {
  readonly at: bigint;
  readonly bits: number;
  readonly isDelivery: boolean;
}

/** The positions whose instructions may write the register, by their code alone. */
function writersIn(stage: Stage, register: RegisterId, from: bigint, to: bigint): Writer[] {
  const { player } = stage;
  const { machine } = player;
  const found: Writer[] = [];
  const known = new Map<bigint, { readonly bytes: Uint8Array; readonly bits: number }>();
  const bitsAt = (rip: bigint): number => {
    const { bytes, mode } = codeAt(machine, rip);
    const before = known.get(rip);
    if (before !== undefined && Buffer.compare(before.bytes, bytes) === 0) return before.bits;
    const decoded: Decoded | string = decode(bytes, 0, mode, bytes.length);
    const bits = typeof decoded === 'string' ? 0 : mayWrite(decoded, register);
    known.set(rip, { bytes, bits });
    return bits;
  };
  stage.seek(from);
  const isStackPointer = register.file === 'gpr' && register.index === RSP;
  let bits = 0;
  let isDelivery = false;
  const delivered = (handler: bigint): void => {
    bits = bitsAt(handler);
    isDelivery = true;
  };
  machine.observer = {
    irq: (_at, _vector, handler) => delivered(handler),
    exception: (_at, _vector, _code, _cr2, _rip, handler) => delivered(handler),
  };
  try {
    while (player.position < to) {
      const at = player.position;
      bits = bitsAt(machine.rip);
      isDelivery = false;
      player.run(at + 1n);
      if (player.position === at) break;
      if (isDelivery && isStackPointer) found.push({ at, bits: 0xff, isDelivery: bits === 0 });
      else if (bits !== 0) found.push({ at, bits, isDelivery: false });
    }
  } finally {
    machine.observer = null;
  }
  return found;
}

/** The bytes that the instruction did write. */
function writtenBits({ flow }: Moment, register: RegisterId): number {
  if (flow === null) return 0;
  let bits = 0;
  for (let byte = 0; byte < (register.file === 'xmm' ? 16 : 8); byte++) if (flow.written(register, byte) !== null) bits |= 1 << byte;
  return bits;
}

function grouped(found: ReadonlyMap<number, Omit<Definition, 'low' | 'length'>>): Definition[] {
  const groups: Definition[] = [];
  for (const [byte, definition] of [...found].sort(([a], [b]) => a - b)) {
    const last = groups.at(-1);
    const goesOn = last !== undefined && last.low + last.length === byte;
    if (goesOn && last.moment?.at === definition.moment?.at && last.isDelivery === definition.isDelivery)
      groups[groups.length - 1] = { ...last, length: last.length + 1 };
    else groups.push({ ...definition, low: byte, length: 1 });
  }
  return groups;
}
