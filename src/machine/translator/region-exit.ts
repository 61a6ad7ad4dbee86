/**
 * What comes behind a region's instructions: tier 0's function for one that the region does not do itself, the delivery of its fault, and the way on to
 * the region at RIP by a tail call. All state has been stored before.
 */
import { FAULTED } from '../cpu/ports.ts';
import { FAULT_PENDING, LEFT, MODE_INDEX, RIP, TLB_ENTRIES, TLB_EXECUTE, TLB_SET } from '../cpu/state.ts';
import { ENTRY, FORM, REGION, STATUS } from './entry.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

/** The locals of a region's parameters. */
export const PARAMETER = { base: 0, left: 1, page: 2 } as const;
/** The tables that modules of regions import. */
export const TABLE = { regions: 0, functions: 1 } as const;

export class RegionExit {
  readonly #f: FunctionBuilder;
  readonly #regionType: number;
  readonly #formType: number;
  readonly #faulted: number;
  /** The address of the TLB set in use. */
  readonly tlb: number;
  readonly rip: number;
  /** The entry of the instruction at RIP, which tier 0's function is to execute; 0: none is. */
  readonly called: number;

  /** The types of a region's function and of tier 0's functions; `faulted` of cpu/ports.ts. */
  constructor(f: FunctionBuilder, { regionType, formType, faulted }: { regionType: number; formType: number; faulted: number }) {
    this.#f = f;
    this.#regionType = regionType;
    this.#formType = formType;
    this.#faulted = faulted;
    this.tlb = f.local('i32');
    this.rip = f.local('i64');
    this.called = f.local('i32');
  }

  loadTlb(): void {
    const f = this.#f;
    f.get(PARAMETER.base);
    f.get(PARAMETER.base);
    f.load('i32', TLB_SET);
    f.op(OP.i32.add);
    f.set(this.tlb);
  }

  /**
   * Has the instruction at RIP executed, if `called` says so, and its fault delivered, which may be pending already (`Ports.refill`): sets RIP, `left` and the
   * TLB set to what is true after it, or returns.
   */
  call(): void {
    const f = this.#f;
    const result = f.local('i32');
    f.get(this.called);
    f.if();
    f.i32(STATUS.fault);
    f.set(result);
    f.get(PARAMETER.base);
    f.load('i32', FAULT_PENDING);
    f.op(OP.i32.eqz);
    f.if();
    f.get(PARAMETER.base);
    f.get(this.called);
    f.get(this.rip);
    f.i64(-4096n);
    f.op(OP.i64.and);
    f.get(this.called);
    f.load('i32_16u', ENTRY.function);
    f.callIndirect(this.#formType, TABLE.functions);
    f.set(result);
    f.end();
    f.get(result);
    f.i32(STATUS.fault);
    f.op(OP.i32.eq);
    f.if();
    this.#deliver();
    f.else();
    this.#retire(result);
    f.end();
    this.loadTlb();
    f.end();
  }

  /** Goes on at the handler, or returns. */
  #deliver(): void {
    const f = this.#f;
    const next = f.local('i32');
    f.call(this.#faulted);
    f.tee(next);
    f.i32(FAULTED.goOn);
    f.op(OP.i32.ne);
    f.if(undefined, false);
    f.i32(REGION.stop);
    f.i32(REGION.fault);
    f.get(next);
    f.i32(FAULTED.look);
    f.op(OP.i32.eq, OP.select, OP.return);
    f.end();
    f.get(PARAMETER.base);
    f.load('i32', LEFT);
    f.set(PARAMETER.left);
    f.get(PARAMETER.base);
    f.load('i64', RIP);
    f.set(this.rip);
  }

  /** The instruction was executed, with this result. */
  #retire(result: number): void {
    const f = this.#f;
    f.get(PARAMETER.base);
    f.get(PARAMETER.base);
    f.load('i32', LEFT);
    f.i32(1);
    f.op(OP.i32.sub);
    f.tee(PARAMETER.left);
    f.store('i32', LEFT);
    f.get(result);
    f.i32(STATUS.stop);
    f.op(OP.i32.eq);
    f.if(undefined, false);
    f.i32(REGION.stop);
    f.op(OP.return);
    f.end();
    f.get(result);
    f.if();
    f.get(PARAMETER.base);
    f.load('i64', RIP);
    f.set(this.rip);
    f.else();
    f.get(PARAMETER.base);
    f.get(this.rip);
    f.i64(-4096n);
    f.op(OP.i64.and);
    f.get(this.called);
    f.load('i64_16u', ENTRY.next);
    f.op(OP.i64.add);
    f.tee(this.rip);
    f.store('i64', RIP);
    f.end();
  }

  /** On with the region at RIP, if there is one. */
  chain(): void {
    const f = this.#f;
    const entry = f.local('i32');
    const form = f.local('i32');
    const none = f.block();
    this.findEntry(entry, none);
    f.get(entry);
    f.load('i32_16u', ENTRY.form);
    f.tee(form);
    f.i32(FORM.region);
    f.op(OP.i32.ne);
    f.if(undefined, false);
    f.get(form);
    f.i32(FORM.call);
    f.op(OP.i32.eq);
    f.get(form);
    f.i32(FORM.inline);
    f.op(OP.i32.ge_u, OP.i32.or, OP.i32.eqz);
    f.brIf(none);
    f.i32(REGION.headless);
    f.op(OP.return);
    f.end();
    f.get(PARAMETER.base);
    f.get(PARAMETER.left);
    f.get(this.rip);
    f.i64(-4096n);
    f.op(OP.i64.and);
    f.get(entry);
    f.load('i32', ENTRY.region);
    f.returnCallIndirect(this.#regionType, TABLE.regions);
    f.end();
  }

  /** Sets `entry` to that of the instruction at RIP, if its page is in the software TLB and the instruction is decoded; else goes to `none`. */
  findEntry(entry: number, none: Label): void {
    const f = this.#f;
    const slot = f.local('i32');
    this.executeSlot(slot);
    this.isForeign();
    f.brIf(none, false);
    f.get(slot);
    f.load('i32', TLB_EXECUTE + 8);
    f.get(this.rip);
    f.op(OP.i32.wrap_i64);
    f.i32(0xfff);
    f.op(OP.i32.and);
    f.i32(2);
    f.op(OP.i32.shl, OP.i32.add);
    f.load('i32', 0);
    f.tee(entry);
    f.op(OP.i32.eqz);
    f.brIf(none, false);
  }

  /** Leaves (and sets `slot` to) the address of the execute entry for RIP. */
  executeSlot(slot: number): void {
    const f = this.#f;
    f.get(this.rip);
    f.op(OP.i32.wrap_i64);
    f.i32(8);
    f.op(OP.i32.shr_u);
    f.i32((TLB_ENTRIES - 1) << 4);
    f.op(OP.i32.and);
    f.get(this.tlb);
    f.op(OP.i32.add);
    f.tee(slot);
  }

  /** Leaves 1 if the execute entry on the stack is not that of RIP's page in the current mode. */
  isForeign(): void {
    const f = this.#f;
    f.load('i64', TLB_EXECUTE);
    f.get(this.rip);
    f.i64(-4096n);
    f.op(OP.i64.and);
    f.get(PARAMETER.base);
    f.load('i64_32u', MODE_INDEX);
    f.op(OP.i64.or, OP.i64.ne);
  }
}
