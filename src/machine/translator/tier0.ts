/**
 * Tier 0's interpreter: one br_table over the forms of decoded entries; rare forms are functions of their own (form-functions.ts).
 *
 * The body's locals *page* and *entry* are the instruction pointer (RIP = page + offset of the entry), *left* is what remains of the
 * budget. Pseudo entries and forms inlined or called are described in `entry.ts`. The body leaves with one of `EXIT`, RIP and LEFT in the
 * state; TypeScript then decodes, delivers, or goes on with the next budget.
 */
import { FAULTED } from '../cpu/ports.ts';
import {
  CODE_BASE, CODE_MASK, HOT_HEAD, LEFT, MODE_INDEX, PASS_BREAKPOINT, RIP, TLB_ENTRIES, TLB_EXECUTE, TLB_SET,
} from '../cpu/state.ts'; // biome-ignore format: one list

import { recordersInMemory } from './address-recorder.ts';
import { type EmitServices, emitInstruction, type Form, NO_REGION, type Site } from './emit.ts';
import { ENTRY, ENTRY_BYTES, FORM } from './entry.ts';
import { EntryAccess, type EntryLocals } from './entry-access.ts';
import { begin, type Imported, REGION_PARAMETERS } from './form-functions.ts';
import { LocalPool } from './lowering-context.ts';
import type { Recorded } from './recorders.ts';
import { straight } from './region-form.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

/** Why the body has left. */
export const EXIT = {
  /** LEFT is 0. */
  budget: 0,
  /** No entry for RIP (or no translation): decode. */
  miss: 1,
  /** A fault is pending, and its delivery is left to TypeScript. */
  fault: 2,
  /** A helper asked for it, or a fault was delivered and something is due before its handler. */
  stop: 3,
  /** The head in HOT_HEAD was passed as often as it may be. */
  hot: 4,
  /** A region leads to RIP, where an instruction without a head stands. */
  headless: 5,
  /** At RIP is a breakpoint. */
  breakpoint: 6,
} as const;

/** The interpreter's body, `run(base) → EXIT`, with `inlined` as the cases from FORM.inline on. */
export function bodyModule(inlined: readonly Form[], recorded: Recorded): Uint8Array<ArrayBuffer> {
  const imported = begin('regions');
  const { module } = imported;
  const faulted = module.importFunction('env', 'faulted', module.type([], ['i32']));
  const f = module.func(module.type(['i32'], ['i32']));
  new Body(f, imported, module.type(REGION_PARAMETERS, ['i32']), faulted, recorded).emit(inlined);
  module.exportFunction('run', f);
  return module.build();
}

class Body {
  readonly #f: FunctionBuilder;
  readonly #functions: Imported['functions'];
  readonly #formType: number;
  readonly #regionType: number;
  readonly #faulted: number;
  readonly #recorded: Recorded;
  readonly #base = 0;
  readonly #entry: number;
  readonly #page: number;
  readonly #left: number;
  readonly #tlb: number;
  readonly #target: number;
  readonly #linear: number;
  readonly #slot: number;
  readonly #locals: LocalPool;

  constructor(f: FunctionBuilder, imported: Imported, regionType: number, faulted: number, recorded: Recorded) {
    this.#faulted = faulted;
    this.#f = f;
    this.#functions = imported.functions;
    this.#formType = imported.formType;
    this.#regionType = regionType;
    this.#recorded = recorded;
    this.#entry = f.local('i32');
    this.#page = f.local('i64');
    this.#left = f.local('i32');
    this.#tlb = f.local('i32');
    this.#target = f.local('i64');
    this.#linear = f.local('i64');
    this.#slot = f.local('i32');
    this.#locals = new LocalPool(f);
  }

  emit(inlined: readonly Form[]): void {
    const f = this.#f;
    this.#takeState();
    const lookup = f.loop();
    // Nothing is asked of the next instruction, not even its translation, when the budget is used up.
    f.get(this.#left);
    f.op(OP.i32.eqz);
    f.if(undefined, false);
    this.#leave(EXIT.budget, () => f.get(this.#target));
    f.end();
    const miss = f.block();
    this.#findEntry(miss);
    const dispatch = f.loop();
    const cold = f.block();
    const cases: Label[] = [];
    for (let i = FORM.inline + inlined.length - 1; i >= 0; i--) cases[i] = f.block();
    this.#dispatch(cases, cold);
    // The blocks were opened last case first: they close in the order of their numbers.
    f.end();
    this.#lookupCase(lookup);
    f.end();
    this.#linkCase(lookup, dispatch);
    f.end();
    this.#straddleCase(dispatch);
    f.end();
    f.br(cold);
    f.end();
    this.#headCase(dispatch);
    f.end();
    this.#regionCase(lookup, dispatch, miss);
    f.end();
    this.#breakpointCase(dispatch);
    for (const form of inlined) {
      f.end();
      this.#inline(form, cold, dispatch, lookup);
    }
    f.end(); // cold
    this.#call(lookup, dispatch);
    f.end(); // dispatch
    f.op(OP.unreachable);
    f.end(); // miss
    this.#leave(EXIT.miss, () => f.get(this.#target));
    f.end(); // lookup
    f.op(OP.unreachable);
  }

  #state32(offset: number): void {
    this.#f.get(this.#base);
    this.#f.load('i32', offset);
  }

  #state64(offset: number): void {
    this.#f.get(this.#base);
    this.#f.load('i64', offset);
  }

  /** What the locals hold of the state, as it is now. */
  #takeState(): void {
    this.#state32(LEFT);
    this.#f.set(this.#left);
    this.#reloadTlb();
    this.#state64(RIP);
    this.#f.set(this.#target);
  }

  #reloadTlb(): void {
    this.#state32(TLB_SET);
    this.#f.get(this.#base);
    this.#f.op(OP.i32.add);
    this.#f.set(this.#tlb);
  }

  #advance(local: number, by: number): void {
    this.#f.get(local);
    this.#f.i32(by);
    this.#f.op(OP.i32.add);
    this.#f.set(local);
  }

  /** page + offset of the entry. */
  #rip(): void {
    this.#f.get(this.#page);
    this.#f.get(this.#entry);
    this.#f.load('i64_16u', ENTRY.offset);
    this.#f.op(OP.i64.add);
  }

  #leave(reason: number, rip: () => void): void {
    const f = this.#f;
    f.get(this.#base);
    rip();
    f.store('i64', RIP);
    f.get(this.#base);
    f.get(this.#left);
    f.store('i32', LEFT);
    f.i32(reason);
    f.op(OP.return);
  }

  /** Leaves (and sets `slot` to) the address of the execute-TLB entry for the linear address in `#linear`. */
  #executeSlot(slot: number): void {
    const f = this.#f;
    f.get(this.#linear);
    f.op(OP.i32.wrap_i64);
    f.i32(8);
    f.op(OP.i32.shr_u);
    f.i32((TLB_ENTRIES - 1) << 4);
    f.op(OP.i32.and);
    f.get(this.#tlb);
    f.op(OP.i32.add);
    f.tee(slot);
  }

  /** Leaves 1 if the tag at `#slot` is not that of `#linear`'s page in the current mode. */
  #isForeign(): void {
    const f = this.#f;
    f.load('i64', TLB_EXECUTE);
    f.get(this.#linear);
    f.i64(-4096n);
    f.op(OP.i64.and);
    f.get(this.#base);
    f.load('i64_32u', MODE_INDEX);
    f.op(OP.i64.or, OP.i64.ne);
  }

  /** Sets page and entry from the RIP in `#target`. */
  #findEntry(miss: Label): void {
    const f = this.#f;
    f.get(this.#target);
    this.#state64(CODE_BASE);
    f.op(OP.i64.add);
    this.#state64(CODE_MASK);
    f.op(OP.i64.and);
    f.set(this.#linear);
    this.#executeSlot(this.#slot);
    this.#isForeign();
    f.brIf(miss, false);
    f.get(this.#slot);
    f.load('i32', TLB_EXECUTE + 8);
    f.get(this.#linear);
    f.op(OP.i32.wrap_i64);
    f.i32(0xfff);
    f.op(OP.i32.and);
    f.i32(2);
    f.op(OP.i32.shl, OP.i32.add);
    f.load('i32', 0);
    f.tee(this.#entry);
    f.op(OP.i32.eqz);
    f.brIf(miss, false);
    f.get(this.#target);
    f.get(this.#linear);
    f.i64(0xfffn);
    f.op(OP.i64.and, OP.i64.sub);
    f.set(this.#page);
  }

  #dispatch(cases: readonly Label[], cold: Label): void {
    const f = this.#f;
    f.get(this.#left);
    f.op(OP.i32.eqz);
    f.if(undefined, false);
    this.#leave(EXIT.budget, () => this.#rip());
    f.end();
    this.#advance(this.#left, -1);
    f.get(this.#entry);
    f.load('i32_16u', ENTRY.form);
    f.brTable(cases, cold);
  }

  #lookupCase(lookup: Label): void {
    this.#advance(this.#left, 1);
    this.#rip();
    this.#f.set(this.#target);
    this.#f.br(lookup);
  }

  #linkCase(lookup: Label, dispatch: Label): void {
    const f = this.#f;
    this.#advance(this.#left, 1);
    this.#rip();
    f.set(this.#target);
    f.get(this.#entry);
    f.load('i32', ENTRY.link);
    f.load('i32', 0);
    f.tee(this.#entry);
    f.brIf(dispatch, true);
    f.br(lookup);
  }

  /** The next page must be translated and be the physical page that the instruction was decoded from. */
  #straddleCase(dispatch: Label): void {
    const f = this.#f;
    this.#advance(this.#left, 1);
    this.#rip();
    this.#state64(CODE_BASE);
    f.op(OP.i64.add);
    f.i64(4096n);
    f.op(OP.i64.add);
    this.#state64(CODE_MASK);
    f.op(OP.i64.and);
    f.set(this.#linear);
    const slot = f.local('i32');
    this.#executeSlot(slot);
    this.#isForeign();
    f.get(slot);
    f.load('i32', TLB_EXECUTE + 12);
    f.get(this.#entry);
    f.load('i32', ENTRY.immediate);
    f.op(OP.i32.ne, OP.i32.or);
    f.if(undefined, false);
    this.#leave(EXIT.miss, () => this.#rip());
    f.end();
    this.#advance(this.#entry, ENTRY_BYTES);
    f.br(dispatch);
  }

  #headCase(dispatch: Label): void {
    const f = this.#f;
    this.#advance(this.#left, 1);
    f.get(this.#entry);
    f.get(this.#entry);
    f.load('i32', ENTRY.counter);
    f.i32(1);
    f.op(OP.i32.sub);
    f.store('i32', ENTRY.counter);
    f.get(this.#entry);
    f.load('i32', ENTRY.counter);
    f.op(OP.i32.eqz);
    f.if(undefined, false);
    f.get(this.#base);
    f.get(this.#entry);
    f.store('i32', HOT_HEAD);
    this.#leave(EXIT.hot, () => this.#rip());
    f.end();
    this.#goBehind();
    f.br(dispatch);
  }

  #breakpointCase(dispatch: Label): void {
    const f = this.#f;
    this.#advance(this.#left, 1);
    this.#state32(PASS_BREAKPOINT);
    f.op(OP.i32.eqz);
    f.if(undefined, false);
    this.#leave(EXIT.breakpoint, () => this.#rip());
    f.end();
    f.get(this.#base);
    f.i32(0);
    f.store('i32', PASS_BREAKPOINT);
    this.#advance(this.#entry, ENTRY_BYTES);
    f.br(dispatch);
  }

  #goBehind(): void {
    this.#f.get(this.#entry);
    this.#f.load('i32', ENTRY.behind);
    this.#f.set(this.#entry);
  }

  /** Runs the region. After a cold exit the entry of the instruction itself comes next, even where it lies behind a head. */
  #regionCase(lookup: Label, dispatch: Label, miss: Label): void {
    const f = this.#f;
    const result = f.local('i32');
    f.get(this.#base);
    f.get(this.#left);
    f.i32(1);
    f.op(OP.i32.add);
    f.get(this.#page);
    f.get(this.#entry);
    f.load('i32', ENTRY.region);
    f.callIndirect(this.#regionType, 1);
    f.set(result);
    this.#takeState(); // the address space too: instructions that change it are executed for regions
    const headless = f.block();
    const stop = f.block();
    const fault = f.block();
    const cold = f.block();
    f.get(result);
    // REGION.jump cold fault stop headless
    f.brTable([lookup, cold, fault, stop], headless);
    f.end();
    f.get(this.#left);
    f.op(OP.i32.eqz);
    f.if(undefined, false);
    this.#leave(EXIT.budget, () => f.get(this.#target));
    f.end();
    this.#findEntry(miss);
    f.get(this.#entry);
    f.load('i32_16u', ENTRY.form);
    f.i32(~1);
    f.op(OP.i32.and);
    f.i32(FORM.head);
    f.op(OP.i32.eq);
    f.if();
    this.#goBehind();
    f.end();
    f.br(dispatch);
    f.end();
    this.#leave(EXIT.fault, () => f.get(this.#target));
    f.end();
    this.#leave(EXIT.stop, () => f.get(this.#target));
    f.end();
    this.#leave(EXIT.headless, () => f.get(this.#target));
  }

  #inline(form: Form, cold: Label, dispatch: Label, lookup: Label): void {
    const f = this.#f;
    this.#locals.reset();
    const at: EntryLocals = { base: this.#base, entry: this.#entry, page: this.#page };
    const site: Site = {
      f,
      locals: this.#locals,
      entry: this.#entry,
      cold,
      hasLinks: true,
      direct: null,
      next: () => {
        this.#advance(this.#entry, ENTRY_BYTES);
        f.br(dispatch);
      },
      again: () => f.br(dispatch),
      goto: (entry) => {
        f.get(entry);
        f.set(this.#entry);
        f.br(dispatch);
      },
      jump: (target) => {
        f.get(target);
        f.set(this.#target);
        f.br(lookup);
      },
      fault: () => f.br(cold),
      leave: () => f.op(OP.drop),
    };
    const services: EmitServices = { ...this.#functions, ...NO_REGION, base: this.#base, tlb: this.#tlb, giveUp: cold };
    const access = new EntryAccess(f, at, form.decoded, this.#functions.writeRflags);
    const recorders = recordersInMemory(f, this.#locals, at, form.decoded, access, this.#recorded);
    emitInstruction({ ...form, ...straight(form.effect) }, site, access, services, recorders);
  }

  /** The out-of-line function of the entry: state in memory is made exact before, and read again after. */
  #call(lookup: Label, dispatch: Label): void {
    const f = this.#f;
    const status = f.local('i32');
    f.get(this.#base);
    f.get(this.#left);
    f.i32(1);
    f.op(OP.i32.add);
    f.store('i32', LEFT);
    f.get(this.#base);
    this.#rip();
    f.store('i64', RIP);
    f.get(this.#base);
    f.get(this.#entry);
    f.get(this.#page);
    f.get(this.#entry);
    f.load('i32_16u', ENTRY.function);
    f.callIndirect(this.#formType, 0);
    f.set(status);
    this.#state32(LEFT);
    f.i32(1);
    f.op(OP.i32.sub);
    f.set(this.#left);
    this.#reloadTlb();
    const stop = f.block();
    const jump = f.block();
    const again = f.block();
    const fault = f.block();
    const next = f.block();
    f.get(status);
    // STATUS.next fault jump again stop
    f.brTable([next, fault, jump, again], stop);
    f.end();
    this.#lookupIfDropped(ENTRY.next, lookup);
    this.#advance(this.#entry, ENTRY_BYTES);
    f.br(dispatch);
    f.end();
    this.#fault(lookup);
    f.end();
    this.#lookupIfDropped(ENTRY.offset, lookup);
    f.br(dispatch);
    f.end();
    this.#state64(RIP);
    f.set(this.#target);
    f.br(lookup);
    f.end();
    this.#leave(EXIT.stop, () => this.#state64(RIP));
  }

  /** Has the pending fault delivered (RIP and LEFT in the state are those of the instruction), and goes on at the handler. */
  #fault(lookup: Label): void {
    const f = this.#f;
    const next = f.local('i32');
    f.call(this.#faulted);
    f.tee(next);
    f.i32(FAULTED.goOn);
    f.op(OP.i32.ne);
    f.if(undefined, false);
    f.i32(EXIT.stop);
    f.i32(EXIT.fault);
    f.get(next);
    f.i32(FAULTED.look);
    f.op(OP.i32.eq, OP.select, OP.return);
    f.end();
    this.#takeState();
    f.br(lookup);
  }

  /** A slow path may have dropped this page's translation (a store to its page table): the very next instruction then asks for it again. */
  #lookupIfDropped(field: number, lookup: Label): void {
    const f = this.#f;
    f.get(this.#slot);
    f.load('i32', TLB_EXECUTE);
    f.i32(-1);
    f.op(OP.i32.eq);
    f.if(undefined, false);
    f.get(this.#page);
    f.get(this.#entry);
    f.load('i64_16u', field);
    f.op(OP.i64.add);
    f.set(this.#target);
    f.br(lookup);
    f.end();
  }
}
