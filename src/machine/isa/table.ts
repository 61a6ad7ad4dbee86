/**
 * The instruction table: all rows, their compiled encodings, and the look-up structures of decoder and encoder. Two encodings that match
 * the same bytes are an error.
 */
import { bug } from './bug.ts';
import type { Instruction } from './dsl.ts';
import { instructions as alu } from './instructions/alu.ts';
import { instructions as bit } from './instructions/bit.ts';
import { instructions as branch } from './instructions/branch.ts';
import { instructions as move } from './instructions/move.ts';
import { instructions as multiply } from './instructions/multiply.ts';
import { instructions as shift } from './instructions/shift.ts';
import { instructions as sseFloat } from './instructions/sse-float.ts';
import { instructions as sseInteger } from './instructions/sse-integer.ts';
import { instructions as sseMove } from './instructions/sse-move.ts';
import { instructions as stack } from './instructions/stack.ts';
import { instructions as string } from './instructions/string.ts';
import { instructions as system } from './instructions/system.ts';
import { type Encoding, parseEncoding } from './notation.ts';

/** Every row, in the order in which the encoder prefers them. */
export const instructions: readonly Instruction[] = [
  ...alu,
  ...move,
  ...shift,
  ...multiply,
  ...bit,
  ...stack,
  ...branch,
  ...string,
  ...system,
  ...sseMove,
  ...sseFloat,
  ...sseInteger,
];

/** Every encoding; its `id` is its index. */
export const encodings: readonly Encoding[] = instructions
  .flatMap((row) => row.encodings.map((text) => ({ row, text })))
  .map(({ row, text }, id) => parseEncoding(row, text, id));

/** The encodings on one opcode; by the ModRM reg field where one of them looks at it. */
export interface Slot {
  readonly hasModrm: boolean;
  readonly all: readonly Encoding[];
  readonly byReg: readonly (readonly Encoding[])[] | null;
}

/** 'any' gives way to an explicit prefix: no conflict. */
function differentPrefix(a: Encoding, b: Encoding): boolean {
  if (a.mandatory === b.mandatory) return false;
  const overlap = (x: Encoding, y: Encoding) => x.mandatory === 'nfx' && (y.mandatory === 'np' || y.mandatory === '66');
  return !overlap(a, b) && !overlap(b, a);
}

function disjoint(a: Encoding, b: Encoding): boolean {
  const differ = <T>(x: T, y: T, any: T) => x !== any && y !== any && x !== y;
  if (a.fixedModrm >= 0 || b.fixedModrm >= 0) {
    if (a.fixedModrm >= 0 && b.fixedModrm >= 0 && a.fixedModrm !== b.fixedModrm) return true;
    const [fixed, other] = a.fixedModrm >= 0 ? [a, b] : [b, a];
    if (other.fixedModrm < 0 && (other.modrm === 'mem') !== fixed.fixedModrm < 0xc0) return true;
    if (other.fixedModrm < 0 && other.digit >= 0 && other.digit !== ((fixed.fixedModrm >> 3) & 7)) return true;
  }
  return (
    differentPrefix(a, b) ||
    differ(a.rexB, b.rexB, -1) ||
    differ(a.digit, b.digit, -1) ||
    differ(a.modrm, b.modrm, 'any') ||
    differ(a.w, b.w, -1) ||
    differ(a.operandSize, b.operandSize, 0) ||
    differ(a.addressSize, b.addressSize, 0) ||
    (a.not64 && b.only64) ||
    (a.only64 && b.not64)
  );
}

function makeSlot(all: readonly Encoding[]): Slot {
  const hasModrm = all.some((e) => e.hasModrm);
  for (const [i, a] of all.entries()) {
    if (a.hasModrm !== hasModrm && a.vex) bug(`${a.text}: ModRM on some encodings of an opcode only`);
    for (const b of all.slice(i + 1))
      if (!disjoint(a, b)) bug(`${a.row.name} '${a.text}' and ${b.row.name} '${b.text}' are the same bytes`);
  }
  // A fixed ModRM byte stands before a digit, a mandatory prefix before "any".
  const rank = (e: Encoding) => (e.fixedModrm >= 0 ? 0 : 2) + (e.mandatory === 'any' ? 1 : 0);
  const ranked = [...all].sort((a, b) => rank(a) - rank(b));
  const regOf = (e: Encoding) => (e.fixedModrm >= 0 ? (e.fixedModrm >> 3) & 7 : e.digit);
  const needsReg = ranked.some((e) => regOf(e) >= 0);
  return {
    hasModrm,
    all: ranked,
    byReg: needsReg ? Array.from({ length: 8 }, (_, r) => ranked.filter((e) => regOf(e) < 0 || regOf(e) === r)) : null,
  };
}

/** What lies on each opcode, put together (and checked) when it is first asked for: few programs use a third of them. */
class Slots {
  readonly #lists: Encoding[][] = [];
  readonly #slots: (Slot | null)[] = [];

  constructor(vex: boolean, in64: boolean) {
    for (const e of encodings) {
      if (e.vex !== vex || (in64 ? e.not64 : e.only64)) continue;
      for (let r = 0; r < (e.plusR ? 8 : 1); r++) {
        const index = e.map * 256 + e.opcode + r;
        const list = this.#lists[index];
        if (list === undefined) this.#lists[index] = [e];
        else list.push(e);
      }
    }
  }

  /** `index`: map · 256 + opcode. */
  at(index: number): Slot | null {
    const known = this.#slots[index];
    if (known !== undefined) return known;
    const list = this.#lists[index];
    const slot = list === undefined ? null : makeSlot(list);
    this.#slots[index] = slot;
    return slot;
  }
}

export const legacySlots = { in64: new Slots(false, true), other: new Slots(false, false) } as const;
export const vexSlots = { in64: new Slots(true, true), other: new Slots(true, false) } as const;
