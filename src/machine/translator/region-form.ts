/**
 * What an instruction is in a region: its form with all that its bytes say built in. Immediates are constants, and what follows from
 * them is folded; guards are asked once for the whole region.
 */
import type { Decoded } from '../isa/decode.ts';
import type { Effect, FlagWrite, Guard, Step, Write } from '../isa/dsl.ts';
import { effectOf } from '../isa/effect.ts';
import type { Flag } from '../isa/flags.ts';
import { constant, isConst, type Special, type Term } from '../isa/term.ts';
import type { Form } from './emit.ts';
import { type SystemCall, systemEffect, withControlRead } from './region-system.ts';
import { type Replacement, substitute } from './substitute.ts';

export interface RegionForm extends Form {
  /** What the region asks once, at its entry. */
  readonly needs: Guard;
  /** It changes the privilege. */
  readonly system: SystemCall | null;
}

/** Specials that only helpers and the forms left out here change. */
const READABLE: ReadonlySet<Special> = new Set<Special>([
  'mxcsr',
  'cpl',
  'cr0',
  'cr2',
  'cr3',
  'cr4',
  'fsBase',
  'gsBase',
  'es',
  'cs',
  'ss',
  'ds',
  'fs',
  'gs',
]);

/** The form of an instruction of 64-bit code; null: tier 0's function does it. */
export function regionForm(decoded: Decoded): RegionForm | null {
  const system = systemEffect(decoded);
  if (system !== null) return { decoded, ...system, segmentation: 'long', needs: 'none' };
  const original = withControlRead(decoded, effectOf(decoded));
  if (!isForRegions(decoded, original)) return null;
  const memo = new Map<Term, Term>();
  const known = (t: Term) => substitute(t, builtIn(decoded), memo);
  const { effect, asked } = straight(original);
  const form = { decoded, effect: { ...mapEffect(effect, known), guard: 'none' }, asked: asked.map(known), segmentation: 'long' } as const;
  return { ...form, needs: original.guard, system: null };
}

/** Whether regions have code of their own for an instruction with this effect: the same for all instructions of one form of tier 0. */
export function isForRegions({ mode, rep, row }: Decoded, effect: Effect): boolean {
  if (mode !== 64 || rep !== 'none' || row.flow === 'event') return false;
  if (effect.helper !== null || effect.guard === 'fpu' || effect.guard === 'mmx' || effect.guard === 'fwait') return false;
  const firstStore = effect.steps.findIndex((s) => s.kind === 'store');
  if (firstStore >= 0 && effect.steps.slice(firstStore).some((s) => s.kind !== 'store')) return false;
  if (effect.writes.some((w) => w.target.kind === 'special' && w.target.name !== 'mxcsr')) return false;
  const seen = new Set<Term>();
  return allTerms(effect).every((t) => isReadable(t, seen));
}

/**
 * Whether a region tells of the instruction's store itself where it must be told of, since it is likely to be that of a page-table entry: 64 bits, and not to
 * the stack. Asking for it costs something where nothing is told.
 */
export function mayTellStore({ decoded, effect }: Form): boolean {
  const [store, other] = effect.steps.filter((s) => s.kind === 'store');
  if (store === undefined || other !== undefined || effect.next.kind !== 'next') return false;
  return store.value.width === 64 && store.segment.kind !== 'fixed' && !decoded.operands.some((o) => o.kind === 'reg' && o.class !== 'gpr');
}

const builtIn =
  (decoded: Decoded): Replacement =>
  (t) => {
    if (t.source?.kind !== 'operand') return null;
    const operand = decoded.operands[t.source.index];
    if (operand?.kind !== 'imm' && operand?.kind !== 'rel') return null;
    return constant(BigInt.asUintN(t.width, operand.value), t.width);
  };

/** The effect where floating-point terms raise no exceptions: for code that gives up else, having asked all of the terms that are `asked`. */
export function straight(original: Effect): { readonly effect: Effect; readonly asked: readonly Term[] } {
  const asked = new Set<Term>();
  const memo = new Map<Term, Term>();
  const silent: Replacement = (t) => {
    if (t.op !== 'fstatus') return null;
    for (const of of t.args) asked.add(of);
    return constant(0n, t.width);
  };
  const made = mapEffect(original, (t) => substitute(t, silent, memo));
  const writes = made.writes.filter(({ target, value }) => !(target.kind === 'special' && isSpecial(value, target.name)));
  return { effect: { ...made, writes }, asked: [...asked] };
}

const isSpecial = ({ source }: Term, name: Special): boolean => source?.kind === 'special' && source.name === name;

/** The effect with each of its terms mapped. Steps that can no longer happen stay: steps are numbered. */
export function mapEffect(effect: Effect, map: (t: Term) => Term): Effect {
  const write = (w: Write): Write => ({ ...w, value: map(w.value), when: w.when === null ? null : always(map(w.when)) });
  const step = (s: Step): Step => {
    if (s.kind === 'load') return { ...s, offset: map(s.offset) };
    if (s.kind === 'store') return { ...s, offset: map(s.offset), value: map(s.value) };
    return { ...s, when: map(s.when), writes: s.writes.map(write) };
  };
  const when = effect.flags.when === null ? null : map(effect.flags.when);
  const values: Partial<Record<Flag, FlagWrite>> = {};
  if (when === null || !isConst(when, 0n)) {
    for (const [flag, value] of Object.entries(effect.flags.values)) values[flag as Flag] = { ...value, value: map(value.value) };
  }
  const { next } = effect;
  return {
    ...effect,
    steps: effect.steps.map(step),
    writes: effect.writes.map(write),
    flags: { when: when === null ? null : always(when), values },
    next:
      next.kind === 'next'
        ? next
        : next.kind === 'jump'
          ? { ...next, target: map(next.target) }
          : { ...next, when: map(next.when), target: map(next.target) },
  };
}

const always = (when: Term): Term | null => (isConst(when, 1n) ? null : when);

export function allTerms(effect: Effect): Term[] {
  const found: Term[] = [];
  const write = (w: Write) => found.push(w.value, ...(w.when === null ? [] : [w.when]));
  for (const s of effect.steps) {
    if (s.kind === 'fault') {
      found.push(s.when);
      s.writes.forEach(write);
    } else found.push(s.offset, ...(s.kind === 'store' ? [s.value] : []));
  }
  effect.writes.forEach(write);
  for (const value of Object.values(effect.flags.values)) found.push(value.value);
  if (effect.flags.when !== null) found.push(effect.flags.when);
  if (effect.next.kind !== 'next') found.push(effect.next.target);
  if (effect.next.kind === 'branch') found.push(effect.next.when);
  return found;
}

/** `seen`: terms already looked at (they share subterms). */
function isReadable(t: Term, seen: Set<Term>): boolean {
  if (seen.has(t)) return true;
  seen.add(t);
  if (t.source?.kind === 'special' && !READABLE.has(t.source.name)) return false;
  return t.args.every((a) => isReadable(a, seen));
}
