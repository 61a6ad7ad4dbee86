/** One instruction of a machine: which it was, what its code was, as the machine executed it. */
import type { Machine } from '../machine/index.ts';
import { disassemble } from './disassemble.ts';
import type { Mode } from './schema.ts';
import type { Place, Symbols } from './symbols.ts';

/** Code bytes as they are now, up to a page that is not mapped, and how wide the mode is. */
export interface Code {
  readonly bytes: Uint8Array;
  readonly mode: Mode;
}

/** An instruction that was executed: `at` instructions had retired before it. */
export interface Executed {
  readonly at: bigint;
  readonly rip: bigint;
  readonly cpl: number;
  readonly code: Code;
  /** The linear addresses of its memory accesses (addresses.ts); undefined where the machine does not record them. */
  readonly addresses?: readonly bigint[];
}

/** The same, for people. */
export interface InstructionView {
  readonly at: bigint;
  readonly rip: bigint;
  readonly cpl: number;
  readonly bytes: Uint8Array;
  /** Intel syntax. */
  readonly text: string;
  /** As in Executed. */
  readonly addresses?: readonly bigint[];
  readonly place: Place | null;
}

export function viewOf({ at, rip, cpl, code, addresses }: Executed, symbols: Symbols): InstructionView {
  const { length, text } = disassemble(code.bytes, rip, code.mode);
  const bytes = code.bytes.slice(0, length);
  return { at, rip, cpl, bytes, text, ...(addresses && { addresses }), place: symbols.at(rip, bytes) };
}

const MAX_INSTRUCTION_BYTES = 15;

export function codeAt(machine: Machine, rip: bigint): Code {
  const mode = machine.codeBits;
  const linear = mode === 64 ? rip : (machine.registers().segments.cs.base + rip) & 0xffff_ffffn;
  const left = 4096 - Number(linear & 0xfffn);
  const bytes =
    machine.readLinear(linear, MAX_INSTRUCTION_BYTES) ??
    machine.readLinear(linear, Math.min(left, MAX_INSTRUCTION_BYTES)) ??
    new Uint8Array(0);
  return { bytes, mode };
}

/**
 * Executes one instruction and tells which it was; null where none retired. Interrupts and faults before it are delivered on the way. `run` takes the
 * machine to a count of instructions.
 */
export function stepOnce(machine: Machine, run: (to: bigint) => void): Executed | null {
  const at = machine.count;
  let { cpl, rip } = machine;
  let code = codeAt(machine, rip);
  const { observer } = machine;
  let isDelivered = false;
  const delivered = (target: bigint): void => {
    rip = target;
    code = codeAt(machine, rip);
    isDelivered = true;
  };
  machine.observer = {
    irq: (_at, _vector, target) => delivered(target),
    exception: (_at, _vector, _code, _cr2, _rip, target) => delivered(target),
    enterKernel: () => {
      if (isDelivered) cpl = machine.cpl;
      isDelivered = false;
    },
  };
  try {
    run(at + 1n);
  } finally {
    machine.observer = observer;
  }
  if (machine.count === at) return null;
  return { at, rip, cpl, code, ...(machine.config.record?.addresses === true && { addresses: machine.lastAddresses }) };
}
