/** Shape → effect: runs a row's meaning and collects its steps and commits. */
import { bug } from './bug.ts';
import type {
  Context,
  Effect,
  FaultStep,
  FlagWrite,
  Guard,
  Instruction,
  Next,
  OperandShape,
  SegmentRef,
  Shape,
  Step,
  Uncertain,
  Vector,
  Write,
  WriteOptions,
} from './dsl.ts';
import type { Flag } from './flags.ts';
import type { HelperName } from './helpers.ts';
import type { Width } from './ops.ts';
import { RSP, type SegmentIndex, SS } from './registers.ts';
import { constant, input, one, type Special, type Term, zero } from './term.ts';

const undefinedFlag: FlagWrite = { value: zero, undefinedIf: one };

class Builder implements Context {
  private readonly shape: Shape;
  readonly steps: Step[] = [];
  readonly writes: Write[] = [];
  next: Next = { kind: 'next' };
  helperName: HelperName | null = null;
  private readonly loaded = new Map<number, { term: Term; step: number }>();
  private readonly inputs = new Map<string, Term>();
  /** RSP after the pushes and pops so far; null: none. */
  private sp: Term | null = null;

  constructor(shape: Shape) {
    this.shape = shape;
  }

  get row(): Instruction {
    return this.shape.row;
  }
  get mode() {
    return this.shape.mode;
  }
  get operandSize() {
    return this.shape.operandSize;
  }
  get addressSize() {
    return this.shape.addressSize;
  }
  get rep() {
    return this.shape.rep;
  }
  get segment() {
    return this.shape.segment;
  }
  get operandCount(): number {
    return this.shape.operands.length;
  }
  get dst(): Term {
    return this.read(0);
  }
  get src(): Term {
    return this.read(1);
  }
  get third(): Term {
    return this.read(2);
  }
  get cf(): Term {
    return this.flag('cf');
  }
  get pf(): Term {
    return this.flag('pf');
  }
  get af(): Term {
    return this.flag('af');
  }
  get zf(): Term {
    return this.flag('zf');
  }
  get sf(): Term {
    return this.flag('sf');
  }
  get of(): Term {
    return this.flag('of');
  }
  get df(): Term {
    return this.flag('df');
  }
  get rip(): Term {
    return this.shared('rip', () => input({ kind: 'rip' }, 64));
  }
  get nextRip(): Term {
    return this.shared('nextRip', () => input({ kind: 'nextRip' }, 64));
  }

  private flag(flag: Flag): Term {
    return this.shared(flag, () => input({ kind: 'flag', flag }, 1));
  }

  /** Equal inputs are one term, so that readers share them. */
  private shared(key: string, make: () => Term): Term {
    const known = this.inputs.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.inputs.set(key, made);
    return made;
  }

  private operand(i: number): OperandShape {
    return this.shape.operands[i] ?? bug(`${this.row.name} has no operand ${i}`);
  }

  width(i: number): Width {
    const w = this.operand(i).width;
    return w === 8 || w === 16 || w === 32 || w === 64 || w === 128
      ? w
      : bug(`operand ${i} of ${this.row.name} has no plain value (${w} bits)`);
  }

  isMemory(i: number): boolean {
    return this.operand(i).kind === 'mem';
  }

  read(i: number): Term {
    const operand = this.operand(i);
    if (operand.kind === 'rel') return this.shared(`operand${i}`, () => input({ kind: 'operand', index: i }, 64));
    const width = this.width(i);
    if (operand.kind !== 'mem') return this.shared(`operand${i}`, () => input({ kind: 'operand', index: i }, width));
    const known = this.loaded.get(i);
    if (known !== undefined) return known.term;
    const step = this.steps.length;
    this.steps.push({
      kind: 'load',
      segment: { kind: 'operand', index: i },
      offset: this.offset(i),
      width,
      write: false,
      align: this.alignment(width),
    });
    const term = input({ kind: 'loaded', step }, width);
    this.loaded.set(i, { term, step });
    return term;
  }

  private alignment(width: number): 1 | 16 {
    return width === 128 && this.row.unaligned !== true ? 16 : 1;
  }

  write(i: number, value: Term, options: WriteOptions = {}): void {
    const operand = this.operand(i);
    if (operand.kind === 'mem') {
      if (options.when !== undefined) bug(`${this.row.name}: a store cannot be conditional`);
      if (value.width !== this.width(i)) bug(`${this.row.name}: ${value.width} bits stored to operand ${i} of ${this.width(i)}`);
      const known = this.loaded.get(i);
      if (known !== undefined) {
        const load = this.steps[known.step];
        if (load?.kind === 'load') this.steps[known.step] = { ...load, write: true };
      }
      const undefinedIf = options.undefinedIf ?? null;
      this.steps.push({
        kind: 'store',
        segment: { kind: 'operand', index: i },
        offset: this.offset(i),
        value,
        align: this.alignment(value.width),
        undefinedIf,
      });
      return;
    }
    if (operand.kind !== 'reg') bug(`${this.row.name}: operand ${i} cannot be written`);
    const narrow = operand.kind === 'reg' && operand.class === 'xmm';
    if (!narrow && value.width !== operand.width) bug(`${this.row.name}: ${value.width} bits written to operand ${i} of ${operand.width}`);
    this.commit({ kind: 'operand', index: i }, value, options);
  }

  private commit(target: Write['target'], value: Term, options: WriteOptions): void {
    this.writes.push({ target, value, when: options.when ?? null, undefinedIf: options.undefinedIf ?? null });
  }

  offset(i: number): Term {
    if (this.operand(i).kind !== 'mem') bug(`${this.row.name}: operand ${i} is not memory`);
    return this.shared(`offset${i}`, () => input({ kind: 'offset', index: i }, 64));
  }

  wrap(offset: Term): Term {
    return offset.resize(this.addressSize).zext(64);
  }

  immediate(i: number): bigint {
    const operand = this.operand(i);
    if (this.row.byImmediate !== true) bug(`${this.row.name} looks at an immediate without byImmediate`);
    return operand.kind === 'imm' && operand.value !== undefined ? operand.value : bug(`${this.row.name}: operand ${i} has no value`);
  }

  baseRegister(i: number): number {
    const operand = this.operand(i);
    if (this.row.byImmediate !== true) bug(`${this.row.name} looks at a base register without byImmediate`);
    return operand.kind === 'mem' && operand.base !== undefined ? operand.base : bug(`${this.row.name}: operand ${i} has no base`);
  }

  gpr(index: number, width: Width): Term {
    return this.shared(`gpr${index}:${width}`, () => input({ kind: 'gpr', index }, width));
  }
  highByte(index: number): Term {
    return this.gpr(index, 16).extract(8, 8);
  }
  setGpr(index: number, value: Term, options: WriteOptions = {}): void {
    if (value.width === 1 || value.width === 128) bug(`${this.row.name}: ${value.width} bits written to a general register`);
    this.commit({ kind: 'gpr', index }, value, options);
  }
  xmm(index: number): Term {
    return this.shared(`xmm${index}`, () => input({ kind: 'xmm', index }, 128));
  }
  special(name: Special, width: Width): Term {
    return this.shared(name, () => input({ kind: 'special', name }, width));
  }
  setSpecial(name: Special, value: Term, when?: Term): void {
    this.commit({ kind: 'special', name }, value, when === undefined ? {} : { when });
  }
  segmentBase(segment: SegmentIndex): Term {
    return this.shared(`base${segment}`, () => input({ kind: 'segmentBase', segment }, 64));
  }

  private segmentRef(segment: SegmentIndex | { operand: number }): SegmentRef {
    return typeof segment === 'number' ? { kind: 'fixed', segment } : { kind: 'operand', index: segment.operand };
  }
  load(segment: SegmentIndex | { operand: number }, offset: Term, width: Width, write = false): Term {
    const step = this.steps.length;
    this.steps.push({ kind: 'load', segment: this.segmentRef(segment), offset: offset.zext(64), width, write, align: 1 });
    return input({ kind: 'loaded', step }, width);
  }
  store(segment: SegmentIndex | { operand: number }, offset: Term, value: Term): void {
    this.steps.push({ kind: 'store', segment: this.segmentRef(segment), offset: offset.zext(64), value, align: 1, undefinedIf: null });
  }
  fault(when: Term, vector: Vector, code?: number, writes: readonly Write[] = []): void {
    if (when.width !== 1) bug(`${this.row.name}: a fault's condition has ${when.width} bits`);
    if (when.op === 'const' && when.value === 0n) return;
    this.steps.push({ kind: 'fault', when, vector, code: code ?? null, writes });
  }

  // The stack: SP is RSP under a mask that only 64-bit mode fixes (the B bit of SS elsewhere).
  private stackMask(): Term | null {
    return this.mode === 64 ? null : this.special('stackMask', 64);
  }
  get stackPointer(): Term {
    return this.sp ?? this.gpr(RSP, 64);
  }
  /** An offset on the stack, wrapped to the stack's address size. */
  stackOffset(value: Term): Term {
    const mask = this.stackMask();
    return mask === null ? value : value.and(mask);
  }
  moveStack(value: Term): void {
    const mask = this.stackMask();
    this.sp = mask === null ? value : this.gpr(RSP, 64).and(mask.not).or(value.and(mask));
  }
  push(value: Term): void {
    const sp = this.stackPointer.sub(constant(value.width / 8, 64));
    this.store(SS, this.stackOffset(sp), value);
    this.moveStack(sp);
  }
  pop(width: Width): Term {
    const value = this.load(SS, this.stackOffset(this.stackPointer), width);
    this.moveStack(this.stackPointer.add(constant(width / 8, 64)));
    return value;
  }
  /** Writes RSP. Called by `effectOf` before all other writes, so that POP RSP ends with the popped value. */
  finishStack(): void {
    if (this.sp !== null) this.writes.unshift({ target: { kind: 'gpr', index: RSP }, value: this.sp, when: null, undefinedIf: null });
  }

  jump(target: Term, direct = false): void {
    this.next = { kind: 'jump', target: target.zext(64), direct };
  }
  /** nextRip + the rel operand, wrapped to the operand size (near branches in 64-bit mode: always 64 bits). */
  relativeTarget(): Term {
    const rel = this.shape.operands.findIndex((o) => o.kind === 'rel');
    const size = this.mode === 64 ? 64 : this.operandSize;
    return this.nextRip.add(this.read(rel)).trunc(size).zext(64);
  }
  branch(when: Term): void {
    this.next = { kind: 'branch', when, target: this.relativeTarget() };
  }
  helper(name: HelperName): void {
    this.helperName = name;
  }
}

function flagWrite(name: string, value: Uncertain): FlagWrite {
  if (value === 'undefined') return undefinedFlag;
  const made = 'op' in value ? { value, undefinedIf: null } : value;
  return made.value.width === 1 ? made : bug(`${name}: a flag of ${made.value.width} bits`);
}

/** The effect of an instruction of this shape. Pure: equal shapes give equal effects. */
export function effectOf(shape: Shape): Effect {
  const c = new Builder(shape);
  const outcome = shape.row.meaning(c) ?? {};
  if (outcome.dst !== undefined) c.write(0, outcome.dst);
  if (outcome.src !== undefined) c.write(1, outcome.src);
  c.finishStack();
  const values: Partial<Record<Flag, FlagWrite>> = {};
  for (const [flag, value] of Object.entries(outcome.flags ?? {})) values[flag as Flag] = flagWrite(shape.row.name, value);
  return {
    guard: shape.row.guard ?? 'none',
    steps: c.steps,
    writes: c.writes,
    flags: { when: outcome.flagsWhen ?? null, values },
    next: c.next,
    helper: c.helperName,
  };
}

const CR0_EM = 2;
const CR0_TS = 3;
const CR0_MP = 1;
const CR4_OSFXSR = 9;

function makeGuards(): Readonly<Record<Guard, readonly FaultStep[]>> {
  const cr0 = input({ kind: 'special', name: 'cr0' }, 64);
  const cr4 = input({ kind: 'special', name: 'cr4' }, 64);
  const fault = (when: Term, vector: Vector): FaultStep => ({ kind: 'fault', when, vector, code: null, writes: [] });
  return {
    none: [],
    sse: [fault(cr0.bit(CR0_EM).or(cr4.bit(CR4_OSFXSR).not), 6), fault(cr0.bit(CR0_TS), 7)],
    fpu: [fault(cr0.bit(CR0_EM).or(cr0.bit(CR0_TS)), 7)],
    mmx: [fault(cr0.bit(CR0_EM), 6), fault(cr0.bit(CR0_TS), 7)],
    fwait: [fault(cr0.bit(CR0_MP).and(cr0.bit(CR0_TS)), 7)],
  };
}
const guards = makeGuards();

/** The faults of a guard, in the order in which the processor checks them: #UD before #NM. */
export function guardSteps(guard: Guard): readonly FaultStep[] {
  return guards[guard];
}
