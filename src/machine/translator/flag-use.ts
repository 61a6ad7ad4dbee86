/** What one instruction does with the status flags, as masks of their bits (in the order of STATUS). */
import type { Effect } from '../isa/dsl.ts';
import { isFloatOp } from '../isa/ops.ts';
import type { Term } from '../isa/term.ts';
import { allTerms } from './effect-terms.ts';
import { STATUS, type StatusFlag } from './flags.ts';

export const ALL_FLAGS = 2 ** STATUS.length - 1;
export const flagBit = (flag: StatusFlag): number => 1 << STATUS.indexOf(flag);

/** What one instruction does with the status flags. */
export interface FlagUse {
  readonly reads: number;
  readonly writes: number;
  /** It may leave the region with nothing of it done. */
  readonly mayGoCold: boolean;
}

/** Operations that a region leaves to services by going cold. */
const COLD_OPS: ReadonlySet<string> = new Set(['pdep', 'pext', 'udivw', 'uremw']);

export function flagUse(effect: Effect): FlagUse {
  let reads = 0;
  let usesService = false;
  const seen = new Set<Term>();
  const visit = (t: Term): void => {
    if (seen.has(t)) return;
    seen.add(t);
    if (t.source?.kind === 'flag' && t.source.flag !== 'df') reads |= flagBit(t.source.flag);
    if (COLD_OPS.has(t.op) || isFloatOp(t.op)) usesService = true;
    t.args.forEach(visit);
  };
  allTerms(effect).forEach(visit);
  let writes = 0;
  for (const flag of STATUS) if (effect.flags.values[flag] !== undefined) writes |= flagBit(flag);
  if (effect.flags.when !== null) reads |= writes;
  const { next } = effect;
  return { reads, writes, mayGoCold: usesService || effect.steps.length > 0 || (next.kind === 'jump' && !next.direct) };
}
