/**
 * The CPU's state in a region: registers and the carriers of flags are Wasm locals, loaded at the region's entry and stored where it is left;
 * everything else lies at its place in memory. Immediates, displacements and register numbers are built in.
 */
import { GPR, MXCSR, RFLAGS_REST, RFLAGS_REST_MASK, SEGMENT_BASE, XMM } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { Target, Write } from '../isa/dsl.ts';
import { FLAG_BIT, type Flag, RFLAGS } from '../isa/flags.ts';
import type { MemoryOperand, RegisterOperand } from '../isa/operands.ts';
import type { Width } from '../isa/ops.ts';
import type { Source, Term } from '../isa/term.ts';
import { boundLocal } from './bound.ts';
import type { StateAccess } from './emit.ts';
import { ENTRY } from './entry.ts';
import { CARRIER } from './flags.ts';
import type { Address } from './known-places.ts';
import type { Lowering } from './lower.ts';
import type { FloatInputs } from './lowering-context.ts';
import { xmmHalf } from './region-floats.ts';
import type { RegionInstruction } from './region-graph.ts';
import { RegisterOrigins, sum } from './register-origins.ts';
import { readSlot } from './special-slots.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

/** A part of the state that is kept in a local. */
interface Slot {
  readonly local: number;
  readonly type: 'i32' | 'i64' | 'f64';
  readonly offset: number;
  isWritten: boolean;
}

/** The locals of one region. */
export class RegionState {
  readonly f: FunctionBuilder;
  readonly base: number;
  /** The linear address of the page that the region's addresses are relative to. */
  readonly page: number;
  readonly #slots = new Map<number, Slot>();
  /** Offsets of halves of XMM registers that are kept as doubles. */
  readonly #floats: ReadonlySet<number>;
  /** Bits of those among them that are known to hold zero or an ordinary number, at the point that is being emitted. */
  ordinary = 0;
  readonly origins = new RegisterOrigins();

  constructor(f: FunctionBuilder, base: number, page: number, floats: ReadonlySet<number>) {
    this.f = f;
    this.base = base;
    this.page = page;
    this.#floats = floats;
  }

  /** The local that stands for the slot of the state at `offset`. */
  #slot(offset: number, type: 'i32' | 'i64'): Slot {
    const known = this.#slots.get(offset);
    if (known !== undefined) return known;
    const kept = this.#floats.has(offset) ? 'f64' : type;
    const slot: Slot = { local: this.f.local(kept), type: kept, offset, isWritten: false };
    this.#slots.set(offset, slot);
    return slot;
  }

  get(offset: number, type: 'i32' | 'i64' = 'i64'): void {
    const slot = this.#slot(offset, type);
    this.f.get(slot.local);
    if (slot.type === 'f64') this.f.op(OP.i64.reinterpret_f64);
  }

  set(offset: number, type: 'i32' | 'i64' = 'i64'): void {
    const slot = this.#slot(offset, type);
    slot.isWritten = true;
    if (isGpr(offset)) this.origins.set((offset - GPR) / 8, null);
    if (slot.type === 'f64') {
      this.f.op(OP.f64.reinterpret_i64);
      this.ordinary &= ~ordinaryBit(offset);
    }
    this.f.set(slot.local);
  }

  isFloat(offset: number): boolean {
    return this.#floats.has(offset);
  }

  /** The local of a half that is kept as a double. */
  float(offset: number): number {
    return this.#slot(offset, 'i64').local;
  }

  setFloat(offset: number, isOrdinary: boolean): void {
    const slot = this.#slot(offset, 'i64');
    slot.isWritten = true;
    this.f.set(slot.local);
    if (isOrdinary) this.ordinary |= ordinaryBit(offset);
    else this.ordinary &= ~ordinaryBit(offset);
  }

  /** At the region's begin, when all of it is known. */
  load(): void {
    for (const { local, type, offset } of this.#slots.values()) {
      this.f.get(this.base);
      this.f.load(type, offset);
      this.f.set(local);
    }
  }

  /** Where it is left. */
  store(): void {
    for (const { local, type, offset, isWritten } of this.#slots.values()) {
      if (!isWritten) continue;
      this.f.get(this.base);
      this.f.get(local);
      this.f.store(type, offset);
    }
  }

  /** Leaves page + address. */
  rip(at: number): void {
    this.f.get(this.page);
    if (at === 0) return;
    this.f.i64(BigInt(at));
    this.f.op(OP.i64.add);
  }

  /** Leaves the flag (0 or 1, i32). */
  flag(flag: Flag): void {
    const { f } = this;
    const shiftAndMask = (bit: number) => {
      f.i32(bit);
      f.op(OP.i32.shr_u);
      f.i32(1);
      f.op(OP.i32.and);
    };
    if (flag === 'df') {
      f.get(this.base);
      f.load('i32', RFLAGS_REST);
      return shiftAndMask(FLAG_BIT.df);
    }
    this.get(CARRIER[flag].at, CARRIER[flag].type);
    if (flag === 'af') return shiftAndMask(4);
    if (flag === 'zf') return f.op(OP.i64.eqz);
    if (flag === 'pf') {
      f.i32(0xff);
      f.op(OP.i32.and, OP.i32.popcnt);
      f.i32(1);
      return f.op(OP.i32.and, OP.i32.eqz);
    }
    if (flag === 'cf') return;
    f.i64(63n);
    f.op(OP.i64.shr_u, OP.i32.wrap_i64);
  }
}

const isGpr = (offset: number): boolean => offset >= GPR && offset < GPR + 8 * 16;

/** Of the half of an XMM register at `offset`. */
const ordinaryBit = (offset: number): number => 1 << ((offset - XMM) / 8);

/** The state as one instruction of the region sees it. */
export class RegionAccess implements StateAccess {
  readonly #f: FunctionBuilder;
  readonly #state: RegionState;
  readonly #instruction: RegionInstruction;
  readonly prepareFlags: StateAccess['prepareFlags'];
  readonly loaded = new Map<number, readonly number[]>();
  readonly floats: FloatInputs = {
    local: (source, half) => {
      const offset = this.#floatHalf(source, half);
      return offset === null ? null : this.#state.float(offset);
    },
    isOrdinary: (source, half) => {
      const offset = this.#floatHalf(source, half);
      return offset !== null && (this.#state.ordinary & ordinaryBit(offset)) !== 0;
    },
    noteOrdinary: (source, half) => {
      const offset = this.#floatHalf(source, half);
      if (offset !== null) this.#state.ordinary |= ordinaryBit(offset);
    },
  };

  constructor(state: RegionState, instruction: RegionInstruction, prepareFlags: StateAccess['prepareFlags']) {
    this.prepareFlags = prepareFlags;
    this.#f = state.f;
    this.#state = state;
    this.#instruction = instruction;
  }

  input(source: Source, width: Width): void {
    const f = this.#f;
    switch (source.kind) {
      case 'operand': {
        const r = this.#register(source.index);
        if (r.class === 'gpr') return this.#readGpr(r.index, width, r.high);
        if (r.class === 'xmm') return this.#readXmm(r.index, width);
        return void readSlot(
          f,
          this.#state.base,
          (['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const)[r.index] ?? bug('no such segment'),
          width,
        );
      }
      case 'offset':
        return this.#offset(this.#memory(source.index));
      case 'gpr':
        return this.#readGpr(source.index, width, false);
      case 'xmm':
        return this.#readXmm(source.index, width);
      case 'flag':
        return this.#state.flag(source.flag);
      case 'loaded':
        if (boundLocal(source) >= 0) return f.get(boundLocal(source));
        return f.get(this.loaded.get(source.step)?.[0] ?? bug(`step ${source.step} has loaded nothing`));
      case 'rip':
        return this.#state.rip(this.#instruction.at);
      case 'nextRip':
        return this.#state.rip(this.#instruction.next);
      case 'segmentBase':
        f.get(this.#state.base);
        return f.load('i64', SEGMENT_BASE + 8 * source.segment);
      case 'special':
        if (source.name === 'mxcsr') return this.#state.get(MXCSR, 'i32');
        if (!readSlot(f, this.#state.base, source.name, width)) bug(`a region reads ${source.name}`);
        return;
      default:
        return bug(`no input ${(source satisfies never as Source).kind}`);
    }
  }

  inputHalf(source: Source, half: 0 | 1): void {
    if (source.kind === 'loaded') return this.#f.get(this.loaded.get(source.step)?.[half] ?? bug(`step ${source.step} has loaded nothing`));
    const index = source.kind === 'xmm' ? source.index : source.kind === 'operand' ? this.#register(source.index).index : bug('128 bits');
    this.#state.get(XMM + 16 * index + 8 * half);
  }

  rip(field: number): void {
    this.#state.rip(field === ENTRY.next ? this.#instruction.next : this.#instruction.at);
  }

  prepareWrite(l: Lowering, write: Write): () => void {
    const { f } = l;
    const when = write.when === null ? null : l.toLocal(write.when);
    const { target, value } = write;
    if (value.width >= 64 && when === null && this.#floatHalf(target, 0) !== null) return this.#prepareFloats(l, target, value);
    const values =
      value.width === 128
        ? ([0, 1] as const).map((half) => {
            const local = l.locals.take('i64');
            l.half(value, half);
            f.set(local);
            return local;
          })
        : [l.toLocal(value)];
    const origin = value.width === 64 && when === null ? this.#origin(value) : null;
    return () => {
      for (const [half, local] of values.entries()) this.#write(target, value.width, half, local, when);
      const register = origin === null ? null : this.#gpr(target);
      if (register !== null) this.#state.origins.set(register, origin);
    };
  }

  address(segment: number, offset: Term): Address | null {
    const found = this.#origin(offset);
    return found === null ? null : { ...found, origin: `${segment}:${found.origin}` };
  }

  /** A term of 64 bits as a sum over registers; null: it is none. */
  #origin(t: Term): Address | null {
    if (t.op === 'const') return sum('', Number(BigInt.asIntN(64, t.value)));
    const [a, b] = t.args;
    if ((t.op === 'add' || t.op === 'sub') && a !== undefined && b?.op === 'const') {
      const from = this.#origin(a);
      const by = Number(BigInt.asIntN(64, b.value));
      return from === null ? null : sum(from.origin, t.op === 'add' ? from.plus + by : from.plus - by);
    }
    if (t.source === null || t.width !== 64) return null;
    if (t.source.kind === 'offset') return this.#state.origins.ofMemory(this.#memory(t.source.index), this.#instruction.next);
    const register = t.source.kind === 'gpr' || t.source.kind === 'operand' ? this.#gpr(t.source) : null;
    return register === null ? null : this.#state.origins.of(register);
  }

  /** The number of a general register; null: it is none. */
  #gpr(place: Source | Target): number | null {
    if (place.kind === 'gpr') return place.index;
    if (place.kind !== 'operand') return null;
    const operand = this.#instruction.form.decoded.operands[place.index];
    return operand?.kind === 'reg' && operand.class === 'gpr' ? operand.index : null;
  }

  /** The offset of a half of an XMM register that is kept as a double; null: it is none. */
  #floatHalf(place: Source | Target, half: number): number | null {
    const offset = xmmHalf(place, this.#instruction.form.decoded.operands, half);
    return offset !== null && this.#state.isFloat(offset) ? offset : null;
  }

  /** Of an XMM register whose low half is a double. */
  #prepareFloats(l: Lowering, target: Target, value: Term): () => void {
    const f = this.#f;
    const halves = ([0, 1] as const).slice(0, value.width / 64).map((half) => {
      const part = value.extract(64 * half, 64);
      const offset = this.#floatHalf(target, half);
      const local = l.locals.take(offset === null ? 'i64' : 'f64');
      if (offset === null) l.push(part);
      else l.pushFloat(part);
      f.set(local);
      return { half, local, offset, isOrdinary: l.isOrdinary(part) };
    });
    return () => {
      for (const { half, local, offset, isOrdinary } of halves) {
        f.get(local);
        if (offset === null) this.#state.set(xmmHalf(target, this.#instruction.form.decoded.operands, half) ?? bug('no XMM register'));
        else this.#state.setFloat(offset, isOrdinary);
      }
    };
  }

  /** Leaves the new value on the stack, or the old one if `when` is not set. */
  #choose(when: number | null, old: () => void): void {
    if (when === null) return;
    old();
    this.#f.get(when);
    this.#f.op(OP.select);
  }

  #write(target: Target, width: Width, half: number, local: number, when: number | null): void {
    if (target.kind === 'special') {
      if (target.name === 'rflags') return this.#writeRest(local);
      if (target.name !== 'mxcsr') bug(`a region writes ${target.name}`);
      this.#f.get(local);
      this.#choose(when, () => this.#state.get(MXCSR, 'i32'));
      return this.#state.set(MXCSR, 'i32');
    }
    const r = target.kind === 'operand' ? this.#register(target.index) : null;
    const index = target.kind === 'operand' ? (r?.index ?? 0) : target.index;
    const isXmm = target.kind === 'xmm' || r?.class === 'xmm';
    const slot = isXmm ? XMM + 16 * index + 8 * half : GPR + 8 * index;
    this.#merged(slot, width, local, r?.high === true, !isXmm);
    this.#choose(when, () => this.#state.get(slot));
    this.#state.set(slot);
  }

  /** RFLAGS but for the status flags, which the instruction writes as such. */
  #writeRest(value: number): void {
    const f = this.#f;
    f.get(this.#state.base);
    f.get(value);
    f.i64(BigInt(RFLAGS_REST_MASK));
    f.op(OP.i64.and);
    f.i64(BigInt(RFLAGS.fixed));
    f.op(OP.i64.or);
    f.store('i64', RFLAGS_REST);
  }

  /** Leaves the register with the value in it. `extend`: 32 bits clear the upper half. */
  #merged(slot: number, width: Width, local: number, isHigh: boolean, extend: boolean): void {
    const f = this.#f;
    if (width >= 64) return f.get(local);
    if (width === 32 && extend) {
      f.get(local);
      return f.op(OP.i64.extend_i32_u);
    }
    const shift = isHigh ? 8n : 0n;
    this.#state.get(slot);
    f.i64(~(((1n << BigInt(width)) - 1n) << shift));
    f.op(OP.i64.and);
    f.get(local);
    f.op(OP.i64.extend_i32_u);
    if (isHigh) {
      f.i64(shift);
      f.op(OP.i64.shl);
    }
    f.op(OP.i64.or);
  }

  #readGpr(index: number, width: Width, isHigh: boolean): void {
    this.#state.get(GPR + 8 * index);
    this.#narrow(width, isHigh);
  }

  #readXmm(index: number, width: Width): void {
    this.#state.get(XMM + 16 * index);
    this.#narrow(width, false);
  }

  #narrow(width: Width, isHigh: boolean): void {
    const f = this.#f;
    if (width === 64) return;
    f.op(OP.i32.wrap_i64);
    if (isHigh) {
      f.i32(8);
      f.op(OP.i32.shr_u);
    }
    if (width === 32) return;
    f.i32(2 ** width - 1);
    f.op(OP.i32.and);
  }

  /** The effective address, wrapped to the address size, as i64. */
  #offset(m: MemoryOperand): void {
    const f = this.#f;
    let isFirst = true;
    const sum = () => {
      if (!isFirst) f.op(OP.i64.add);
      isFirst = false;
    };
    if (m.ripRelative) {
      this.#state.rip(this.#instruction.next);
      sum();
    }
    if (m.base >= 0) {
      this.#state.get(GPR + 8 * m.base);
      sum();
    }
    if (m.index >= 0) {
      this.#state.get(GPR + 8 * m.index);
      if (m.scale > 1) {
        f.i64(BigInt(31 - Math.clz32(m.scale)));
        f.op(OP.i64.shl);
      }
      sum();
    }
    if (m.disp !== 0n || isFirst) {
      f.i64(m.disp);
      sum();
    }
    if (m.addressSize === 64) return;
    f.i64(m.addressSize === 32 ? 0xffff_ffffn : 0xffffn);
    f.op(OP.i64.and);
  }

  #register(index: number): RegisterOperand {
    const operand = this.#instruction.form.decoded.operands[index];
    return operand?.kind === 'reg' ? operand : bug(`operand ${index} is no register`);
  }

  #memory(index: number): MemoryOperand {
    const operand = this.#instruction.form.decoded.operands[index];
    return operand?.kind === 'mem' ? operand : bug(`operand ${index} is no memory operand`);
  }
}
