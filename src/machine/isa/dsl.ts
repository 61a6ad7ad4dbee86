/**
 * What a row of the instruction table is, and what it says: the types that rows are written in and that readers read.
 *
 * A *row* (`Instruction`) is one mnemonic: its encodings in the manual's notation and its meaning. An *encoding* is one line of the manual's
 * opcode table. A *shape* is what a decoded instruction looks like without register numbers and values; `effectOf(shape)` in
 * `effect.ts` runs the row's meaning on it and gives its `Effect`.
 *
 * How a reader executes an effect:
 *  1. The guard: `guardSteps(effect.guard)` (SSE and x87 availability), before everything else.
 *  2. The steps, in order. A load or store is `segment:[offset]`; the reader forms the linear address, checks it (64-bit mode: canonical, #SS(0) if
 *     the segment is SS, else #GP(0); other modes: the segment's type and limit) and translates it. A load sees what earlier stores of the same
 *     instruction wrote. A fault step raises its exception if `when` is 1.
 *  3. `next`: a branch target must be canonical (64-bit mode) or inside the limit of CS (else): #GP(0).
 *  4. Nothing has been committed so far. Now: stores, `writes` in order, flags, RIP. All terms speak of the state before the instruction.
 *     A 32-bit write to a general register clears bits 63:32, 8- and 16-bit ones keep the rest.
 *
 * REP (`shape.rep`): the effect is ONE iteration. The reader does: count = rCX at address size; if 0: the instruction is done (it counts one, and
 * nothing is written). Else the effect, with rCX ← count − 1 (a write of address size) among its commits; RIP stays unless count − 1 = 0 or, for
 * 'zero', the new ZF = 0, for 'nonzero', the new ZF = 1. Faults leave rCX, rSI and rDI at the iteration that faulted.
 */
import type { Flag } from './flags.ts';
import type { HelperName } from './helpers.ts';
import type { AddressSize, Mode, OperandSize } from './operands.ts';
import type { Width } from './ops.ts';
import type { SegmentIndex } from './registers.ts';
import type { Special, Term } from './term.ts';

// ---- Shapes -----------------------------------------------------------------------------------------------------------------------

/** What the table's notation says an operand is. */
export type OperandShape =
  | { readonly kind: 'reg'; readonly class: 'gpr' | 'seg' | 'cr' | 'dr' | 'xmm'; readonly width: number; readonly high: boolean }
  | { readonly kind: 'mem'; readonly width: number; readonly base?: number }
  | { readonly kind: 'imm'; readonly width: number; readonly value?: bigint }
  | { readonly kind: 'rel'; readonly width: number }
  | { readonly kind: 'far'; readonly width: number };

export type Rep = 'none' | 'count' | 'zero' | 'nonzero';

/** All that a meaning may depend on. `Decoded` is one. Values of immediates and base registers are looked at only by rows with `byImmediate`. */
export interface Shape {
  readonly row: Instruction;
  readonly mode: Mode;
  readonly operandSize: OperandSize;
  readonly addressSize: AddressSize;
  readonly rep: Rep;
  readonly lock: boolean;
  /** The segment of string sources (DS unless overridden). */
  readonly segment: SegmentIndex;
  readonly operands: readonly OperandShape[];
}

// ---- Effects ----------------------------------------------------------------------------------------------------------------------

/** #DE 0 · #DB 1 · #BP 3 · #OF 4 · #BR 5 · #UD 6 · #NM 7 · #SS 12 · #GP 13 · #PF 14 · #MF 16 · #AC 17 · #XM 19 */
export type Vector = 0 | 1 | 3 | 4 | 5 | 6 | 7 | 12 | 13 | 16 | 17 | 19;

/** Of a memory access: fixed by the row, or that of the memory operand with this index. */
export type SegmentRef = { readonly kind: 'fixed'; readonly segment: SegmentIndex } | { readonly kind: 'operand'; readonly index: number };

export interface LoadStep {
  readonly kind: 'load';
  readonly segment: SegmentRef;
  /** Width 64; already wrapped to the address size. */
  readonly offset: Term;
  readonly width: Width;
  /** The location is stored to later in the same instruction: asks for write rights, and faults as a write. */
  readonly write: boolean;
  /** Bytes: #GP(0) if the linear address is not a multiple. 1: none. */
  readonly align: 1 | 16;
}
export interface StoreStep {
  readonly kind: 'store';
  readonly segment: SegmentRef;
  readonly offset: Term;
  readonly value: Term;
  readonly align: 1 | 16;
  /** The manual leaves the stored value undefined if 1; null: never. */
  readonly undefinedIf: Term | null;
}
export interface FaultStep {
  readonly kind: 'fault';
  readonly when: Term;
  readonly vector: Vector;
  /** Error code; null: the vector has none. */
  readonly code: number | null;
  /** What is committed although the instruction faults (MXCSR's flags before #XM). */
  readonly writes: readonly Write[];
}
export type Step = LoadStep | StoreStep | FaultStep;

/** Where a committed value goes. `rflags` as a special replaces the whole register (reserved bits already fixed by the row). */
export type Target =
  | { readonly kind: 'operand'; readonly index: number }
  | { readonly kind: 'gpr'; readonly index: number }
  | { readonly kind: 'xmm'; readonly index: number }
  | { readonly kind: 'special'; readonly name: Special };

export interface Write {
  readonly target: Target;
  readonly value: Term;
  /** Written only if 1; null: always. */
  readonly when: Term | null;
  /** The manual leaves the value undefined if 1; null: never. For comparisons with silicon. */
  readonly undefinedIf: Term | null;
}

/** A flag's new value. Where the manual says "undefined" the machine still fixes `value`. */
export interface FlagWrite {
  readonly value: Term;
  /** 1: the manual leaves it undefined. null: defined always. */
  readonly undefinedIf: Term | null;
}

export interface FlagWrites {
  /** The flags change only if 1 (shift counts); null: always. */
  readonly when: Term | null;
  readonly values: Partial<Readonly<Record<Flag, FlagWrite>>>;
}

export type Next =
  | { readonly kind: 'next' }
  /** To `target` (offset in CS, width 64, already wrapped to the operand size). `direct`: the target is nextRip + the rel operand. */
  | { readonly kind: 'jump'; readonly target: Term; readonly direct: boolean }
  /** To `target` if `when`, else to the next instruction. */
  | { readonly kind: 'branch'; readonly when: Term; readonly target: Term };

/** What must be available: see `guardSteps`. */
export type Guard = 'none' | 'sse' | 'fpu' | 'mmx' | 'fwait';

export interface Effect {
  readonly guard: Guard;
  readonly steps: readonly Step[];
  readonly writes: readonly Write[];
  readonly flags: FlagWrites;
  readonly next: Next;
  /** The instruction is done by this helper, after the guard and the fault steps; then all other parts are empty. */
  readonly helper: HelperName | null;
}

// ---- Rows -------------------------------------------------------------------------------------------------------------------------

/** How control leaves: `branch` conditional, `indirect` a jump through a register or memory, `event` all that enters or leaves by gates (INT, SYSCALL, IRET, far …). */
export type Flow = 'next' | 'jump' | 'branch' | 'call' | 'ret' | 'indirect' | 'indirect-call' | 'event';

export type Privilege = 'any' | 'cpl0' | 'iopl' | 'io';

export interface Instruction {
  /** The manual's mnemonic, upper case. */
  readonly name: string;
  /** In the manual's notation; see `notation.ts`. */
  readonly encodings: readonly string[];
  /** What it does, in one line. */
  readonly text: string;
  /** LOCK is allowed if the destination (operand 0; XCHG: either) is memory. */
  readonly lock?: boolean;
  /** F2 and F3 repeat it: `count` (MOVS STOS LODS INS OUTS), `compare` (CMPS SCAS: F3 while equal, F2 while not). */
  readonly rep?: 'count' | 'compare';
  readonly guard?: Guard;
  /** CPUID's name of the feature; none: always there. */
  readonly feature?: string;
  readonly privilege?: Privilege;
  readonly flow?: Flow;
  /** 128-bit memory operands need no alignment. Else a misaligned one is #GP(0). */
  readonly unaligned?: boolean;
  /** The meaning looks at the value of an immediate (or the number of a base register): there is one effect for each value. */
  readonly byImmediate?: boolean;
  /** Raised by helpers, for the manual; faults of terms are found in the effect. */
  readonly raises?: readonly string[];
  meaning(c: Context): Outcome | undefined;
}

/** A value that a row may leave undefined: `undefinedIf(count.ne(1), of)`. */
export type Uncertain = Term | FlagWrite | 'undefined';

/** What a meaning returns: commits of operands by name (`dst` = operand 0, `src` = operand 1) and flags. */
export interface Outcome {
  readonly dst?: Term;
  readonly src?: Term;
  readonly flags?: Partial<Readonly<Record<Flag, Uncertain>>>;
  readonly flagsWhen?: Term;
}

export interface WriteOptions {
  /** Only if 1. */
  readonly when?: Term;
  /** The manual leaves the value undefined if 1. */
  readonly undefinedIf?: Term;
}

/** What a meaning works with. Reading a memory operand makes its load step, once; writing one makes its store step. */
export interface Context {
  readonly mode: Mode;
  readonly operandSize: OperandSize;
  readonly addressSize: AddressSize;
  readonly rep: Rep;
  readonly operandCount: number;
  /** Operand 0, 1, 2, read. */
  readonly dst: Term;
  readonly src: Term;
  readonly third: Term;
  readonly cf: Term;
  readonly pf: Term;
  readonly af: Term;
  readonly zf: Term;
  readonly sf: Term;
  readonly of: Term;
  readonly df: Term;
  /** Offset of this and of the next instruction in CS, width 64. */
  readonly rip: Term;
  readonly nextRip: Term;
  /** Segment of a row's own source access: DS unless overridden. */
  readonly segment: SegmentIndex;
  /** Bits of operand i. */
  width(i: number): Width;
  isMemory(i: number): boolean;
  read(i: number): Term;
  write(i: number, value: Term, options?: WriteOptions): void;
  /** Offset of memory operand i, width 64. */
  offset(i: number): Term;
  /** Any offset, wrapped to the address size and zero-extended to 64 bits. */
  wrap(offset: Term): Term;
  /** Value of immediate operand i: only in rows with `byImmediate`. */
  immediate(i: number): bigint;
  /** Number of the base register of memory operand i, -1: none: only in rows with `byImmediate`. */
  baseRegister(i: number): number;
  gpr(index: number, width: Width): Term;
  highByte(index: number): Term;
  setGpr(index: number, value: Term, options?: WriteOptions): void;
  xmm(index: number): Term;
  special(name: Special, width: Width): Term;
  setSpecial(name: Special, value: Term, when?: Term): void;
  segmentBase(segment: SegmentIndex): Term;
  /** Load or store at segment:[offset]; `offset` of any width is zero-extended. */
  load(segment: SegmentIndex | { operand: number }, offset: Term, width: Width, write?: boolean): Term;
  store(segment: SegmentIndex | { operand: number }, offset: Term, value: Term): void;
  fault(when: Term, vector: Vector, code?: number, writes?: readonly Write[]): void;
  /** RSP as the pushes and pops so far left it, width 64. */
  readonly stackPointer: Term;
  stackOffset(value: Term): Term;
  moveStack(value: Term): void;
  push(value: Term): void;
  pop(width: Width): Term;
  relativeTarget(): Term;
  jump(target: Term, direct?: boolean): void;
  branch(when: Term): void;
  helper(name: HelperName): void;
}
