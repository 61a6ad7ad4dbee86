/** Values that code holds in locals, as terms: they look like what load steps of very high numbers have read. */
import type { Width } from '../isa/ops.ts';
import { input, type Source, type Term } from '../isa/term.ts';

/** The number of local 0; no instruction has so many steps. */
const FIRST = 1 << 20;

export const bound = (local: number, width: Width): Term => input({ kind: 'loaded', step: FIRST + local }, width);

/** The local that an input stands for; −1: it is no such value. */
export const boundLocal = (source: Source): number => (source.kind === 'loaded' && source.step >= FIRST ? source.step - FIRST : -1);
