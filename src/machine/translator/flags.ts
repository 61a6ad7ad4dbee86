/** Lowering of flags: carriers in, carriers out (see cpu/state.ts for what a carrier is). */
import { AF, CF, OV, PF, RFLAGS_REST, SR, ZR } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { FlagWrites } from '../isa/dsl.ts';
import { FLAG_BIT, FLAGS, type Flag } from '../isa/flags.ts';
import type { Term } from '../isa/term.ts';
import type { Lowering } from './lower.ts';
import { typeOf } from './lowering-context.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

export type StatusFlag = Exclude<Flag, 'df'>;
export const STATUS: readonly StatusFlag[] = ['cf', 'pf', 'af', 'zf', 'sf', 'of'];

/** Leaves the flag (0 or 1, i32) on the stack. */
export function readFlag(f: FunctionBuilder, base: number, flag: Flag): void {
  f.get(base);
  switch (flag) {
    case 'cf':
      return f.load('i32', CF);
    case 'pf':
      f.load('i32_8u', PF);
      f.op(OP.i32.popcnt);
      f.i32(1);
      return f.op(OP.i32.and, OP.i32.eqz);
    case 'af':
      f.load('i32', AF);
      return shiftAndMask(f, 4);
    case 'zf':
      f.load('i64', ZR);
      return f.op(OP.i64.eqz);
    case 'sf':
    case 'of':
      f.load('i32_8u', (flag === 'sf' ? SR : OV) + 7);
      f.i32(7);
      return f.op(OP.i32.shr_u);
    case 'df':
      f.load('i32', RFLAGS_REST);
      return shiftAndMask(f, FLAG_BIT.df);
    default:
      return bug(`flag ${flag satisfies never}`);
  }
}

function shiftAndMask(f: FunctionBuilder, bit: number): void {
  f.i32(bit);
  f.op(OP.i32.shr_u);
  f.i32(1);
  f.op(OP.i32.and);
}

/** The terms that `prepareFlags` will compute: announce them to the lowering. */
export function flagTerms(flags: FlagWrites): Term[] {
  const terms = FLAGS.flatMap((flag) => {
    const write = flags.values[flag];
    return write === undefined ? [] : [carrier(flag, write.value).term];
  });
  if (flags.when !== null) terms.push(flags.when);
  return terms;
}

/** Computes all carriers into locals and returns a function that emits their stores: between the two, nothing is committed. */
export function prepareFlags(l: Lowering, flags: FlagWrites): () => void {
  const { f } = l;
  const base = l.services.base;
  const when = flags.when === null ? null : l.toLocal(flags.when);
  const stores: (() => void)[] = [];
  for (const flag of FLAGS) {
    const write = flags.values[flag];
    if (write === undefined) continue;
    const made = carrier(flag, write.value);
    const local = computeCarrier(l, flag, made);
    stores.push(() => {
      if (flag === 'df') return storeDirection(f, base, local);
      f.get(base);
      if (made.narrow === null) made.push(f, local);
      else f.get(local);
      f.store(made.narrow?.kind ?? CARRIER[flag].type, CARRIER[flag].at + (made.narrow?.offset ?? 0));
    });
  }
  return () => {
    if (stores.length === 0) return;
    if (when !== null) {
      f.get(when);
      f.if();
    }
    for (const store of stores) store();
    if (when !== null) f.end();
  };
}

/** Leaves the carrier that a flag's term gives. */
export function pushCarrier(l: Lowering, flag: StatusFlag, value: Term): void {
  const made = carrier(flag, value);
  made.push(l.f, computeCarrier(l, flag, made));
}

/** The value of the carrier's term, in a local. */
function computeCarrier(l: Lowering, flag: Flag, { term }: Carrier): number {
  const local = l.locals.take(typeOf(term.width));
  l.pushLoose(term);
  if (flag === 'zf' && (term.width === 8 || term.width === 16)) {
    l.f.i32(2 ** term.width - 1);
    l.f.op(OP.i32.and);
  }
  l.f.set(local);
  return local;
}

/** Type and place of each carrier. */
export const CARRIER = {
  cf: { type: 'i32', at: CF },
  pf: { type: 'i32', at: PF },
  af: { type: 'i32', at: AF },
  zf: { type: 'i64', at: ZR },
  sf: { type: 'i64', at: SR },
  of: { type: 'i64', at: OV },
} as const;

interface Carrier {
  /** What is computed (clean or not: what follows takes what it needs). */
  readonly term: Term;
  /** Leaves the carrier made from the term's value in a local. */
  push(f: FunctionBuilder, local: number): void;
  /** The value as it is can be stored there instead: at the top of the carrier. */
  readonly narrow: { readonly kind: 'i64' | 'i32' | 'i32_16' | 'i32_8'; readonly offset: number } | null;
}

/** How a flag's term is kept: as the value that it is a property of where it has that shape, else as a bit. */
function carrier(flag: Flag, value: Term): Carrier {
  const x = value.args[0];
  switch (flag) {
    case 'cf':
    case 'df':
      return { term: value, push: (f, v) => f.get(v), narrow: null };
    case 'pf': {
      if (value.op !== 'parity' || x === undefined) return { term: value, push: inverted, narrow: null };
      // Only the low byte of the carrier counts: the whole of a wider value will do.
      const inner =
        (x.op === 'extract' || x.op === 'trunc') && x.lo === 0 && x.args[0] !== undefined && x.args[0].width <= 64 ? x.args[0] : x;
      return { term: inner, push: (f, v) => low(f, v, inner), narrow: null };
    }
    case 'af':
      if (value.op === 'extract' && value.lo === 4 && x !== undefined && x.width <= 64)
        return { term: x, push: (f, v) => low(f, v, x), narrow: null };
      return { term: value, push: (f, v) => shifted(f, v, 4), narrow: null };
    case 'zf':
      if (value.op === 'eq' && x !== undefined && value.args[1]?.op === 'const' && value.args[1].value === 0n)
        return { term: x, push: (f, v) => atTop(f, v, x.width, 0), narrow: null };
      return {
        term: value,
        push: (f, v) => {
          inverted(f, v);
          f.op(OP.i64.extend_i32_u);
        },
        narrow: null,
      };
    case 'sf':
    case 'of':
      if (value.op === 'extract' && x !== undefined && x.width <= 64 && value.lo === x.width - 1) {
        const kind = x.width === 64 ? 'i64' : x.width === 32 ? 'i32' : x.width === 16 ? 'i32_16' : 'i32_8';
        return { term: x, push: (f, v) => atTop(f, v, x.width, 64 - x.width), narrow: { kind, offset: 8 - x.width / 8 } };
      }
      return { term: value, push: (f, v) => atTop(f, v, 1, 63), narrow: null };
    default:
      return bug(`flag ${flag satisfies never}`);
  }
}

/** The low 32 bits of a local that holds a value of this term. */
function low(f: FunctionBuilder, local: number, term: Term): void {
  f.get(local);
  if (term.width === 64) f.op(OP.i32.wrap_i64);
}

function inverted(f: FunctionBuilder, local: number): void {
  f.get(local);
  f.op(OP.i32.eqz);
}

function shifted(f: FunctionBuilder, local: number, by: number): void {
  f.get(local);
  f.i32(by);
  f.op(OP.i32.shl);
}

/** The value as i64, shifted to the left. */
function atTop(f: FunctionBuilder, local: number, width: number, by: number): void {
  f.get(local);
  if (width < 64) f.op(OP.i64.extend_i32_u);
  if (by === 0) return;
  f.i64(BigInt(by));
  f.op(OP.i64.shl);
}

export function storeDirection(f: FunctionBuilder, base: number, local: number): void {
  f.get(base);
  f.get(base);
  f.load('i32', RFLAGS_REST);
  f.i32(~(1 << FLAG_BIT.df));
  f.op(OP.i32.and);
  shifted(f, local, FLAG_BIT.df);
  f.op(OP.i32.or);
  f.store('i32', RFLAGS_REST);
}
