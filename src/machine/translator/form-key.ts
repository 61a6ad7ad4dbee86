/**
 * Forms: instructions for which tier 0 runs the same code. Two instructions are of one form when they differ only in what an entry holds:
 * register numbers, immediates, displacements, scale.
 */
import { bug } from '../isa/bug.ts';
import type { Decoded } from '../isa/decode.ts';
import type { Effect, Instruction } from '../isa/dsl.ts';
import { effectOf } from '../isa/effect.ts';
import type { Operand } from '../isa/operands.ts';
import { FS, SS } from '../isa/registers.ts';
import { instructions } from '../isa/table.ts';
import type { Term } from '../isa/term.ts';
import type { Segmentation } from './emit.ts';
import { hasFixedMemory } from './entry.ts';

export interface KnownForm {
  /** The case of the br_table: inlined, or FORM.call. */
  readonly form: number;
  /** Index of the out-of-line function in the table. */
  readonly function: number;
  readonly key: string;
  /** The operand whose immediate lies in the entry; −1: none. */
  readonly immediate: number;
  /** Its code hands the decoded instruction to a helper. */
  readonly isHelper: boolean;
  /** Regions do it themselves (region-form.ts). */
  readonly isForRegions: boolean;
}

const SEGMENTATION_LETTER: Readonly<Record<Segmentation, string>> = { long: '', flat: 'F', segmented: 'S' };
const REP_LETTER = { none: '', count: 'R', zero: 'Z', nonzero: 'N' } as const;

/** Names of rows, with a number where several have one mnemonic. */
export function rowNames(): ReadonlyMap<Instruction, string> {
  const seen = new Map<string, number>();
  return new Map(
    instructions.map((row) => {
      const n = seen.get(row.name) ?? 0;
      seen.set(row.name, n + 1);
      return [row, n === 0 ? row.name : `${row.name}.${n}`];
    }),
  );
}

/**
 * `ADD r64 m64bi`: row, operand shapes, and what else the code depends on. The same for all instructions of a form, different for all others.
 * Rows with `byImmediate` have a form for each value of their immediates, but for operand `inEntry`, which the code takes from the entry.
 */
export function formKey(decoded: Decoded, segmentation: Segmentation, names: ReadonlyMap<Instruction, string>, inEntry: number): string {
  const { row, mode, operandSize, addressSize, rep, lock, segment } = decoded;
  let key = names.get(row) ?? bug(`${row.name} is not in the table`);
  const byValue = row.byImmediate === true || hasFixedMemory(decoded);
  for (const [i, operand] of decoded.operands.entries()) key += ` ${operandKey(operand, byValue && i !== inEntry, segmentation)}`;
  if (mode !== 64 || operandSize !== 32 || addressSize !== 64) key += ` /${mode}.${operandSize}.${addressSize}`;
  key += SEGMENTATION_LETTER[segmentation] + REP_LETTER[rep];
  if (lock) key += 'L';
  if (segment !== 3) key += `:${segment}`;
  return key;
}

const SEGMENTATION_NUMBER: Readonly<Record<Segmentation, number>> = { long: 0, flat: 1, segmented: 2 };
const REP_NUMBER = { none: 0, count: 1, zero: 2, nonzero: 3 } as const;

/**
 * A number that tells forms apart at least as finely as `formKey`, made without strings; −1 where that takes values (`byImmediate`, two
 * memory operands). An encoding and the sizes fix all shapes but these: which operand is memory, and how it is addressed.
 */
export function quickKey(decoded: Decoded, segmentation: Segmentation): number {
  const { row, encoding, mode, operandSize, addressSize, rep, lock, segment, operands } = decoded;
  if (row.byImmediate === true) return -1;
  let memory = 0;
  for (let i = 0; i < operands.length; i++) {
    const o = operands[i];
    if (o?.kind !== 'mem') continue;
    if (memory !== 0) return -1;
    memory = (i + 1) * 64 + o.segment * 8 + (o.base >= 0 ? 4 : 0) + (o.index >= 0 ? 2 : 0) + (o.ripRelative ? 1 : 0);
  }
  // Sizes are 16, 32, 64: two bits each by their fifth and sixth bit.
  const sizes = (mode >> 5) * 16 + (operandSize >> 5) * 4 + (addressSize >> 5);
  const prefixes = REP_NUMBER[rep] * 16 + (lock ? 8 : 0) + segment;
  return (((encoding.id * 64 + sizes) * 64 + prefixes) * 4 + SEGMENTATION_NUMBER[segmentation]) * 256 + memory;
}

function operandKey(o: Operand, byValue: boolean, segmentation: Segmentation): string {
  switch (o.kind) {
    case 'reg':
      return o.class === 'gpr' ? `r${o.width}` : `${o.class}${o.width}`;
    case 'mem': {
      const parts = `m${o.width}${o.base >= 0 ? 'b' : ''}${o.index >= 0 ? 'i' : ''}${o.ripRelative ? 'r' : ''}`;
      const segment = segmentation === 'long' ? (o.segment >= FS ? '+s' : '') : `+${o.segment}`;
      return byValue ? `${parts}${segment}=${o.base}${o.segment === SS ? 'S' : ''}` : parts + segment;
    }
    case 'imm':
      return byValue ? `i${o.width}=${o.value}` : `i${o.width}`;
    case 'rel':
      return 'rel';
    case 'far':
      return `far${o.width}`;
    default:
      return bug(`no key for ${(o satisfies never as Operand).kind}`);
  }
}

/** The immediate operand that the effect reads as a value (−1: none); for most rows simply the one there is. */
export function immediateOf(decoded: Decoded): number {
  const { row, operands } = decoded;
  if (row.byImmediate !== true) return operands.findIndex((o) => o.kind === 'imm');
  const read = [...immediatesRead(effectOf(decoded), decoded)];
  if (read.length > 1) bug(`${row.name} reads two immediates`);
  return read[0] ?? -1;
}

/** Indices of the immediate operands that are inputs of terms. */
function immediatesRead(effect: Effect, decoded: Decoded): Set<number> {
  const found = new Set<number>();
  const visit = (t: Term): void => {
    if (t.source?.kind === 'operand' && decoded.operands[t.source.index]?.kind === 'imm') found.add(t.source.index);
    for (const a of t.args) visit(a);
  };
  for (const w of effect.writes) visit(w.value);
  for (const s of effect.steps) {
    if (s.kind !== 'fault') visit(s.offset);
    if (s.kind === 'store') visit(s.value);
  }
  return found;
}
