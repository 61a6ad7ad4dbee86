/**
 * Inline memory accesses through the software TLB (layout in cpu/state.ts).
 *
 * Each access is first *placed*: its linear address is made and looked up. A hit gives a host address in a local, a miss gives 0, and
 * then the access goes by the slow path (`Ports`), unless the code is of the kind that leaves at a miss.
 */
import { ACCESS, SCRATCH, TLB_ENTRIES, TLB_READ, TLB_WRITE } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { Width } from '../isa/ops.ts';
import type { Address, KnownPlaces } from './known-places.ts';
import { type LocalPool, narrowLoad } from './lowering-context.ts';
import { type FunctionBuilder, type Label, OP } from './wasm.ts';

export interface MemoryServices {
  readonly f: FunctionBuilder;
  readonly locals: LocalPool;
  /** Locals: the CPU's base, and the absolute address of the current TLB set. */
  readonly base: number;
  readonly tlb: number;
  /** Function indices (0 0 0 where the code leaves at a miss). */
  readonly load: number;
  readonly store: number;
  readonly probe: number;
  /** Where a miss goes; null: host address 0 stands for a miss. */
  readonly miss: Label | null;
  /** Function that is asked at a miss to fill the software TLB, before the code leaves; null: none. */
  readonly refill: number | null;
  /** Where memory was accessed before; null: it is not kept. */
  readonly places: KnownPlaces | null;
  /** The local that is not 0 if a store of 64 bits is to be told of when it is made; null: no store may be. */
  readonly told: number | null;
}

export interface Place {
  readonly linear: number;
  readonly host: number;
  readonly width: Width;
  /** Leaves the `access` argument of the slow path. */
  readonly access: (extra: number) => void;
}

/** What is accessed: a linear address in a local, and what is known of it in terms of registers (null: nothing). */
export interface Accessed {
  readonly linear: number;
  readonly address: Address | null;
  readonly width: Width;
  readonly isWrite: boolean;
  /** Leaves the `access` argument of the slow path. */
  readonly access: (extra: number) => void;
}

/** Looks the linear address up, for reading or writing. */
export function place(m: MemoryServices, accessed: Accessed): Place {
  const { f, places } = m;
  const { linear, address, width, isWrite, access } = accessed;
  const host = m.locals.take('i32');
  const made = { linear, host, width, access };
  if (address !== null && places?.emitShared(address, width / 8, isWrite, host)) {
    // Another page: without a call, which would cost the engine the saving of all registers here.
    f.if(undefined, false);
    lookUp(m, accessed, host, null);
    f.end();
    return made;
  }
  lookUp(m, accessed, host, m.refill);
  if (address !== null) places?.note(address, isWrite, host, linear);
  return made;
}

/** Sets `host`, or deals with a miss as `MemoryServices` says. */
function lookUp(m: MemoryServices, { linear, width, isWrite, access }: Accessed, host: number, refill: number | null): void {
  const { f } = m;
  const told = isWrite && width === 64 ? m.told : null;
  const slot = m.locals.take('i32');
  const kind = isWrite ? TLB_WRITE : TLB_READ;
  const bytes = width / 8;
  f.get(linear);
  f.op(OP.i32.wrap_i64);
  f.i32(8);
  f.op(OP.i32.shr_u);
  f.i32((TLB_ENTRIES - 1) << 4);
  f.op(OP.i32.and);
  f.get(m.tlb);
  f.op(OP.i32.add);
  f.tee(slot);
  f.load('i64', kind);
  f.get(linear);
  if (bytes > 1) {
    f.i64(BigInt(bytes - 1));
    f.op(OP.i64.add);
  }
  f.i64(-4096n);
  f.op(OP.i64.and);
  if (m.miss !== null) {
    f.op(OP.i64.ne);
    if (refill === null) f.brIf(m.miss, false);
    else {
      f.if(undefined, false);
      pushLinear(f, linear);
      access((isWrite ? ACCESS.modify : 0) | (told === null ? 0 : ACCESS.tells));
      f.call(refill);
      if (told !== null) {
        f.tee(told);
        f.i32(1);
        f.op(OP.i32.eq);
      }
      f.brIf(m.miss, false);
      m.places?.refilled();
      f.end();
    }
    f.get(linear);
    f.op(OP.i32.wrap_i64);
    f.get(slot);
    f.load('i32', kind + 8);
    f.op(OP.i32.add);
    f.set(host);
  } else {
    f.op(OP.i64.eq);
    f.if('i32', true);
    f.get(linear);
    f.op(OP.i32.wrap_i64);
    f.get(slot);
    f.load('i32', kind + 8);
    f.op(OP.i32.add);
    f.else();
    f.i32(0);
    f.end();
    f.set(host);
  }
}

function slowArguments(m: MemoryServices, p: Place, extra: number): void {
  pushLinear(m.f, p.linear);
  p.access(extra);
}

/** Leaves the two halves of a linear address. */
function pushLinear(f: FunctionBuilder, linear: number): void {
  f.get(linear);
  f.op(OP.i32.wrap_i64);
  f.get(linear);
  f.i64(32n);
  f.op(OP.i64.shr_u, OP.i32.wrap_i64);
}

/** Loads into locals (two for 128 bits). `failed` emits the way out when the slow path has left a fault. */
export function load(m: MemoryServices, p: Place, forWrite: boolean, failed: () => void): number[] {
  const { f } = m;
  const types = p.width === 128 ? (['i64', 'i64'] as const) : p.width === 64 ? (['i64'] as const) : (['i32'] as const);
  const values = types.map((type) => m.locals.take(type));
  const kind = p.width === 128 ? 'i64' : narrowLoad(p.width);
  const from = (address: () => void, at: number) => {
    for (const [i, local] of values.entries()) {
      address();
      f.load(kind, at + 8 * i);
      f.set(local);
    }
  };
  if (m.miss !== null) {
    from(() => f.get(p.host), 0);
    return values;
  }
  f.get(p.host);
  f.if(undefined, true);
  from(() => f.get(p.host), 0);
  f.else();
  slowArguments(m, p, forWrite ? ACCESS.modify : 0);
  f.call(m.load);
  f.if();
  failed();
  f.end();
  from(() => f.get(m.base), SCRATCH);
  f.end();
  return values;
}

/** Asks whether the store would succeed. */
export function probe(m: MemoryServices, p: Place, failed: () => void): void {
  const { f } = m;
  if (m.miss !== null) return;
  f.get(p.host);
  f.op(OP.i32.eqz);
  f.if(undefined, false);
  slowArguments(m, p, 0);
  f.call(m.probe);
  f.if();
  failed();
  f.end();
  f.end();
}

export function store(m: MemoryServices, p: Place, values: readonly number[], failed: () => void): void {
  const { f } = m;
  const kind =
    p.width === 8 ? 'i32_8' : p.width === 16 ? 'i32_16' : p.width === 32 ? 'i32' : p.width === 1 ? bug('a store of one bit') : 'i64';
  const to = (address: number, at: number) => {
    for (const [i, local] of values.entries()) {
      f.get(address);
      f.get(local);
      f.store(kind, at + 8 * i);
    }
  };
  if (m.miss !== null) return to(p.host, 0);
  f.get(p.host);
  f.if(undefined, true);
  to(p.host, 0);
  f.else();
  to(m.base, SCRATCH);
  slowArguments(m, p, 0);
  f.call(m.store);
  f.if();
  failed();
  f.end();
  f.end();
}
