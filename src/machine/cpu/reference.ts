/**
 * The reference evaluator: executes instructions on BigInts by reading rows of the table and nothing else. It is slow, and it is the
 * in-house judge of the interpreter and of generated code; the silicon judges it.
 *
 *     const evaluator = new ReferenceEvaluator();
 *     const result = evaluator.execute(cpu, decoded);      // 'done' | 'again' (REP goes on) | Fault
 *
 * The processor that it works on is an interface (`ReferenceCpu`): registers as BigInts, memory by linear address.
 */
import { bug } from '../isa/bug.ts';
import { compute } from '../isa/compute.ts';
import type { Decoded } from '../isa/decode.ts';
import type { Effect, FaultStep, FlagWrites, SegmentRef, Step, Target, Write } from '../isa/dsl.ts';
import { effectOf, guardSteps } from '../isa/effect.ts';
import { FLAG_BIT, FLAGS, type Flag } from '../isa/flags.ts';
import { computeFloat } from '../isa/float.ts';
import type { HelperName } from '../isa/helpers.ts';
import type { MemoryOperand, Operand } from '../isa/operands.ts';
import { isFloatOp } from '../isa/ops.ts';
import { RCX, type SegmentIndex, SS } from '../isa/registers.ts';
import type { Source, Special, Term } from '../isa/term.ts';

/** A guest fault: a value, not an error. `cr2` of page faults only. */
export interface Fault {
  readonly vector: number;
  readonly code: number | null;
  readonly cr2?: bigint;
}

export interface ReferenceCpu {
  /** Canonical RFLAGS. */
  rflags: bigint;
  /** Offset of the current instruction in CS. */
  rip: bigint;
  readGpr(index: number): bigint;
  writeGpr(index: number, value: bigint): void;
  /** 128 bits. */
  readXmm(index: number): bigint;
  writeXmm(index: number, value: bigint): void;
  readSpecial(name: Special): bigint;
  writeSpecial(name: Special, value: bigint): void;
  segmentBase(segment: SegmentIndex): bigint;
  /** Outside 64-bit mode: limit and type of the segment. null: all is well. */
  checkSegment(segment: SegmentIndex, offset: bigint, bytes: number, write: boolean): Fault | null;
  /** Little-endian. `write`: the access needs write rights too (read-modify-write). */
  load(linear: bigint, bytes: number, write: boolean): bigint | Fault;
  /** Would a store succeed? */
  probe(linear: bigint, bytes: number): Fault | null;
  /** After a successful probe. */
  store(linear: bigint, bytes: number, value: bigint): void;
  /** Runs a helper; RIP is that of the instruction, and is to be `nextRip` afterwards unless the helper transfers control. */
  helper(name: HelperName, decoded: Decoded, nextRip: bigint): Fault | null;
}

/** What the manual leaves undefined in the instruction executed last. */
export interface Undefined {
  /** RFLAGS bits written, but with a value that the manual leaves open. */
  flags: number;
  /** RFLAGS bits written with a defined value. */
  defined: number;
  /** A register or memory operand. */
  value: boolean;
}

interface Node {
  readonly term: Term;
  readonly args: readonly number[];
  readonly widths: readonly number[];
}

/** An effect with its terms numbered, each after its operands. */
class Program {
  readonly effect: Effect;
  readonly nodes: Node[] = [];
  readonly guard: readonly FaultStep[];
  private readonly numbers = new Map<Term, number>();

  constructor(effect: Effect) {
    this.effect = effect;
    this.guard = guardSteps(effect.guard);
  }
  number(term: Term): number {
    const known = this.numbers.get(term);
    if (known !== undefined) return known;
    const args = term.args.map((a) => this.number(a));
    const n = this.nodes.length;
    this.nodes.push({ term, args, widths: term.args.map((a) => a.width) });
    this.numbers.set(term, n);
    return n;
  }
}

interface Access {
  readonly linear: bigint;
  readonly bytes: number;
  readonly value: bigint;
}

const isFault = (x: unknown): x is Fault => typeof x === 'object' && x !== null;
const mask = (bits: number): bigint => (1n << BigInt(bits)) - 1n;
const isCanonical = (address: bigint): boolean => {
  const top = address >> 47n;
  return top === 0n || top === 0x1ffffn;
};

export class ReferenceEvaluator {
  private readonly programs = new Map<number | string, Program>();

  /** The effect of an instruction of this shape (cached). */
  effect(decoded: Decoded): Effect {
    return this.program(decoded).effect;
  }

  private program(decoded: Decoded): Program {
    const sizes = (decoded.mode >> 5) * 9 + (decoded.operandSize >> 5) * 3 + (decoded.addressSize >> 5);
    let forms = 0;
    for (const o of decoded.operands) forms = forms * 2 + (o.kind === 'mem' ? 1 : 0);
    let key: number | string = ((decoded.encoding.id * 27 + sizes) * 8 + decoded.segment) * 8 + forms;
    if (decoded.row.byImmediate === true) {
      for (const o of decoded.operands) key = `${key},${o.kind === 'imm' ? o.value : o.kind === 'mem' ? o.base : ''}`;
    }
    const known = this.programs.get(key);
    if (known !== undefined) return known;
    const made = new Program(effectOf(decoded));
    this.programs.set(key, made);
    return made;
  }

  /**
   * Executes one instruction, or one iteration of a repeated one. A fault leaves the processor as it was. 'again': RIP stays, the
   * next iteration is due. `undefined`: filled with what the manual leaves open.
   */
  execute(cpu: ReferenceCpu, decoded: Decoded, unsure?: Undefined): 'done' | 'again' | Fault {
    if (decoded.rep !== 'none') return this.iterate(cpu, decoded, unsure);
    return new Execution(cpu, decoded, this.program(decoded)).run(unsure) ?? 'done';
  }

  private iterate(cpu: ReferenceCpu, decoded: Decoded, unsure: Undefined | undefined): 'done' | 'again' | Fault {
    const size = decoded.addressSize;
    const count = cpu.readGpr(RCX) & mask(size);
    const rip = cpu.rip;
    if (count === 0n) {
      cpu.rip = nextRip(cpu, decoded);
      return 'done';
    }
    const fault = new Execution(cpu, decoded, this.program(decoded)).run(unsure);
    if (fault !== null) return fault;
    writePart(cpu, RCX, count - 1n, size);
    const zf = (cpu.rflags >> 6n) & 1n;
    const more = count - 1n !== 0n && (decoded.rep === 'count' || (decoded.rep === 'zero' ? zf === 1n : zf === 0n));
    if (more) cpu.rip = rip;
    return more ? 'again' : 'done';
  }
}

function nextRip(cpu: ReferenceCpu, decoded: Decoded): bigint {
  return (cpu.rip + BigInt(decoded.length)) & mask(decoded.mode === 64 ? 64 : 32);
}

/** A write of `width` bits to a general register: 32 clear the upper half, fewer keep the rest. */
function writePart(cpu: ReferenceCpu, index: number, value: bigint, width: number): void {
  if (width >= 32) cpu.writeGpr(index, value & mask(width));
  else cpu.writeGpr(index, (cpu.readGpr(index) & (mask(64) ^ mask(width))) | (value & mask(width)));
}

/** One run of one program. */
class Execution {
  private readonly cpu: ReferenceCpu;
  private readonly decoded: Decoded;
  private readonly program: Program;
  private readonly values: (bigint | undefined)[] = [];
  private readonly loaded: bigint[] = [];
  private readonly stores: Access[] = [];
  private readonly nextRip: bigint;

  constructor(cpu: ReferenceCpu, decoded: Decoded, program: Program) {
    this.cpu = cpu;
    this.decoded = decoded;
    this.program = program;
    this.nextRip = nextRip(cpu, decoded);
  }

  run(unsure: Undefined | undefined): Fault | null {
    const { effect, guard } = this.program;
    for (const step of guard) {
      const fault = this.fault(step);
      if (fault !== null) return fault;
    }
    let i = 0;
    for (const step of effect.steps) {
      const fault = this.step(i++, step);
      if (fault !== null) return fault;
    }
    if (effect.helper !== null) return this.cpu.helper(effect.helper, this.decoded, this.nextRip);
    const target = this.target();
    if (isFault(target)) return target;
    // All terms speak of the state before: evaluate everything, then commit.
    const writes = effect.writes.map((w) => this.prepare(w));
    const flags = this.flags(effect.flags);
    if (unsure !== undefined) this.noteUndefined(unsure);
    for (const s of this.stores) this.cpu.store(s.linear, s.bytes, s.value);
    for (const w of writes) if (w.value !== null) this.commit(w.target, w.value, w.width);
    this.cpu.rflags = (this.cpu.rflags & ~flags.mask) | flags.value;
    this.cpu.rip = target;
    return null;
  }

  private eval(term: Term): bigint {
    return this.node(this.program.number(term));
  }

  private node(n: number): bigint {
    const known = this.values[n];
    if (known !== undefined) return known;
    const node = this.program.nodes[n] ?? bug(`no node ${n}`);
    const value = this.compute(node);
    this.values[n] = value;
    return value;
  }

  private compute({ term, args, widths }: Node): bigint {
    const { op, width } = term;
    if (op === 'const') return term.value;
    if (op === 'input') return this.input(term.source ?? bug('an input without source'), width);
    if (op === 'fstatus') return BigInt(this.float(this.program.nodes[args[0] ?? -1] ?? bug('fstatus of nothing')).status);
    if (isFloatOp(op)) return this.float({ term, args, widths }).value;
    // Only the branch taken is evaluated: the other may speak of something that is not there.
    if (op === 'ite') return this.node((this.node(args[0] ?? -1) === 1n ? args[1] : args[2]) ?? -1);
    const values: bigint[] = [];
    for (const a of args) values.push(this.node(a));
    return compute(op, width, values, widths, term.lo);
  }

  private float({ term, args, widths }: Node) {
    const values = args.map((a) => this.node(a));
    const mxcsr = values.pop() ?? bug(`${term.op} without MXCSR`);
    return isFloatOp(term.op)
      ? computeFloat(term.op, term.width, values, widths.slice(0, -1), Number(mxcsr))
      : bug(`${term.op} is not a floating-point operation`);
  }

  private input(source: Source, width: number): bigint {
    const { cpu } = this;
    switch (source.kind) {
      case 'operand':
        return this.operand(this.decoded.operands[source.index] ?? bug('operand'), width);
      case 'offset': {
        const o = this.decoded.operands[source.index];
        return o?.kind === 'mem' ? this.offset(o) : bug('offset of an operand that is not memory');
      }
      case 'gpr':
        return cpu.readGpr(source.index) & mask(width);
      case 'xmm':
        return cpu.readXmm(source.index) & mask(width);
      case 'flag':
        return (cpu.rflags >> BigInt(FLAG_BIT[source.flag])) & 1n;
      case 'loaded':
        return this.loaded[source.step] ?? bug(`step ${source.step} has not loaded`);
      case 'rip':
        return cpu.rip;
      case 'nextRip':
        return this.nextRip;
      case 'segmentBase':
        return cpu.segmentBase(source.segment);
      case 'special':
        return cpu.readSpecial(source.name) & mask(width);
    }
  }

  private operand(o: Operand, width: number): bigint {
    if (o.kind === 'imm' || o.kind === 'rel') return BigInt.asUintN(width, o.value);
    if (o.kind !== 'reg') return bug(`an operand of kind ${o.kind} has no value`);
    if (o.class === 'xmm') return this.cpu.readXmm(o.index) & mask(width);
    if (o.class === 'gpr') return (this.cpu.readGpr(o.index) >> (o.high ? 8n : 0n)) & mask(width);
    if (o.class === 'seg') return this.cpu.readSpecial((['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const)[o.index] ?? bug('segment register'));
    return bug(`a row reads ${o.class}${o.index} as a value`);
  }

  /** Effective address, wrapped to the address size. */
  private offset(m: MemoryOperand): bigint {
    let sum = m.disp;
    if (m.ripRelative) sum += this.nextRip;
    if (m.base >= 0) sum += this.cpu.readGpr(m.base);
    if (m.index >= 0) sum += this.cpu.readGpr(m.index) * BigInt(m.scale);
    return sum & mask(m.addressSize);
  }

  private segment(ref: SegmentRef): SegmentIndex {
    if (ref.kind === 'fixed') return ref.segment;
    const o = this.decoded.operands[ref.index];
    return o?.kind === 'mem' ? o.segment : bug('the segment of an operand that is not memory');
  }

  /** segment:[offset] → linear address, with the checks of the mode. */
  private linear(ref: SegmentRef, offset: bigint, bytes: number, write: boolean, align: number): bigint | Fault {
    const segment = this.segment(ref);
    if (this.decoded.mode !== 64) {
      const fault = this.cpu.checkSegment(segment, offset, bytes, write);
      if (fault !== null) return fault;
      const linear = (this.cpu.segmentBase(segment) + offset) & 0xffffffffn;
      return align > 1 && linear % BigInt(align) !== 0n ? { vector: 13, code: 0 } : linear;
    }
    const linear = segment >= 4 ? (offset + this.cpu.segmentBase(segment)) & mask(64) : offset;
    const last = (linear + BigInt(bytes - 1)) & mask(64);
    if (!isCanonical(linear) || !isCanonical(last)) return { vector: segment === SS ? 12 : 13, code: 0 };
    return align > 1 && linear % BigInt(align) !== 0n ? { vector: 13, code: 0 } : linear;
  }

  private step(i: number, step: Step): Fault | null {
    if (step.kind === 'fault') return this.fault(step);
    const offset = this.eval(step.offset);
    if (step.kind === 'load') {
      const bytes = step.width / 8;
      const linear = this.linear(step.segment, offset, bytes, step.write, step.align);
      if (isFault(linear)) return linear;
      const value = this.cpu.load(linear, bytes, step.write);
      if (isFault(value)) return value;
      this.loaded[i] = this.forward(linear, bytes, value);
      return null;
    }
    const bytes = step.value.width / 8;
    const linear = this.linear(step.segment, offset, bytes, true, step.align);
    if (isFault(linear)) return linear;
    const value = this.eval(step.value);
    const fault = this.cpu.probe(linear, bytes);
    if (fault === null) this.stores.push({ linear, bytes, value });
    return fault;
  }

  /** A load sees what earlier stores of the same instruction wrote. */
  private forward(linear: bigint, bytes: number, value: bigint): bigint {
    let result = value;
    for (const s of this.stores) {
      for (let i = 0n; i < bytes; i++) {
        const at = linear + i - s.linear;
        if (at < 0n || at >= s.bytes) continue;
        result = (result & ~(0xffn << (8n * i))) | (((s.value >> (8n * at)) & 0xffn) << (8n * i));
      }
    }
    return result;
  }

  private fault(step: FaultStep): Fault | null {
    if (this.eval(step.when) !== 1n) return null;
    const writes = step.writes.map((w) => this.prepare(w));
    for (const w of writes) if (w.value !== null) this.commit(w.target, w.value, w.width);
    return { vector: step.vector, code: step.code };
  }

  private target(): bigint | Fault {
    const { next } = this.program.effect;
    if (next.kind === 'next') return this.nextRip;
    if (next.kind === 'branch' && this.eval(next.when) === 0n) return this.nextRip;
    const target = this.eval(next.target);
    if (this.decoded.mode === 64) return isCanonical(target) ? target : { vector: 13, code: 0 };
    return this.cpu.checkSegment(1, target, 1, false) === null ? target : { vector: 13, code: 0 };
  }

  private prepare(w: Write): { target: Target; value: bigint | null; width: number } {
    const written = w.when === null || this.eval(w.when) === 1n;
    return { target: w.target, value: written ? this.eval(w.value) : null, width: w.value.width };
  }

  private commit(target: Target, value: bigint, width: number): void {
    const { cpu } = this;
    switch (target.kind) {
      case 'gpr':
        writePart(cpu, target.index, value, width);
        return;
      case 'xmm':
        this.writeXmm(target.index, value, width);
        return;
      case 'special':
        if (target.name === 'rflags') cpu.rflags = value;
        else cpu.writeSpecial(target.name, value);
        return;
      case 'operand': {
        const o = this.decoded.operands[target.index];
        if (o?.kind !== 'reg') bug('a commit to an operand that is not a register');
        else if (o.class === 'xmm') this.writeXmm(o.index, value, width);
        else if (o.high) cpu.writeGpr(o.index, (cpu.readGpr(o.index) & ~0xff00n) | (value << 8n));
        else writePart(cpu, o.index, value, width);
      }
    }
  }

  private writeXmm(index: number, value: bigint, width: number): void {
    const old = this.cpu.readXmm(index);
    this.cpu.writeXmm(index, ((old >> BigInt(width)) << BigInt(width)) | value);
  }

  private flags({ when, values }: FlagWrites): { mask: bigint; value: bigint } {
    let changed = 0n;
    let value = 0n;
    if (when !== null && this.eval(when) === 0n) return { mask: 0n, value: 0n };
    for (const flag of FLAGS) {
      const write = values[flag];
      if (write === undefined) continue;
      changed |= 1n << BigInt(FLAG_BIT[flag]);
      value |= this.eval(write.value) << BigInt(FLAG_BIT[flag]);
    }
    return { mask: changed, value };
  }

  private noteUndefined(unsure: Undefined): void {
    const { effect } = this.program;
    const is = (t: Term | null) => t !== null && this.eval(t) === 1n;
    unsure.flags = 0;
    unsure.defined = 0;
    unsure.value = effect.writes.some((w) => is(w.undefinedIf)) || effect.steps.some((s) => s.kind === 'store' && is(s.undefinedIf));
    if (effect.flags.when !== null && this.eval(effect.flags.when) === 0n) return;
    for (const [flag, write] of Object.entries(effect.flags.values)) {
      const bit = 1 << FLAG_BIT[flag as Flag];
      if (is(write.undefinedIf)) unsure.flags |= bit;
      else unsure.defined |= bit;
    }
  }
}
