/** What follows from a row's meaning: flags read, written, left undefined, exceptions. Derived, never written by hand. */
import type { Effect, Instruction } from './dsl.ts';
import { effectOf, guardSteps } from './effect.ts';
import { FLAGS, type Flag } from './flags.ts';
import { HELPERS, type HelperName } from './helpers.ts';
import { type Encoding, parseEncoding } from './notation.ts';
import { shapesOf } from './shapes.ts';
import type { Term } from './term.ts';

export interface Facts {
  readonly flagsRead: ReadonlySet<Flag>;
  /** Written with a defined value in some case. */
  readonly flagsWritten: ReadonlySet<Flag>;
  /** Undefined by the manual in some case. */
  readonly flagsUndefined: ReadonlySet<Flag>;
  /** '#DE', '#GP' … of terms, guards and helpers; memory accesses add '#PF #AC' and their segment's. */
  readonly raises: ReadonlySet<string>;
  readonly readsMemory: boolean;
  readonly writesMemory: boolean;
  readonly helper: HelperName | null;
}

const VECTOR_NAMES: Readonly<Record<number, string>> = {
  0: '#DE',
  1: '#DB',
  3: '#BP',
  4: '#OF',
  5: '#BR',
  6: '#UD',
  7: '#NM',
  12: '#SS',
  13: '#GP',
  16: '#MF',
  17: '#AC',
  19: '#XM',
};

interface Collected {
  flagsRead: Set<Flag>;
  flagsWritten: Set<Flag>;
  flagsUndefined: Set<Flag>;
  raises: Set<string>;
  readsMemory: boolean;
  writesMemory: boolean;
  helper: HelperName | null;
}

/** Flags that a term looks at, by way of RFLAGS too. */
export function flagsOf(term: Term, into: Set<Flag>, seen: Set<Term> = new Set()): void {
  if (seen.has(term)) return;
  seen.add(term);
  if (term.source?.kind === 'flag') into.add(term.source.flag);
  if (term.source?.kind === 'special' && term.source.name === 'rflags') for (const f of FLAGS) into.add(f);
  for (const a of term.args) flagsOf(a, into, seen);
}

function collect(effect: Effect, row: Instruction, out: Collected): void {
  const read = (t: Term | null) => (t === null ? undefined : flagsOf(t, out.flagsRead));
  for (const step of [...guardSteps(effect.guard), ...effect.steps]) {
    if (step.kind === 'fault') {
      read(step.when);
      out.raises.add(VECTOR_NAMES[step.vector] ?? `#${step.vector}`);
      continue;
    }
    read(step.offset);
    out.raises.add('#PF');
    if (step.align > 1) out.raises.add('#GP');
    if (step.kind === 'store') {
      read(step.value);
      out.writesMemory = true;
    } else out.readsMemory = true;
  }
  for (const w of effect.writes) {
    read(w.value);
    read(w.when);
    if (w.target.kind === 'special' && w.target.name === 'rflags') for (const f of FLAGS) out.flagsWritten.add(f);
  }
  read(effect.flags.when);
  for (const [name, w] of Object.entries(effect.flags.values)) {
    const always = w.undefinedIf?.op === 'const';
    if (!always) {
      read(w.value);
      out.flagsWritten.add(name as Flag);
    }
    if (w.undefinedIf !== null) out.flagsUndefined.add(name as Flag);
  }
  if (effect.next.kind === 'branch') read(effect.next.when);
  if (effect.helper !== null) {
    out.helper = effect.helper;
    for (const r of HELPERS[effect.helper].raises.match(/#[A-Z]{2}/g) ?? []) out.raises.add(r);
  }
  for (const r of row.raises ?? []) out.raises.add(r);
}

/** The facts of one row, over all its encodings and modes. */
export function factsOf(
  row: Instruction,
  encodings: readonly Encoding[] = row.encodings.map((text, id) => parseEncoding(row, text, id)),
): Facts {
  const out: Collected = {
    flagsRead: new Set(),
    flagsWritten: new Set(),
    flagsUndefined: new Set(),
    raises: new Set(),
    readsMemory: false,
    writesMemory: false,
    helper: null,
  };
  for (const e of encodings)
    for (const mode of [16, 32, 64] as const) for (const shape of shapesOf(e, mode)) collect(effectOf(shape), row, out);
  return out;
}
