/**
 * Effect → code, in the order that makes instructions precise:
 *
 *   1. guard, loads, faults, and the placing (or probing) of stores, in the row's order: all that can fail, nothing that changes state
 *   2. all values to be committed, into locals; the checks of a branch target
 *   3. stores to memory (only a single one, not yet probed, can still fail), then registers, flags, RIP
 *
 * How the code leaves is the *site*'s business: inside the interpreter's loop everything out of the ordinary (a TLB miss, a fault)
 * goes to one label, untouched, and the instruction is begun again by its out-of-line function, which takes the slow paths and raises.
 */
import { ACCESS, FAULT_CODE, FAULT_HAS_CODE, FAULT_PENDING, FAULT_VECTOR, SEGMENT_BASE, SEGMENT_LIMIT } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { Decoded } from '../isa/decode.ts';
import type { Effect, FaultStep, FlagWrites, LoadStep, SegmentRef, Step, StoreStep, Vector, Write } from '../isa/dsl.ts';
import { guardSteps } from '../isa/effect.ts';
import { HELPER_NAMES } from '../isa/helpers.ts';
import { CS, FS, RCX, SS } from '../isa/registers.ts';
import { constant, input, isConst, type Term } from '../isa/term.ts';
import { ENTRY, hasFixedMemory, tellsTarget } from './entry.ts';
import { flagTerms } from './flags.ts';
import type { Address, KnownPlaces } from './known-places.ts';
import { Lowering } from './lower.ts';
import type { Environment, LocalPool, Services } from './lowering-context.ts';
import { load, type MemoryServices, type Place, place, probe, store } from './memory-access.ts';
import { type AddressRecorder, accessesOf, type PathRecorder, type Recorders } from './recorders.ts';
import { SERVICE_LINEAR } from './services.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

/** An environment that can also be written. */
export interface StateAccess extends Environment {
  /** By step: the locals of loaded values. */
  readonly loaded: Map<number, readonly number[]>;
  /** Computes into locals; the returned function emits the stores. */
  prepareWrite(l: Lowering, write: Write): () => void;
  /** Likewise, for all flags. */
  prepareFlags(l: Lowering, flags: FlagWrites): () => void;
  /** Leaves the address of the next instruction. */
  rip(field: number): void;
  /** What is known of an offset in a segment as an address; null: nothing. */
  address(segment: number, offset: Term): Address | null;
}

/** How logical addresses become linear: `long` 64-bit mode · `flat` protected mode with flat ES CS SS DS · `segmented` by a service. */
export type Segmentation = 'long' | 'flat' | 'segmented';

/** What leads out of the code of one instruction. All but `fault` mean: retired. */
export interface Site {
  readonly f: FunctionBuilder;
  readonly locals: LocalPool;
  /** The local with the entry's address; null: the code has the instruction itself built in. */
  readonly entry: number | null;
  /** Where what is not straight goes; null in out-of-line functions, which do it all. */
  readonly cold: Label | null;
  next(): void;
  again(): void;
  /** To the RIP in this i64 local. */
  jump(target: number): void;
  /** To the entry in this i32 local. */
  goto(entry: number): void;
  /** Whether direct branches may go by the entry's link. */
  readonly hasLinks: boolean;
  /** To the target of this direct jump or branch, which the code has built in; null: by link or RIP. */
  readonly direct: (() => void) | null;
  /** A fault is pending (out-of-line functions only). */
  fault(): void;
  /** Returns the status on the stack (out-of-line functions only). */
  leave(): void;
}

export interface EmitServices extends Services {
  readonly tlb: number;
  readonly load: number;
  readonly store: number;
  readonly probe: number;
  /** (segment, access): offset in SERVICE_LINEAR → linear there; 1: fault pending. */
  readonly segment: number;
  /** (helper number, entry) → status. */
  readonly helper: number;
  /** (linear low, linear high, access) → 0: the software TLB now serves the access; null: code that leaves at a miss leaves at once. */
  readonly refill: number | null;
  /** Where a region accessed memory before; null: it is not kept. */
  readonly places: KnownPlaces | null;
  /** The local that says that the store of the instruction is to be told of when it is made; null: none is. */
  readonly told: number | null;
}

/** What code outside of regions has none of. */
export const NO_REGION = { refill: null, places: null, told: null } as const;

export interface Form {
  readonly decoded: Decoded;
  readonly effect: Effect;
  readonly segmentation: Segmentation;
  /** Floating-point terms to be computed whatever comes of their results: they may give up. */
  readonly asked?: readonly Term[];
}

/** Emits one instruction; every way through the code ends at the site. */
export function emitInstruction(form: Form, site: Site, access: StateAccess, services: EmitServices, recorders: Recorders): void {
  new Emitter(form, site, access, services, recorders).emit();
}

class Emitter {
  readonly #form: Form;
  readonly #site: Site;
  readonly #access: StateAccess;
  readonly #services: EmitServices;
  readonly #path: PathRecorder | null;
  readonly #addresses: AddressRecorder | null;
  readonly #f: FunctionBuilder;
  readonly #l: Lowering;
  readonly #memory: MemoryServices;
  /** Places by step; a store shares the place of the load that asked for write rights. */
  readonly #places = new Map<number, Place>();
  readonly #hasLateLoads: boolean;
  readonly #written = new Map<string, Place>();
  /** REP: what remains of the count after this iteration. */
  #remaining = -1;

  constructor(form: Form, site: Site, access: StateAccess, services: EmitServices, { path, addresses }: Recorders) {
    this.#form = form;
    this.#site = site;
    this.#access = access;
    this.#services = services;
    this.#path = path;
    this.#addresses = addresses;
    this.#f = site.f;
    this.#l = new Lowering(site.f, access, site.locals, services);
    const firstStore = form.effect.steps.findIndex((s) => s.kind === 'store');
    this.#hasLateLoads = firstStore >= 0 && form.effect.steps.slice(firstStore).some((s) => s.kind === 'load');
    this.#memory = { f: site.f, locals: site.locals, ...services, miss: site.cold };
  }

  emit(): void {
    const { effect, decoded } = this.#form;
    if (this.#hasLateLoads && effect.writes.some((w) => readsMemory(w.value)))
      bug(`${decoded.row.name}: a register gets what a load after a store read`);
    const guards = guardSteps(effect.guard);
    this.#l.prepare(...terms(guards), ...terms(effect.steps), ...effect.writes.flatMap(writeTerms), ...flagTerms(effect.flags));
    if (effect.next.kind !== 'next') this.#l.prepare(effect.next.target);
    if (effect.next.kind === 'branch') this.#l.prepare(effect.next.when);
    if (decoded.rep !== 'none') this.#beginRepeat();
    for (const step of guards) this.#fault(step);
    for (const [i, step] of effect.steps.entries()) {
      if (step.kind === 'load') this.#load(step, i);
      else if (step.kind === 'fault') this.#fault(step);
      else this.#placeStore(step, i);
    }
    for (const term of this.#form.asked ?? []) this.#l.compute(term);
    if (effect.helper !== null) return this.#helper(HELPER_NAMES.indexOf(effect.helper));
    const stores = this.#hasLateLoads
      ? [() => this.#storeInOrder()]
      : effect.steps.flatMap((step, i) => (step.kind === 'store' ? [this.#prepareStore(step, i)] : []));
    const writes = effect.writes.map((write) => this.#access.prepareWrite(this.#l, write));
    if (decoded.rep !== 'none') writes.push(this.#prepareCount());
    const flags = this.#access.prepareFlags(this.#l, effect.flags);
    const repeatWhen = decoded.rep === 'zero' || decoded.rep === 'nonzero' ? this.#newZf() : -1;
    const commit = () => {
      for (const emitCommit of stores) emitCommit();
      this.#addresses?.append(accessesOf(effect.steps, this.#places));
      for (const emitCommit of [...writes, flags]) emitCommit();
    };
    if (effect.next.kind === 'jump') return this.#jump(effect.next.target, effect.next.direct, commit);
    if (effect.next.kind === 'branch') return this.#branch(effect.next.when, effect.next.target, commit, stores.length + writes.length > 0);
    commit();
    if (decoded.rep === 'none') this.#site.next();
    else this.#endRepeat(repeatWhen);
  }

  // ---- Memory ----------------------------------------------------------------------------------------------------------------------

  #load(step: LoadStep, index: number): void {
    const p = this.#place(step.segment, step.offset, step.width, step.write, step.align);
    this.#places.set(index, p);
    if (step.write) this.#written.set(this.#key(step.segment, step.offset, step.width), p);
    this.#access.loaded.set(
      index,
      load(this.#memory, p, step.write, () => this.#site.fault()),
    );
  }

  #placeStore(step: StoreStep, index: number): void {
    const { effect } = this.#form;
    const shared = this.#written.get(this.#key(step.segment, step.offset, step.value.width));
    if (shared !== undefined) {
      this.#places.set(index, shared);
      return;
    }
    const p = this.#place(step.segment, step.offset, step.value.width, true, step.align);
    this.#places.set(index, p);
    // A single store that nothing can fail after is its own probe.
    const isLast =
      effect.next.kind === 'next' &&
      !this.#hasLateLoads &&
      !effect.steps.slice(index + 1).some((s) => s.kind !== 'store' || !this.#isShared(s));
    const hasOther = effect.steps.some((s, i) => i < index && s.kind === 'store');
    if (!isLast || hasOther) probe(this.#memory, p, () => this.#site.fault());
  }

  /**
   * A load sees what earlier stores of the instruction wrote (ENTER). Such loads were done once to find their faults; now, when nothing
   * can fail any more, loads and stores are done in order.
   */
  #storeInOrder(): void {
    const { steps } = this.#form.effect;
    const first = steps.findIndex((s) => s.kind === 'store');
    for (const [i, step] of steps.entries()) {
      if (step.kind === 'store') this.#prepareStore(step, i)();
      else if (step.kind === 'load' && i > first) this.#reload(i);
    }
  }

  #reload(index: number): void {
    const values = load(this.#memory, this.#places.get(index) ?? bug('a load without a place'), false, () => this.#site.fault());
    for (const [i, local] of (this.#access.loaded.get(index) ?? []).entries()) {
      this.#f.get(values[i] ?? bug('halves'));
      this.#f.set(local);
    }
  }

  #isShared(step: StoreStep): boolean {
    return this.#written.has(this.#key(step.segment, step.offset, step.value.width));
  }

  #prepareStore(step: StoreStep, index: number): () => void {
    const p = this.#places.get(index) ?? bug('a store without a place');
    const { value } = step;
    const values =
      value.width === 128
        ? ([0, 1] as const).map((half) => {
            const local = this.#l.locals.take('i64');
            this.#l.half(value, half);
            this.#f.set(local);
            return local;
          })
        : [this.#l.toLocal(value)];
    return () => store(this.#memory, p, values, () => this.#site.fault());
  }

  #key(segment: SegmentRef, offset: Term, width: number): string {
    const s = segment.kind === 'fixed' ? `${segment.segment}` : `operand ${segment.index}`;
    return `${s}:${this.#l.id(offset)}:${width}`;
  }

  #place(segment: SegmentRef, offset: Term, width: Place['width'], isWrite: boolean, align: number): Place {
    const f = this.#f;
    const access = (extra: number) => this.#pushAccess(segment, width, extra);
    const linear = this.#linear(segment, offset, width / 8, (extra) => access(extra | (isWrite ? ACCESS.modify : 0)));
    if (align > 1) {
      f.get(linear);
      f.i64(BigInt(align - 1));
      f.op(OP.i64.and, OP.i64.eqz, OP.i32.eqz);
      // A non-canonical address comes first, and may be #SS: the slow path tells.
      for (const last of [0, width / 8 - 1]) {
        f.get(linear);
        f.i64(BigInt(last));
        f.op(OP.i64.add);
        this.#isCanonical();
        f.op(OP.i32.and);
      }
      this.#raiseIf(13, 0);
    }
    const number = segment.kind === 'fixed' ? segment.segment : segmentOf(this.#form.decoded, segment.index);
    const address = this.#access.address(number, offset);
    return place(this.#memory, { linear, address, width, isWrite, access });
  }

  /** Leaves size, bits known now, and (by the entry) whether the segment is SS. */
  #pushAccess(segment: SegmentRef, width: number, extra: number): void {
    const f = this.#f;
    const fixed = (width / 8) | extra;
    const number = this.#knownSegment(segment);
    if (number !== null) return f.i32(fixed | (number === SS ? ACCESS.stack : 0));
    f.i32(fixed);
    f.get(this.#entry());
    f.load('i32_8u', ENTRY.isStack);
    f.i32(9);
    f.op(OP.i32.shl, OP.i32.or);
  }

  /** The number of the segment if the code has it built in; null: the entry says it. */
  #knownSegment(segment: SegmentRef): number | null {
    if (segment.kind === 'fixed') return segment.segment;
    const isBuiltIn = this.#site.entry === null || hasFixedMemory(this.#form.decoded);
    return isBuiltIn ? segmentOf(this.#form.decoded, segment.index) : null;
  }

  #entry(): number {
    return this.#site.entry ?? bug('code that has its instruction built in asks for the entry');
  }

  /** The linear address in an i64 local. */
  #linear(segment: SegmentRef, offset: Term, bytes: number, access: (extra: number) => void): number {
    const f = this.#f;
    const { decoded, segmentation } = this.#form;
    const number = segment.kind === 'fixed' ? segment.segment : segmentOf(decoded, segment.index);
    const linear = this.#l.locals.take('i64');
    this.#l.push(offset);
    if (segmentation === 'long') {
      if (number >= FS) {
        const known = this.#knownSegment(segment);
        f.get(this.#services.base);
        if (known === null) {
          f.get(this.#entry());
          f.load('i32_8u', ENTRY.segment);
          f.op(OP.i32.add);
        }
        f.load('i64', SEGMENT_BASE + 8 * (known ?? 0));
        f.op(OP.i64.add);
      }
      f.set(linear);
      return linear;
    }
    f.set(linear);
    // In flat segments only an access across the limit (4 GiB) needs the checks.
    const isFlat = segmentation === 'flat' && number !== CS && number < FS;
    if (isFlat) {
      f.get(linear);
      f.i64(0x1_0000_0000n - BigInt(bytes));
      f.op(OP.i64.gt_u);
      f.if(undefined, false);
    }
    f.get(this.#services.base);
    f.get(linear);
    f.store('i64', SERVICE_LINEAR);
    f.i32(number);
    access(0);
    f.call(this.#services.segment);
    f.if();
    this.#site.fault();
    f.end();
    f.get(this.#services.base);
    f.load('i64', SERVICE_LINEAR);
    f.set(linear);
    if (isFlat) f.end();
    return linear;
  }

  // ---- Faults ----------------------------------------------------------------------------------------------------------------------

  #fault(step: FaultStep): void {
    if (isConst(step.when, 0n)) return;
    this.#l.condition(step.when);
    this.#raiseIf(step.vector, step.code, step.writes);
  }

  /** Raises if the i32 on the stack is not zero. */
  #raiseIf(vector: Vector, code: number | null, writes: readonly Write[] = []): void {
    const f = this.#f;
    if (this.#site.cold !== null) return f.brIf(this.#site.cold, false);
    // Values are computed outside of the condition: they may be used again after it.
    const commits = writes.map((write) => this.#access.prepareWrite(this.#l, write));
    f.if(undefined, false);
    for (const commit of commits) commit();
    for (const [slot, value] of [
      [FAULT_PENDING, 1],
      [FAULT_VECTOR, vector],
      [FAULT_HAS_CODE, code === null ? 0 : 1],
      [FAULT_CODE, code ?? 0],
    ] as const) {
      f.get(this.#services.base);
      f.i32(value);
      f.store('i32', slot);
    }
    this.#site.fault();
    f.end();
  }

  /** Bits 63:47 of the address on the stack are all alike. */
  #isCanonical(): void {
    const f = this.#f;
    f.i64(47n);
    f.op(OP.i64.shr_s);
    f.i64(1n);
    f.op(OP.i64.add);
    f.i64(2n);
    f.op(OP.i64.lt_u);
  }

  /** #GP(0) if the RIP in the local is none. */
  #checkTarget(target: number): void {
    const f = this.#f;
    f.get(target);
    if (this.#form.decoded.mode === 64) {
      this.#isCanonical();
      f.op(OP.i32.eqz);
    } else {
      f.get(this.#services.base);
      f.load('i64_32u', SEGMENT_LIMIT + 4 * CS);
      f.op(OP.i64.gt_u);
    }
    this.#raiseIf(13, 0);
  }

  // ---- Leaving ---------------------------------------------------------------------------------------------------------------------

  #jump(target: Term, direct: boolean, commit: () => void): void {
    const f = this.#f;
    const { flow } = this.#form.decoded.row;
    if (direct && this.#site.direct !== null) {
      commit();
      this.#pathCall();
      return this.#site.direct();
    }
    const rip = this.#l.locals.take('i64');
    const compute = () => {
      this.#l.push(target);
      f.set(rip);
      this.#checkTarget(rip);
    };
    const linked = direct && this.#site.hasLinks ? this.#link() : null;
    if (linked === null) compute();
    else {
      f.get(linked);
      f.op(OP.i32.eqz);
      f.if();
      compute();
      f.end();
    }
    commit();
    if (this.#site.entry !== null && tellsTarget(this.#form.decoded)) {
      f.get(this.#site.entry);
      f.get(rip);
      f.store('i64', ENTRY.target);
    }
    if (this.#path !== null) {
      this.#pathCall();
      if (flow === 'ret') this.#path.return(rip);
      else if (!direct) this.#path.target(rip);
    }
    this.#leave(linked, rip);
  }

  /** A call tells the path where it returns to. */
  #pathCall(): void {
    const { flow } = this.#form.decoded.row;
    if (this.#path === null || (flow !== 'call' && flow !== 'indirect-call')) return;
    const back = this.#l.locals.take('i64');
    this.#access.rip(ENTRY.next);
    this.#f.set(back);
    this.#path.call(back);
  }

  #branch(when: Term, target: Term, commit: () => void, hasCommits: boolean): void {
    const f = this.#f;
    const { direct } = this.#site;
    const rip = this.#l.locals.take('i64');
    const linked = this.#l.locals.take('i32');
    const find = () => {
      if (direct !== null) return;
      const compute = () => {
        this.#l.push(target);
        f.set(rip);
        this.#checkTarget(rip);
      };
      if (!this.#site.hasLinks) return compute();
      f.get(this.#link());
      f.tee(linked);
      f.op(OP.i32.eqz);
      f.if();
      compute();
      f.end();
    };
    let taken = -1;
    if (hasCommits) {
      taken = this.#l.toLocal(when);
      f.get(taken);
      f.if();
      find();
      f.end();
      commit();
      f.get(taken);
      f.if();
    } else {
      this.#l.condition(when);
      f.if();
      find();
    }
    this.#path?.bit(1);
    if (direct !== null) direct();
    else this.#leave(this.#site.hasLinks ? linked : null, rip);
    f.end();
    this.#path?.bit(0);
    this.#site.next();
  }

  /** The entry of the branch target, or 0, in an i32 local. */
  #link(): number {
    const f = this.#f;
    const linked = this.#l.locals.take('i32');
    f.get(this.#entry());
    f.load('i32', ENTRY.link);
    f.load('i32', 0);
    f.set(linked);
    return linked;
  }

  #leave(linked: number | null, rip: number): void {
    if (linked === null) return this.#site.jump(rip);
    this.#f.get(linked);
    this.#f.if();
    this.#site.goto(linked);
    this.#f.end();
    this.#site.jump(rip);
  }

  // ---- Helpers and REP -------------------------------------------------------------------------------------------------------------

  #helper(number: number): void {
    const f = this.#f;
    f.i32(number);
    f.get(this.#entry());
    f.call(this.#services.helper);
    if (this.#form.decoded.rep === 'none') return this.#site.leave();
    // One iteration of INS or OUTS: the count is ours. Anything but "next" leaves as it is.
    const status = this.#l.locals.take('i32');
    f.tee(status);
    f.if();
    f.get(status);
    this.#site.leave();
    f.end();
    this.#prepareCount()();
    this.#endRepeat(-1);
  }

  #count(): Term {
    return input({ kind: 'gpr', index: RCX }, this.#form.decoded.addressSize);
  }

  #beginRepeat(): void {
    const f = this.#f;
    const count = this.#count();
    const left = count.sub(constant(1n, count.width));
    this.#l.prepare(count, count, left, left, left.isZero);
    this.#l.push(count.isZero);
    f.if(undefined, false);
    this.#path?.bit(0);
    this.#site.next();
    f.end();
    this.#remaining = this.#l.toLocal(left);
  }

  #prepareCount(): () => void {
    const count = this.#count();
    const value = count.sub(constant(1n, count.width));
    return this.#access.prepareWrite(this.#l, { target: { kind: 'gpr', index: RCX }, value, when: null, undefinedIf: null });
  }

  /** A local with 1 if the flag that this iteration computes lets the repetition go on. */
  #newZf(): number {
    const { effect, decoded } = this.#form;
    const zf = effect.flags.values.zf?.value ?? bug(`${decoded.row.name} repeats by ZF but does not set it`);
    const goesOn = decoded.rep === 'zero' ? zf : zf.not;
    return this.#l.toLocal(goesOn);
  }

  #endRepeat(goesOn: number): void {
    const f = this.#f;
    f.get(this.#remaining);
    if (this.#form.decoded.addressSize === 64) f.op(OP.i64.eqz);
    else f.op(OP.i32.eqz);
    if (goesOn >= 0) {
      f.get(goesOn);
      f.op(OP.i32.eqz, OP.i32.or);
    }
    f.if();
    this.#path?.bit(0);
    this.#site.next();
    f.end();
    this.#path?.bit(1);
    this.#site.again();
  }
}

const readsMemory = (t: Term): boolean => t.source?.kind === 'loaded' || t.args.some(readsMemory);

const writeTerms = (write: Write): Term[] => (write.when === null ? [write.value] : [write.value, write.when]);

function terms(steps: readonly Step[]): Term[] {
  return steps.flatMap((s) => {
    if (s.kind === 'fault') return isConst(s.when, 0n) ? [] : [s.when, ...s.writes.flatMap(writeTerms)];
    return s.kind === 'load' ? [s.offset] : [s.offset, s.value];
  });
}

function segmentOf(decoded: Decoded, index: number): number {
  const operand = decoded.operands[index];
  return operand?.kind === 'mem' ? operand.segment : bug(`operand ${index} is no memory operand`);
}
