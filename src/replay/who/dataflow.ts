/**
 * Where the bytes come from that an instruction writes: its meaning, as terms (machine/isa), read byte by byte. What only moves bytes (moves, extensions, lanes,
 * byte swaps, shifts by whole bytes, masks of whole bytes, a condition that chose one of two) keeps their origin; everything else is *computed* from what its term
 * looks at.
 *
 *     const flow = new Dataflow(decoded, cpu);
 *     flow.stored(0x1000n)                       // { kind: 'register', file: 'gpr', index: 0, byte: 2 }: of MOV [0x0ffe], EAX
 *     flow.written({ file: 'gpr', index: 1 }, 0)  // null: the instruction leaves CL as it was
 *
 * Of a repeated string instruction it is one iteration. An instruction that helpers do (HELPERS) has `helper`, and what it writes comes from the system, but
 * for FXSAVE and FXRSTOR, which copy.
 */
import { bug } from '../../machine/isa/bug.ts';
import { compute } from '../../machine/isa/compute.ts';
import type { Decoded } from '../../machine/isa/decode.ts';
import type { Effect, SegmentRef, Write } from '../../machine/isa/dsl.ts';
import { effectOf } from '../../machine/isa/effect.ts';
import { FLAG_BIT } from '../../machine/isa/flags.ts';
import { HELPERS, type HelperName } from '../../machine/isa/helpers.ts';
import type { MemoryOperand, Operand } from '../../machine/isa/operands.ts';
import { isFloatOp } from '../../machine/isa/ops.ts';
import { GPR64, RCX, SEGMENTS } from '../../machine/isa/registers.ts';
import type { Source, Term } from '../../machine/isa/term.ts';
import type { CpuView } from './cpu-view.ts';

/** A register whose bytes are followed. */
export interface RegisterId {
  readonly file: 'gpr' | 'xmm';
  readonly index: number;
}

/** Where one byte comes from. */
export type Origin =
  | (RegisterId & { readonly kind: 'register'; readonly byte: number })
  /** A load; the byte's linear address. */
  | { readonly kind: 'memory'; readonly linear: bigint }
  /** Stands in the instruction, or follows from where it stands. `value`: the byte. */
  | { readonly kind: 'constant'; readonly what: 'immediate' | 'return address' | 'zero-extension' | 'cleared'; readonly value: number }
  /** Neither register nor memory: RFLAGS, a selector, CR3, a port … */
  | { readonly kind: 'system'; readonly what: string }
  | { readonly kind: 'computed'; readonly from: Computation };

/** What a term looks at. */
export interface Computation {
  readonly registers: readonly (RegisterId & { readonly low: number; readonly length: number })[];
  readonly memory: readonly { readonly linear: bigint; readonly length: number }[];
  readonly system: readonly string[];
  readonly immediates: readonly bigint[];
}

/** A store step: bytes to memory. */
export interface StoreOf {
  readonly linear: bigint;
  readonly length: number;
  readonly value: Term;
}

const FXSAVE_XMM = 160;
const mask = (width: number): bigint => (1n << BigInt(width)) - 1n;

export class Dataflow {
  readonly decoded: Decoded;
  readonly helper: HelperName | null;
  readonly stores: readonly StoreOf[];
  /** Loads by their step. */
  readonly loads: ReadonlyMap<number, { readonly linear: bigint; readonly length: number }>;
  readonly #cpu: CpuView;
  readonly #effect: Effect;
  /** A repeated instruction whose count is zero does nothing. */
  readonly #isIdle: boolean;
  readonly #values = new Map<Term, bigint>();
  readonly #origins = new Map<Term, readonly Origin[]>();
  readonly #computations = new Map<Term, Origin>();

  constructor(decoded: Decoded, cpu: CpuView) {
    this.decoded = decoded;
    this.#cpu = cpu;
    this.#effect = effectOf(decoded);
    this.helper = this.#effect.helper;
    this.#isIdle = decoded.rep !== 'none' && (cpu.gpr(RCX) & mask(decoded.addressSize)) === 0n;
    const stores: StoreOf[] = [];
    const loads = new Map<number, { linear: bigint; length: number }>();
    this.stores = stores;
    this.loads = loads;
    if (this.#isIdle) return;
    for (const [step, each] of this.#effect.steps.entries()) {
      if (each.kind === 'load') loads.set(step, { linear: this.#linear(each.segment, each.offset), length: each.width / 8 });
      if (each.kind === 'store')
        stores.push({ linear: this.#linear(each.segment, each.offset), length: each.value.width / 8, value: each.value });
    }
  }

  /** Where the byte comes from that the instruction leaves at a linear address; null: it stores none there. */
  stored(linear: bigint): Origin | null {
    const store = this.stores.findLast((each) => holds(each, linear));
    if (store !== undefined) return this.#bytes(store.value)[Number(linear - store.linear)] ?? bug('a store is longer than its value');
    if (this.helper === null) return null;
    if (this.helper === 'FXSAVE') {
      const offset = Number(linear - this.#operandAddress(0)) - FXSAVE_XMM;
      if (offset >= 0 && offset < 256) return { kind: 'register', file: 'xmm', index: offset >> 4, byte: offset & 15 };
    }
    return this.#system(this.helper);
  }

  /** Where a byte of a register comes from that the instruction leaves there; null: it writes none. */
  written(register: RegisterId, byte: number): Origin | null {
    if (this.#isIdle) return null;
    const { helper, decoded } = this;
    if (helper === 'FXRSTOR' && register.file === 'xmm')
      return { kind: 'memory', linear: this.#operandAddress(0) + BigInt(FXSAVE_XMM + 16 * register.index + byte) };
    if (helper !== null)
      return register.file === 'gpr' && helperRegisters(helper, decoded).includes(register.index) ? this.#system(helper) : null;
    // The last write counts: POP RSP ends with what was popped.
    for (const write of this.#effect.writes.toReversed()) {
      const origin = this.#writtenBy(write, register, byte);
      if (origin !== null) return origin;
    }
    if (decoded.rep !== 'none' && register.file === 'gpr' && register.index === RCX && byte < bytesWritten(decoded.addressSize))
      return this.#computedFrom([{ file: 'gpr', index: RCX, low: 0, length: decoded.addressSize / 8 }]);
    return null;
  }

  #writtenBy({ target, value, when }: Write, register: RegisterId, byte: number): Origin | null {
    const place = placeOf(target, this.decoded, value.width);
    if (place === null || place.file !== register.file || place.index !== register.index) return null;
    const at = byte - place.low;
    if (at < 0 || at >= place.length || (when !== null && this.#value(when) !== 1n)) return null;
    return this.#bytes(value)[at] ?? { kind: 'constant', what: 'zero-extension', value: 0 };
  }

  // ---- Origins of terms -------------------------------------------------------------------------------------------------------------------

  /** Of a term of whole bytes, the lowest first. */
  #bytes(term: Term): readonly Origin[] {
    const known = this.#origins.get(term);
    if (known !== undefined) return known;
    const made = this.#moved(term) ?? Array.from({ length: term.width / 8 }, () => this.#computed(term));
    this.#origins.set(term, made);
    return made;
  }

  /** Null: the term does more than to move bytes. */
  #moved(term: Term): readonly Origin[] | null {
    const { op, width, args, lo } = term;
    const [first, second, third] = args;
    const length = width / 8;
    if (op === 'const') return bytesOf(term.value, length).map((value) => ({ kind: 'constant', what: 'immediate', value }));
    if (op === 'input') return this.#input(term.source ?? bug('an input without source'), length);
    if (first === undefined || first.width % 8 !== 0) return op === 'ite' ? this.#chosen(first, second, third) : null;
    switch (op) {
      case 'trunc':
        return this.#bytes(first).slice(0, length);
      case 'extract':
        return lo % 8 === 0 ? this.#bytes(first).slice(lo / 8, lo / 8 + length) : null;
      case 'zext':
        return [...this.#bytes(first), ...zeros(length - first.width / 8, 'zero-extension')];
      case 'sext': {
        const low = this.#bytes(first);
        // A copy of the sign bit says less than the byte that it comes from, and comes from there.
        return [...low, ...Array.from({ length: length - low.length }, () => this.#computed(first))];
      }
      case 'concat':
        return args.every((part) => part.width % 8 === 0) ? args.toReversed().flatMap((part) => this.#bytes(part)) : null;
      case 'bswap':
        return this.#bytes(first).toReversed();
      case 'shl':
      case 'lshr':
        return second === undefined ? null : this.#shifted(op, this.#bytes(first), this.#known(second));
      case 'and':
      case 'or':
      case 'xor':
      case 'sub':
        return second === undefined ? null : this.#masked(op, term, first, second);
      default:
        return null;
    }
  }

  #chosen(condition: Term | undefined, then: Term | undefined, otherwise: Term | undefined): readonly Origin[] | null {
    const value = condition === undefined ? null : this.#known(condition);
    const chosen = value === 1n ? then : otherwise;
    return value === null || chosen === undefined ? null : this.#bytes(chosen);
  }

  #shifted(op: 'shl' | 'lshr', bytes: readonly Origin[], count: bigint | null): readonly Origin[] | null {
    if (count === null || count % 8n !== 0n) return null;
    const by = Math.min(Number(count / 8n), bytes.length);
    const empty = zeros(by, 'cleared');
    return op === 'shl' ? [...empty, ...bytes.slice(0, bytes.length - by)] : [...bytes.slice(by), ...empty];
  }

  /** Bytes that a constant keeps, clears or sets; and a register with itself, which gives zeros. */
  #masked(op: 'and' | 'or' | 'xor' | 'sub', term: Term, first: Term, second: Term): readonly Origin[] | null {
    const [left, right] = [this.#bytes(first), this.#bytes(second)];
    if ((op === 'xor' || op === 'sub') && left.every((each, i) => each.kind === 'register' && isSame(each, right[i])))
      return zeros(left.length, 'cleared');
    if (op === 'sub') return null;
    return left.map((a, i) => {
      const b = right[i] ?? bug('operands of different widths');
      return keptBy(op, b, a) ?? keptBy(op, a, b) ?? this.#computed(term);
    });
  }

  #input(source: Source, length: number): readonly Origin[] | null {
    const register = (file: 'gpr' | 'xmm', index: number, low: number): Origin[] =>
      Array.from({ length }, (_, byte) => ({ kind: 'register', file, index, byte: low + byte }));
    switch (source.kind) {
      case 'operand': {
        const operand = this.#operand(source.index);
        if (operand.kind === 'imm' || operand.kind === 'rel')
          return bytesOf(BigInt.asUintN(8 * length, operand.value), length).map((value) => ({
            kind: 'constant',
            what: 'immediate',
            value,
          }));
        if (operand.kind !== 'reg') return bug(`an operand of kind ${operand.kind} has no value`);
        if (operand.class === 'gpr' || operand.class === 'xmm') return register(operand.class, operand.index, operand.high ? 1 : 0);
        return this.#systemBytes(operandName(operand), length);
      }
      case 'offset': {
        const origin: Origin = this.#computedFrom(this.#addressRegisters(source.index));
        return Array.from({ length }, () => origin);
      }
      case 'gpr':
        return register('gpr', source.index, 0);
      case 'xmm':
        return register('xmm', source.index, 0);
      case 'loaded':
        return this.#loaded(source.step, length);
      case 'rip':
      case 'nextRip':
        return bytesOf(this.#source(source, 8 * length), length).map((value) => ({ kind: 'constant', what: 'return address', value }));
      case 'segmentBase':
        return this.#systemBytes(`the base of ${SEGMENTS[source.segment]}`, length);
      case 'special':
        return this.#systemBytes(source.name.toUpperCase(), length);
      case 'flag':
        return null;
    }
  }

  /** A load sees what earlier stores of the same instruction wrote. */
  #loaded(step: number, length: number): readonly Origin[] {
    const { linear } = this.loads.get(step) ?? bug(`step ${step} is no load`);
    return Array.from({ length }, (_, i): Origin => {
      const at = linear + BigInt(i);
      const store = this.#effect.steps.slice(0, step).findLast((each) => {
        return each.kind === 'store' && holds({ linear: this.#linear(each.segment, each.offset), length: each.value.width / 8 }, at);
      });
      if (store?.kind !== 'store') return { kind: 'memory', linear: at };
      return this.#bytes(store.value)[Number(at - this.#linear(store.segment, store.offset))] ?? bug('a store is longer than its value');
    });
  }

  #system(helper: HelperName): Origin {
    return {
      kind: 'system',
      what: HELPERS[helper].reads === '-' ? this.decoded.row.name : `${this.decoded.row.name} (${HELPERS[helper].reads})`,
    };
  }

  #systemBytes(what: string, length: number): Origin[] {
    return Array.from({ length }, () => ({ kind: 'system', what }));
  }

  /** Everything that a term looks at. */
  #computed(term: Term): Origin {
    const known = this.#computations.get(term);
    if (known !== undefined) return known;
    const inputs = new Set<Term>();
    collect(term, inputs);
    const registers = new Map<string, Computation['registers'][number]>();
    const memory: { linear: bigint; length: number }[] = [];
    const system = new Set<string>();
    const immediates: bigint[] = [];
    const add = (register: Computation['registers'][number]) =>
      registers.set(`${register.file}${register.index}.${register.low}.${register.length}`, register);
    for (const { source, width } of inputs) {
      if (source === null) continue;
      if (source.kind === 'loaded') memory.push(this.loads.get(source.step) ?? bug(`step ${source.step} is no load`));
      else if (source.kind === 'flag') system.add(source.flag.toUpperCase());
      else if (source.kind === 'offset') for (const each of this.#addressRegisters(source.index)) add(each);
      else if (source.kind === 'gpr' || source.kind === 'xmm') add({ file: source.kind, index: source.index, low: 0, length: width / 8 });
      else if (source.kind === 'operand') {
        const operand = this.#operand(source.index);
        if (operand.kind === 'imm' || operand.kind === 'rel') immediates.push(operand.value);
        else if (operand.kind === 'reg' && (operand.class === 'gpr' || operand.class === 'xmm'))
          add({ file: operand.class, index: operand.index, low: operand.high ? 1 : 0, length: width / 8 });
        else if (operand.kind === 'reg') system.add(operandName(operand));
      } else if (source.kind === 'special') system.add(source.name.toUpperCase());
      else if (source.kind === 'segmentBase') system.add(`the base of ${SEGMENTS[source.segment]}`);
    }
    const made: Origin = { kind: 'computed', from: { registers: [...registers.values()], memory, system: [...system], immediates } };
    this.#computations.set(term, made);
    return made;
  }

  #computedFrom(registers: Computation['registers']): Origin {
    return { kind: 'computed', from: { registers, memory: [], system: [], immediates: [] } };
  }

  #addressRegisters(index: number): Computation['registers'] {
    const operand = this.#operand(index);
    if (operand.kind !== 'mem') return bug('the offset of an operand that is not memory');
    const length = operand.addressSize / 8;
    return [operand.base, operand.index].filter((each) => each >= 0).map((each) => ({ file: 'gpr', index: each, low: 0, length }));
  }

  // ---- Values of terms --------------------------------------------------------------------------------------------------------------------

  /** Null where a floating-point operation would have to be done: whatever hangs on it counts as computed. */
  #known(term: Term): bigint | null {
    return hasFloat(term) ? null : this.#value(term);
  }

  #value(term: Term): bigint {
    const known = this.#values.get(term);
    if (known !== undefined) return known;
    const value = this.#evaluate(term);
    this.#values.set(term, value);
    return value;
  }

  #evaluate({ op, width, args, lo, value, source }: Term): bigint {
    if (op === 'const') return value;
    if (op === 'input') return this.#source(source ?? bug('an input without source'), width);
    if (op === 'fstatus' || isFloatOp(op)) return bug(`a ${op} decides what an instruction writes, or where`);
    const [condition, then, otherwise] = args;
    if (op === 'ite' && condition !== undefined && then !== undefined && otherwise !== undefined)
      return this.#value(this.#value(condition) === 1n ? then : otherwise);
    return compute(
      op,
      width,
      args.map((each) => this.#value(each)),
      args.map((each) => each.width),
      lo,
    );
  }

  #source(source: Source, width: number): bigint {
    const cpu = this.#cpu;
    const { rip, rflags } = cpu.registers;
    switch (source.kind) {
      case 'operand': {
        const operand = this.#operand(source.index);
        if (operand.kind === 'imm' || operand.kind === 'rel') return BigInt.asUintN(width, operand.value);
        if (operand.kind !== 'reg') return bug(`an operand of kind ${operand.kind} has no value`);
        if (operand.class === 'gpr') return (cpu.gpr(operand.index) >> (operand.high ? 8n : 0n)) & mask(width);
        if (operand.class === 'xmm') return cpu.xmm(operand.index) & mask(width);
        return operand.class === 'seg' ? cpu.special(SEGMENTS[operand.index] ?? bug('segment register')) : 0n;
      }
      case 'offset': {
        const operand = this.#operand(source.index);
        return operand.kind === 'mem' ? this.#offset(operand) : bug('the offset of an operand that is not memory');
      }
      case 'gpr':
        return cpu.gpr(source.index) & mask(width);
      case 'xmm':
        return cpu.xmm(source.index) & mask(width);
      case 'flag':
        return (rflags >> BigInt(FLAG_BIT[source.flag])) & 1n;
      case 'loaded': {
        const { linear, length } = this.loads.get(source.step) ?? bug(`step ${source.step} is no load`);
        return cpu.load(linear, length) & mask(width);
      }
      case 'rip':
        return rip & mask(width);
      case 'nextRip':
        return (rip + BigInt(this.decoded.length)) & mask(Math.min(width, this.decoded.mode === 64 ? 64 : 32));
      case 'segmentBase':
        return cpu.segmentBase(source.segment);
      case 'special':
        return cpu.special(source.name) & mask(width);
    }
  }

  // ---- Addresses --------------------------------------------------------------------------------------------------------------------------

  #operand(index: number): Operand {
    return this.decoded.operands[index] ?? bug(`${this.decoded.row.name} has no operand ${index}`);
  }

  #offset({ disp, ripRelative, base, index, scale, addressSize }: MemoryOperand): bigint {
    let sum = disp;
    if (ripRelative) sum += this.#source({ kind: 'nextRip' }, 64);
    if (base >= 0) sum += this.#cpu.gpr(base);
    if (index >= 0) sum += this.#cpu.gpr(index) * BigInt(scale);
    return sum & mask(addressSize);
  }

  #operandAddress(index: number): bigint {
    const operand = this.#operand(index);
    if (operand.kind !== 'mem') return bug('the address of an operand that is not memory');
    return this.#inSegment(operand.segment, this.#offset(operand));
  }

  #linear(ref: SegmentRef, offset: Term): bigint {
    const operand = ref.kind === 'operand' ? this.#operand(ref.index) : null;
    const segment =
      ref.kind === 'fixed' ? ref.segment : operand?.kind === 'mem' ? operand.segment : bug('the segment of no memory operand');
    return this.#inSegment(segment, this.#value(offset));
  }

  #inSegment(segment: MemoryOperand['segment'], offset: bigint): bigint {
    if (this.decoded.mode !== 64) return (this.#cpu.segmentBase(segment) + offset) & 0xffff_ffffn;
    return segment >= 4 ? (offset + this.#cpu.segmentBase(segment)) & mask(64) : offset;
  }
}

/** Bytes of a register that an instruction may write, whatever the values: a bit each, the lowest first. */
export function mayWrite(decoded: Decoded, { file, index }: RegisterId): number {
  const effect = effectOf(decoded);
  if (effect.helper !== null) {
    if (file === 'xmm') return effect.helper === 'FXRSTOR' ? 0xffff : 0;
    return helperRegisters(effect.helper, decoded).includes(index) ? 0xff : 0;
  }
  let bits = decoded.rep !== 'none' && file === 'gpr' && index === RCX ? (1 << bytesWritten(decoded.addressSize)) - 1 : 0;
  for (const { target, value } of effect.writes) {
    const place = placeOf(target, decoded, value.width);
    if (place?.file === file && place.index === index) bits |= ((1 << place.length) - 1) << place.low;
  }
  return bits;
}

/** Which bytes of which register a write goes to; null: to none that is followed. 32 bits to a general register clear the others. */
function placeOf(
  target: Write['target'],
  decoded: Decoded,
  width: number,
): (RegisterId & { readonly low: number; readonly length: number }) | null {
  if (target.kind === 'special') return null;
  if (target.kind === 'xmm') return { file: 'xmm', index: target.index, low: 0, length: width / 8 };
  if (target.kind === 'gpr') return { file: 'gpr', index: target.index, low: 0, length: bytesWritten(width) };
  const operand = decoded.operands[target.index];
  if (operand?.kind !== 'reg' || (operand.class !== 'gpr' && operand.class !== 'xmm')) return null;
  if (operand.class === 'xmm') return { file: 'xmm', index: operand.index, low: 0, length: width / 8 };
  return { file: 'gpr', index: operand.index, low: operand.high ? 1 : 0, length: operand.high ? 1 : bytesWritten(width) };
}

function bytesWritten(width: number): number {
  return width === 32 ? 8 : width / 8;
}

/** The general registers that a helper writes, by what `HELPERS` says in the manual's words. */
function helperRegisters(helper: HelperName, decoded: Decoded): readonly number[] {
  const words = HELPERS[helper].writes.match(/\w+/g) ?? [];
  const found = words.flatMap((word) => {
    const name = word.toLowerCase().replace(/^e(?=[a-ds]|bp)/, 'r');
    const index = (GPR64 as readonly string[]).indexOf(name);
    return index < 0 ? [] : [index];
  });
  const [operand] = decoded.operands;
  const isOperand = words.some((word) => word === 'Gv' || word === 'Ry' || word === 'register' || word === 'accumulator');
  if (isOperand && operand?.kind === 'reg' && operand.class === 'gpr') found.push(operand.index);
  return found;
}

function operandName(operand: Operand): string {
  if (operand.kind !== 'reg') return operand.kind;
  return operand.class === 'seg'
    ? (SEGMENTS[operand.index] ?? 'a segment').toUpperCase()
    : `${operand.class}${operand.index}`.toUpperCase();
}

function holds({ linear, length }: { readonly linear: bigint; readonly length: number }, at: bigint): boolean {
  return at >= linear && at < linear + BigInt(length);
}

function bytesOf(value: bigint, length: number): number[] {
  return Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
}

function zeros(length: number, what: 'zero-extension' | 'cleared'): Origin[] {
  return Array.from({ length }, () => ({ kind: 'constant', what, value: 0 }));
}

function isSame(a: Origin, b: Origin | undefined): boolean {
  return a.kind === 'register' && b?.kind === 'register' && a.file === b.file && a.index === b.index && a.byte === b.byte;
}

/** What `op` with the constant byte `by` leaves of `other`; null: something else than a byte moved, set or cleared. */
function keptBy(op: 'and' | 'or' | 'xor', by: Origin, other: Origin): Origin | null {
  if (by.kind !== 'constant') return null;
  if (by.value === 0) return op === 'and' ? { kind: 'constant', what: 'cleared', value: 0 } : other;
  if (by.value === 0xff && op !== 'xor') return op === 'and' ? other : by;
  return null;
}

function collect(term: Term, into: Set<Term>, seen = new Set<Term>()): void {
  if (seen.has(term)) return;
  seen.add(term);
  if (term.op === 'input') into.add(term);
  for (const each of term.args) collect(each, into, seen);
}

function hasFloat(term: Term): boolean {
  return term.op === 'fstatus' || isFloatOp(term.op) || term.args.some(hasFloat);
}
