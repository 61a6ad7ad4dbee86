/**
 * Status flags in a region are not computed when an instruction sets them. What they are is kept as terms over the values that they
 * depend on, held in locals of their own, and computed where an instruction reads them. Where the region is left, or ways join that disagree, a *kind*
 * in a local says which terms they are, over operands in locals shared by all kinds; one place at the region's end makes carriers of them.
 */
import { bug } from '../isa/bug.ts';
import type { FlagWrites } from '../isa/dsl.ts';
import type { Width } from '../isa/ops.ts';
import { isFloatOp } from '../isa/ops.ts';
import { input, type Term } from '../isa/term.ts';
import { bound, boundLocal } from './bound.ts';
import { flagBit } from './flag-use.ts';
import { CARRIER, pushCarrier, STATUS, type StatusFlag } from './flags.ts';
import { Lowering } from './lower.ts';
import { type Environment, type LocalPool, type Services, typeOf } from './lowering-context.ts';
import type { RegionState } from './region-access.ts';
import { substitute } from './substitute.ts';
import type { FunctionBuilder } from './wasm.ts';

/** Larger terms are computed at once. */
const MOST_NODES = 40;
/** Kinds of one region; when there are more, flags are computed before the region is left. */
const MOST_KINDS = 100;
const COMPUTED_AT_ONCE: ReadonlySet<string> = new Set(['pdep', 'pext', 'udiv', 'urem', 'sdiv', 'srem', 'udivw', 'uremw', 'fstatus']);

/** What is known of a flag: its term, or that its carrier is up to date, or that the kind says it. */
type Known = Term | 'carrier' | 'kind';
export type FlagState = Readonly<Record<StatusFlag, Known>>;

const allOf = (known: Known): FlagState => ({ cf: known, pf: known, af: known, zf: known, sf: known, of: known });
export const IN_CARRIERS: FlagState = allOf('carrier');

/** How a kind is made of what is known of these flags: its number, and the values to be copied to the shared operands. */
interface MadeKind {
  readonly flags: number;
  readonly number: number;
  readonly leaves: readonly { readonly from: number; readonly to: number }[];
}

/** All flags are in their carriers. */
const NO_KIND: MadeKind = { flags: 0, number: 0, leaves: [] };

/** A way in which flags follow from the shared operands. */
interface Kind {
  readonly terms: readonly (readonly [StatusFlag, Term])[];
}

export class RegionFlags {
  readonly #f: FunctionBuilder;
  readonly #state: RegionState;
  readonly #pool: LocalPool;
  readonly #services: Services;
  /** Locals with values that terms stand on. */
  readonly #values: Record<'i32' | 'i64', number[]> = { i32: [], i64: [] };
  /** Operands of kinds. */
  readonly #operands: Record<'i32' | 'i64', number[]> = { i32: [], i64: [] };
  readonly #kinds = new Map<string, number>();
  readonly #kindList: Kind[] = [];
  /** For states of which a kind was made: most exits find the flags as the one before did. */
  readonly #made = new WeakMap<FlagState, MadeKind>();
  readonly #kind: number;
  /** At the point that is being emitted. */
  now: FlagState = IN_CARRIERS;

  constructor(f: FunctionBuilder, state: RegionState, pool: LocalPool, services: Services) {
    this.#f = f;
    this.#state = state;
    this.#pool = pool;
    this.#services = services;
    this.#kind = f.local('i32');
  }

  /** The term to be read instead of a flag; null: its carrier. */
  termOf(flag: StatusFlag): Term | null {
    const known = this.now[flag];
    if (known === 'kind') return bug(`${flag} is read where it may be anything`);
    return known === 'carrier' ? null : known;
  }

  // ---- Setting -------------------------------------------------------------------------------------------------------------------------

  /** Notes what an instruction sets, of which only `live` matters; called when nothing of it is committed. The result makes it so. */
  prepare(l: Lowering, flags: FlagWrites, written: readonly Term[], live: number): () => void {
    if (STATUS.every((flag) => flags.values[flag] === undefined)) return () => {};
    const after: Record<StatusFlag, Known> = { ...this.now };
    const binder = new Binder(l, (width) => this.#take(typeOf(width), after), written);
    for (const flag of STATUS) {
      const write = flags.values[flag];
      if (write === undefined) continue;
      if ((live & flagBit(flag)) === 0) {
        after[flag] = 'carrier';
        continue;
      }
      const old = this.now[flag];
      const before = old === 'carrier' || flags.when === null ? input({ kind: 'flag', flag }, 1) : old === 'kind' ? bug('kind') : old;
      const value = flags.when === null ? write.value : flags.when.ite(write.value, before);
      after[flag] = binder.bind(value);
    }
    return () => {
      this.now = after;
    };
  }

  /** A local that no term of now or of `also` stands on. */
  #take(type: 'i32' | 'i64', also: Partial<FlagState>): number {
    const used = new Set<number>();
    const seen = new Set<Term>();
    const visit = (t: Term): void => {
      if (seen.has(t)) return;
      seen.add(t);
      if (t.source !== null) used.add(boundLocal(t.source));
      t.args.forEach(visit);
    };
    for (const known of [...Object.values(this.now), ...Object.values(also)]) if (typeof known !== 'string') visit(known);
    const free = this.#values[type].find((local) => !used.has(local) && !this.#taken.has(local));
    const local = free ?? this.#f.local(type);
    if (free === undefined) this.#values[type].push(local);
    this.#taken.add(local);
    return local;
  }

  /** Taken for the instruction that is being emitted. */
  readonly #taken = new Set<number>();

  /** The next instruction begins. */
  begin(): void {
    this.#taken.clear();
  }

  // ---- Joining and leaving ---------------------------------------------------------------------------------------------------------------

  /** Before a join where `read` is read and `live` is live: the first are put into carriers, the others into a kind. */
  join(read: number, live: number): void {
    this.#toCarriers(read);
    this.toKind(live & ~read);
  }

  /** What is known behind such a join. */
  static joined(read: number): FlagState {
    const state: Record<StatusFlag, Known> = { ...allOf('kind') };
    for (const flag of STATUS) if ((read & flagBit(flag)) !== 0) state[flag] = 'carrier';
    return state;
  }

  #toCarriers(flags: number): void {
    const terms: [StatusFlag, Term][] = [];
    for (const flag of STATUS) {
      const known = this.now[flag];
      if ((flags & flagBit(flag)) === 0 || known === 'carrier') continue;
      terms.push([flag, known === 'kind' ? bug(`${flag} is read behind a join, where it may be anything`) : known]);
    }
    this.#setCarriers(terms);
    const now: Record<StatusFlag, Known> = { ...this.now };
    for (const [flag] of terms) now[flag] = 'carrier';
    this.now = now;
  }

  #setCarriers(terms: readonly (readonly [StatusFlag, Term])[]): void {
    const f = this.#f;
    if (terms.length === 0) return;
    const environment: Environment = {
      input: (source) => f.get(boundLocal(source)),
      inputHalf: () => bug('flags depend on no 128 bits'),
      floats: null,
    };
    const l = new Lowering(f, environment, this.#pool, this.#services);
    l.prepare(...terms.map(([, term]) => term));
    for (const [flag, term] of terms) {
      pushCarrier(l, flag, term);
      this.#state.set(CARRIER[flag].at, CARRIER[flag].type);
    }
  }

  /** Makes the kind say what these flags are (the others it leaves in their carriers). */
  toKind(flags: number): void {
    const known = this.#made.get(this.now);
    if (known !== undefined && known.flags === flags) return this.#setKind(known);
    const wanted = STATUS.filter((flag) => (flags & flagBit(flag)) !== 0);
    const terms = wanted.flatMap((flag) => {
      const known = this.now[flag];
      return typeof known === 'string' ? [] : ([[flag, known]] as const);
    });
    if (wanted.some((flag) => this.now[flag] === 'kind')) {
      if (terms.length > 0) bug('some flags are by a kind, others by terms');
      return;
    }
    if (this.#kindList.length >= MOST_KINDS && terms.length > 0) {
      this.#toCarriers(flags);
      return this.#setKind(NO_KIND);
    }
    if (terms.length === 0) return this.#setKind(NO_KIND);
    const { key, renamed, leaves } = this.#rename(terms);
    let number = this.#kinds.get(key);
    if (number === undefined) {
      this.#kindList.push({ terms: renamed });
      number = this.#kindList.length;
      this.#kinds.set(key, number);
    }
    const made = { flags, number, leaves };
    this.#made.set(this.now, made);
    this.#setKind(made);
  }

  #setKind({ number, leaves }: MadeKind): void {
    for (const { from, to } of leaves) {
      this.#f.get(from);
      this.#f.set(to);
    }
    this.#f.i32(number);
    this.#f.set(this.#kind);
  }

  /** The terms over shared operands, what has to be copied for it, and a text that is the same for the same kind. */
  #rename(terms: readonly (readonly [StatusFlag, Term])[]): {
    key: string;
    renamed: [StatusFlag, Term][];
    leaves: { from: number; to: number }[];
  } {
    const used = { i32: 0, i64: 0 };
    const leaves = new Map<number, number>();
    const memo = new Map<Term, Term>();
    const ids = new Map<Term, number>();
    let key = '';
    const rename = (t: Term): Term => {
      if (t.source === null) return t;
      const from = boundLocal(t.source);
      const type = typeOf(t.width);
      let to = leaves.get(from);
      if (to === undefined) {
        const n = used[type]++;
        to = this.#operands[type][n] ?? this.#f.local(type);
        this.#operands[type][n] = to;
        leaves.set(from, to);
      }
      return bound(to, t.width);
    };
    const describe = (t: Term): number => {
      const known = ids.get(t);
      if (known !== undefined) return known;
      const args = t.args.map(describe);
      key += `${t.op}.${t.width}.${t.lo}.${t.value}.${t.source === null ? '' : boundLocal(t.source)}(${args.join()})`;
      ids.set(t, ids.size);
      return ids.size - 1;
    };
    const renamed = terms.map(([flag, term]): [StatusFlag, Term] => [flag, substitute(term, rename, memo)]);
    for (const [flag, term] of renamed) {
      const id = describe(term);
      key += `;${flag}=${id}`;
    }
    return { key, renamed, leaves: [...leaves].map(([from, to]) => ({ from, to })) };
  }

  /** At the region's end: makes carriers of what the kind says. */
  finish(): void {
    const f = this.#f;
    if (this.#kindList.length === 0) return;
    const done = f.block();
    const cases = this.#kindList.map(() => f.block());
    const byNumber = [done, ...[...cases].reverse()];
    f.get(this.#kind);
    f.brTable(byNumber, done);
    for (const { terms } of this.#kindList) {
      f.end();
      this.#pool.reset();
      this.#setCarriers(terms);
      f.br(done);
    }
    f.end();
  }
}

/** Replaces the inputs of terms by values in locals. */
class Binder {
  readonly #l: Lowering;
  readonly #take: (width: Width) => number;
  /** Terms whose values the instruction writes to registers: they are at hand. */
  readonly #written: ReadonlySet<Term>;
  readonly #bound = new Map<Term, Term>();

  constructor(l: Lowering, take: (width: Width) => number, written: readonly Term[]) {
    this.#l = l;
    this.#take = take;
    this.#written = new Set(written.filter((t) => t.width <= 64 && t.op !== 'sub').map((t) => l.canonical(t)));
  }

  bind(term: Term): Term {
    if (nodes(term, new Set()) > MOST_NODES) return this.#value(term);
    return substitute(term, () => null, this.#leaves(term));
  }

  /** The parts of a term that are values at hand, with what stands for them. */
  #leaves(t: Term): Map<Term, Term> {
    const found = new Map<Term, Term>();
    const seen = new Set<Term>();
    const visit = (part: Term): void => {
      if (seen.has(part) || part.op === 'const') return;
      seen.add(part);
      const canonical = this.#l.canonical(part);
      if (part.op === 'input' ? boundLocal(part.source ?? bug('input')) < 0 : this.#isLeaf(canonical))
        found.set(part, this.#value(canonical));
      else part.args.forEach(visit);
    };
    visit(t);
    return found;
  }

  #isLeaf(t: Term): boolean {
    return t.op === 'input' || this.#written.has(t) || isFloatOp(t.op) || COMPUTED_AT_ONCE.has(t.op) || t.args.some((a) => a.width === 128);
  }

  #value(t: Term): Term {
    const canonical = this.#l.canonical(t);
    const known = this.#bound.get(canonical);
    if (known !== undefined) return known;
    const local = this.#take(t.width);
    this.#l.push(t);
    this.#l.f.set(local);
    const made = bound(local, t.width);
    this.#bound.set(canonical, made);
    return made;
  }
}

function nodes(t: Term, seen: Set<Term>): number {
  if (seen.has(t)) return 0;
  seen.add(t);
  return t.args.reduce((n, a) => n + nodes(a, seen), 1);
}
