/**
 * Tier 0's access to the CPU's state: operands are found through the decoded entry (`entry.ts`), everything else at fixed offsets
 * from the CPU's base. The code made here is good for every instruction of the same form.
 */
import { GPR, RFLAGS_REST, SEGMENT_ATTRIBUTES, SEGMENT_BASE, SEGMENT_SELECTOR, XMM } from '../cpu/state.ts';
import { bug } from '../isa/bug.ts';
import type { Decoded } from '../isa/decode.ts';
import type { FlagWrites, Target, Write } from '../isa/dsl.ts';
import { FLAG_BIT } from '../isa/flags.ts';
import type { MemoryOperand, Operand } from '../isa/operands.ts';
import type { Width } from '../isa/ops.ts';
import type { Source, Special, Term } from '../isa/term.ts';
import type { StateAccess } from './emit.ts';
import { ENTRY, hasFixedMemory, isWideOffset } from './entry.ts';
import { prepareFlags, readFlag } from './flags.ts';
import type { Lowering } from './lower.ts';
import { narrowLoad } from './lowering-context.ts';
import { SERVICE_OPERANDS } from './services.ts';
import { readSlot, SLOTS } from './special-slots.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

/** The locals that hold the CPU's base, the entry and the page (RIP = page + offset of the entry). */
export interface EntryLocals {
  readonly base: number;
  readonly entry: number;
  readonly page: number;
}

export class EntryAccess implements StateAccess {
  readonly #f: FunctionBuilder;
  readonly #at: EntryLocals;
  readonly #decoded: Decoded;
  /** Function index of the service that sets RFLAGS from the first service operand. */
  readonly #writeRflags: number;
  /** By step: the locals of loaded values. */
  readonly loaded = new Map<number, readonly number[]>();
  readonly floats = null;
  readonly address = () => null;

  constructor(f: FunctionBuilder, at: EntryLocals, decoded: Decoded, writeRflags: number) {
    this.#f = f;
    this.#at = at;
    this.#decoded = decoded;
    this.#writeRflags = writeRflags;
  }

  input(source: Source, width: Width): void {
    const f = this.#f;
    switch (source.kind) {
      case 'operand':
        return this.#operand(source.index, width);
      case 'offset':
        return this.#offset(this.#memory(source.index));
      case 'gpr':
        f.get(this.#at.base);
        return f.load(narrowLoad(width), GPR + 8 * source.index);
      case 'xmm':
        f.get(this.#at.base);
        return f.load(narrowLoad(width), XMM + 16 * source.index);
      case 'flag':
        return readFlag(f, this.#at.base, source.flag);
      case 'loaded':
        return f.get(this.loaded.get(source.step)?.[0] ?? bug(`step ${source.step} has loaded nothing`));
      case 'rip':
        return this.rip(ENTRY.offset);
      case 'nextRip':
        return this.rip(ENTRY.next);
      case 'segmentBase':
        f.get(this.#at.base);
        return f.load('i64', SEGMENT_BASE + 8 * source.segment);
      case 'special':
        return this.#special(source.name, width);
      default:
        return bug(`no input ${(source satisfies never as Source).kind}`);
    }
  }

  inputHalf(source: Source, half: 0 | 1): void {
    const f = this.#f;
    if (source.kind === 'loaded') return f.get(this.loaded.get(source.step)?.[half] ?? bug(`step ${source.step} has loaded nothing`));
    if (source.kind === 'xmm') {
      f.get(this.#at.base);
      return f.load('i64', XMM + 16 * source.index + 8 * half);
    }
    if (source.kind !== 'operand' || this.#register(source.index).class !== 'xmm') return bug(`a 128-bit input that is no XMM register`);
    this.#slot(source.index);
    f.load('i64', XMM + 8 * half);
  }

  /** Leaves page + the u16 at `field` of the entry. */
  rip(field: number): void {
    const f = this.#f;
    f.get(this.#at.page);
    f.get(this.#at.entry);
    f.load('i64_16u', field);
    f.op(OP.i64.add);
    if (this.#decoded.mode === 64) return;
    f.i64(0xffff_ffffn);
    f.op(OP.i64.and);
  }

  /** Prepares a write: computes its value into locals; the returned function emits the stores. */
  prepareWrite(l: Lowering, write: Write): () => void {
    const f = this.#f;
    const when = write.when === null ? null : l.toLocal(write.when);
    const value = this.#values(l, write.value);
    return () => {
      if (when !== null) {
        f.get(when);
        f.if();
      }
      this.#write(write.target, write.value.width, value);
      if (when !== null) f.end();
    };
  }

  prepareFlags(l: Lowering, flags: FlagWrites): () => void {
    return prepareFlags(l, flags);
  }

  #values(l: Lowering, term: Term): number[] {
    if (term.width !== 128) return [l.toLocal(term)];
    return ([0, 1] as const).map((half) => {
      const local = l.locals.take('i64');
      l.half(term, half);
      l.f.set(local);
      return local;
    });
  }

  #write(target: Target, width: Width, value: readonly number[]): void {
    const f = this.#f;
    switch (target.kind) {
      case 'operand': {
        const { class: registers } = this.#register(target.index);
        if (registers === 'gpr') return this.#store(() => this.#slot(target.index), GPR, width, value, true);
        if (registers === 'xmm') return this.#store(() => this.#slot(target.index), XMM, width, value, false);
        return bug(`a row writes a ${registers} register as an operand`);
      }
      case 'gpr':
        return this.#store(() => f.get(this.#at.base), GPR + 8 * target.index, width, value, true);
      case 'xmm':
        return this.#store(() => f.get(this.#at.base), XMM + 16 * target.index, width, value, false);
      case 'special':
        return this.#writeSpecial(target.name, width, value[0] ?? bug('no value'));
      default:
        return bug(`no target ${(target satisfies never as Target).kind}`);
    }
  }

  /** `extend`: a 32-bit value clears the upper half (general registers). */
  #store(address: () => void, at: number, width: Width, value: readonly number[], extend: boolean): void {
    const f = this.#f;
    for (const [i, local] of value.entries()) {
      address();
      f.get(local);
      if (width === 32 && extend) f.op(OP.i64.extend_i32_u);
      f.store(width === 8 ? 'i32_8' : width === 16 ? 'i32_16' : width === 32 && !extend ? 'i32' : 'i64', at + 8 * i);
    }
  }

  #writeSpecial(name: Special, width: Width, local: number): void {
    const f = this.#f;
    f.get(this.#at.base);
    if (name === 'rflags') {
      f.get(local);
      f.store('i64', SERVICE_OPERANDS);
      return f.call(this.#writeRflags);
    }
    const slot = SLOTS[name] ?? bug(`no row may write ${name}`);
    f.get(local);
    if (slot[1] === 64) {
      if (width !== 64) bug(`${width} bits written to ${name}`);
      return f.store('i64', slot[0]);
    }
    f.store('i32', slot[0]);
  }

  #special(name: Special, width: Width): void {
    const f = this.#f;
    if (readSlot(f, this.#at.base, name, width)) return;
    if (name === 'stackMask') {
      f.i64(0xffff_ffffn);
      f.i64(0xffffn);
      f.get(this.#at.base);
      f.load('i32', SEGMENT_ATTRIBUTES + 4 * 2);
      f.i32(1 << 10);
      f.op(OP.i32.and);
      return f.op(OP.select);
    }
    if (name !== 'rflags') return bug(`no special ${name}`);
    f.get(this.#at.base);
    f.load('i64', RFLAGS_REST);
    for (const flag of ['cf', 'pf', 'af', 'zf', 'sf', 'of'] as const) {
      readFlag(f, this.#at.base, flag);
      f.i32(FLAG_BIT[flag]);
      f.op(OP.i32.shl, OP.i64.extend_i32_u, OP.i64.or);
    }
  }

  #operand(index: number, width: Width): void {
    const f = this.#f;
    const operand = this.#decoded.operands[index] ?? bug(`no operand ${index}`);
    if (operand.kind === 'reg') {
      if (operand.class !== 'gpr' && operand.class !== 'xmm' && operand.class !== 'seg')
        return bug(`a row reads a ${operand.class} register`);
      this.#slot(index);
      const at = operand.class === 'gpr' ? GPR : operand.class === 'xmm' ? XMM : SEGMENT_SELECTOR;
      return f.load(narrowLoad(width), at);
    }
    if (operand.kind !== 'imm' && operand.kind !== 'rel') return bug(`operand ${index} is ${operand.kind}`);
    f.get(this.#at.entry);
    f.load(narrowLoad(width), ENTRY.immediate);
  }

  /** base + the byte of the entry that says which register the operand is. */
  #slot(index: number): void {
    const f = this.#f;
    f.get(this.#at.base);
    f.get(this.#at.entry);
    f.load('i32_8u', ENTRY.operand + index);
    f.op(OP.i32.add);
  }

  #register(index: number): Operand & { kind: 'reg' } {
    const operand = this.#decoded.operands[index];
    return operand?.kind === 'reg' ? operand : bug(`operand ${index} is no register`);
  }

  #memory(index: number): MemoryOperand {
    const operand = this.#decoded.operands[index];
    return operand?.kind === 'mem' ? operand : bug(`operand ${index} is no memory operand`);
  }

  /** The effective address, wrapped to the address size, as i64. */
  #offset(m: MemoryOperand): void {
    const f = this.#f;
    if (isWideOffset(this.#decoded, m)) {
      f.get(this.#at.entry);
      return f.load('i64', ENTRY.immediate);
    }
    if (hasFixedMemory(this.#decoded)) {
      if (m.base < 0 || m.index >= 0 || m.disp !== 0n)
        bug(`${this.#decoded.row.name} has two memory operands that are not [rSI] and [rDI]`);
      f.get(this.#at.base);
      f.load(m.addressSize === 64 ? 'i64' : m.addressSize === 32 ? 'i32' : 'i32_16u', GPR + 8 * m.base);
      if (m.addressSize !== 64) f.op(OP.i64.extend_i32_u);
      return;
    }
    if (m.addressSize === 64) {
      f.get(this.#at.entry);
      f.load('i64_32s', ENTRY.displacement);
    } else {
      f.get(this.#at.entry);
      f.load('i32', ENTRY.displacement);
    }
    const wide = m.addressSize === 64;
    const add = wide ? OP.i64.add : OP.i32.add;
    const register = (field: number) => {
      f.get(this.#at.base);
      f.get(this.#at.entry);
      f.load('i32_8u', field);
      f.op(OP.i32.add);
      f.load(wide ? 'i64' : 'i32', GPR);
    };
    if (m.ripRelative) {
      this.rip(ENTRY.next);
      if (!wide) f.op(OP.i32.wrap_i64);
      f.op(add);
    }
    if (m.base >= 0) {
      register(ENTRY.base);
      f.op(add);
    }
    if (m.index >= 0) {
      register(ENTRY.index);
      f.get(this.#at.entry);
      if (wide) f.load('i64_8u', ENTRY.scale);
      else f.load('i32_8u', ENTRY.scale);
      f.op(wide ? OP.i64.shl : OP.i32.shl, add);
    }
    if (wide) return;
    if (m.addressSize === 16) {
      f.i32(0xffff);
      f.op(OP.i32.and);
    }
    f.op(OP.i64.extend_i32_u);
  }
}
