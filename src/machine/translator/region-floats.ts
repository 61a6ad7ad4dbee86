/** Which halves of XMM registers a region keeps as doubles: those that its floating-point instructions compute with, and what is copied from or to them. */
import { XMM } from '../cpu/state.ts';
import type { Effect, Target } from '../isa/dsl.ts';
import type { Operand } from '../isa/operands.ts';
import { isFloatOp } from '../isa/ops.ts';
import type { Source, Term } from '../isa/term.ts';
import { allTerms } from './effect-terms.ts';
import { givesFloat } from './lower-float.ts';
import type { RegionInstruction } from './region-graph.ts';

const HALVES = [0, 1] as const;

/** The offset in the state of a half of an XMM register; null: it is none. */
export function xmmHalf(place: Source | Target, operands: readonly Operand[], half: number): number | null {
  if (place.kind === 'xmm') return XMM + 16 * place.index + 8 * half;
  if (place.kind !== 'operand') return null;
  const operand = operands[place.index];
  return operand?.kind === 'reg' && operand.class === 'xmm' ? XMM + 16 * operand.index + 8 * half : null;
}

/** Offsets in the state. */
export function floatHalves(instructions: Iterable<RegionInstruction>): ReadonlySet<number> {
  const found = new Set<number>();
  const copies: [number, number][] = [];
  for (const { form } of instructions) if (form.needs === 'sse') scan(form.effect, form.decoded.operands, found, copies);
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [to, from] of copies) {
      if (found.has(to)) found.add(from);
      else if (found.has(from)) found.add(to);
    }
  }
  return found;
}

function scan(effect: Effect, operands: readonly Operand[], found: Set<number>, copies: [number, number][]): void {
  const seen = new Set<Term>();
  const slotOf = (t: Term): number | null => {
    const whole = t.op === 'extract' ? t.args[0] : t;
    return t.width === 64 && whole?.source ? xmmHalf(whole.source, operands, t.lo / 64) : null;
  };
  const visit = (t: Term): void => {
    if (seen.has(t)) return;
    seen.add(t);
    if (isFloatOp(t.op) && t.op !== 'fromint') {
      for (const operand of t.args) {
        const slot = slotOf(operand);
        if (slot !== null) found.add(slot);
      }
    }
    t.args.forEach(visit);
  };
  allTerms(effect).forEach(visit);
  for (const { target, value } of effect.writes) {
    for (const half of HALVES) {
      const to = xmmHalf(target, operands, half);
      if (to === null || value.width < 64 * (half + 1)) continue;
      const part = value.extract(64 * half, 64);
      const from = slotOf(part);
      if (givesFloat(part.op)) found.add(to);
      else if (from !== null) copies.push([to, from]);
    }
  }
}
