/** Effects as a whole: all their terms, visited or mapped. */
import type { Effect, FlagWrite, Step, Write } from '../isa/dsl.ts';
import type { Flag } from '../isa/flags.ts';
import { isConst, type Term } from '../isa/term.ts';

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
