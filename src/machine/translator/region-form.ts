/**
 * What an instruction is in a region: its form with all that its bytes say built in. Immediates are constants, and what follows from
 * them is folded; guards are asked once for the whole region.
 */
import type { Decoded } from '../isa/decode.ts';
import type { Effect, Guard } from '../isa/dsl.ts';
import { effectOf } from '../isa/effect.ts';
import { constant, type Special, type Term } from '../isa/term.ts';
import { allTerms, mapEffect } from './effect-terms.ts';
import type { Form } from './emit.ts';
import { type FlagUse, flagUse } from './flag-use.ts';
import { quickKey } from './form-key.ts';
import { type SystemCall, systemEffect, withControlRead } from './region-system.ts';
import { type Replacement, substitute } from './substitute.ts';

export interface RegionForm extends Form {
  /** What the region asks once, at its entry. */
  readonly needs: Guard;
  /** It changes the privilege. */
  readonly system: SystemCall | null;
  readonly flagUse: FlagUse;
  /** The region tells of the instruction's store itself where it must be told of. */
  readonly mayTell: boolean;
}

/** What instructions have in common that differ in registers, displacements and distances alone. */
type Shared = Omit<RegionForm, 'decoded'>;

/** Shared parts beyond are made anew. */
const MOST = 4096;

/** The forms of all that was ever compiled: making one costs more than the rest of what is done for an instruction. */
export class RegionForms {
  readonly #shared = new Map<number | string, Shared | null>();

  /** The form of an instruction of 64-bit code; null: tier 0's function does it. */
  of(decoded: Decoded): RegionForm | null {
    const shared = this.#sharedOf(decoded);
    return shared === null ? null : { ...shared, decoded };
  }

  #sharedOf(decoded: Decoded): Shared | null {
    const key = keyOf(decoded);
    if (key === null) return sharedForm(decoded);
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    if (this.#shared.size >= MOST) this.#shared.clear();
    const made = sharedForm(decoded);
    this.#shared.set(key, made);
    return made;
  }
}

/** Null: nothing is shared. */
function keyOf(decoded: Decoded): number | string | null {
  const shape = quickKey(decoded, 'long');
  if (shape < 0) return null;
  let values = '';
  for (const operand of decoded.operands) {
    if (operand.kind === 'imm') values += `:${operand.value}`;
    else if (operand.kind === 'reg' && operand.class !== 'gpr' && operand.class !== 'xmm') values += `:${operand.index}`;
  }
  return values === '' ? shape : shape + values;
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

function sharedForm(decoded: Decoded): Shared | null {
  const system = systemEffect(decoded);
  if (system !== null) return { ...system, segmentation: 'long', needs: 'none', flagUse: flagUse(system.effect), mayTell: false };
  const original = withControlRead(decoded, effectOf(decoded));
  if (!isForRegions(decoded, original)) return null;
  const { effect: silent, asked } = original.guard === 'sse' ? straight(original) : { effect: original, asked: [] };
  const memo = new Map<Term, Term>();
  const known = (t: Term) => substitute(t, builtIn(decoded), memo);
  const effect: Effect = { ...mapEffect(silent, known), guard: 'none' };
  const use = flagUse(effect);
  const common = { effect, asked: asked.map(known), segmentation: 'long', needs: original.guard, system: null, flagUse: use } as const;
  return { ...common, mayTell: mayTellStore(decoded, effect, use) };
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
 * the stack. Asking for it costs something where nothing is told. None that writes flags: the region may be left behind it, where they need not be live.
 */
function mayTellStore({ operands }: Decoded, { steps, next }: Effect, { writes }: FlagUse): boolean {
  const [store, other] = steps.filter((s) => s.kind === 'store');
  if (store === undefined || other !== undefined || next.kind !== 'next' || writes !== 0) return false;
  return store.value.width === 64 && store.segment.kind !== 'fixed' && !operands.some((o) => o.kind === 'reg' && o.class !== 'gpr');
}

const builtIn =
  (decoded: Decoded): Replacement =>
  (t) => {
    if (t.source?.kind !== 'operand') return null;
    const operand = decoded.operands[t.source.index];
    if (operand?.kind !== 'imm') return null;
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

/** `seen`: terms already looked at (they share subterms). */
function isReadable(t: Term, seen: Set<Term>): boolean {
  if (seen.has(t)) return true;
  seen.add(t);
  if (t.source?.kind === 'special' && !READABLE.has(t.source.name)) return false;
  return t.args.every((a) => isReadable(a, seen));
}
