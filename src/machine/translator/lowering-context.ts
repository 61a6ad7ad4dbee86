/**
 * What the parts of the lowering share: where inputs come from, which locals are free, which functions of TypeScript can be called; and
 * what the lowering of single operations (lower-integer.ts, lower-float.ts) may ask of the whole (lower.ts).
 */
import { bug } from '../isa/bug.ts';
import type { Width } from '../isa/ops.ts';
import type { Source, Term } from '../isa/term.ts';
import type { FunctionBuilder, Label, ValueType } from './wasm.ts';

/** Gives input terms their values. */
export interface Environment {
  /** Leaves the (clean) value on the stack; widths up to 64. */
  input(source: Source, width: Width): void;
  /** Leaves one half of a 128-bit input on the stack. */
  inputHalf(source: Source, half: 0 | 1): void;
  /** What is known of inputs as floating-point numbers; null: nothing. */
  readonly floats: FloatInputs | null;
}

/** Inputs of 64 bits (half 0), or halves of inputs of 128 bits, as doubles. */
export interface FloatInputs {
  /** The f64 local that holds it; null: none does. */
  local(source: Source, half: 0 | 1): number | null;
  /** Whether it is known to be zero or an ordinary number: no NaN, infinity or denormal. */
  isOrdinary(source: Source, half: 0 | 1): boolean;
  /** From here on it is known, until it is written. */
  noteOrdinary(source: Source, half: 0 | 1): void;
}

/** Locals that many pieces of one function use one after the other. */
export class LocalPool {
  readonly #f: FunctionBuilder;
  readonly #all: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  readonly #used: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };

  constructor(f: FunctionBuilder) {
    this.#f = f;
  }

  take(type: ValueType): number {
    const all = this.#all[type];
    const n = this.#used[type]++;
    return all[n] ?? (all[n] = this.#f.local(type));
  }

  /** All locals are free again. */
  reset(): void {
    for (const type of ['i32', 'i64', 'f32', 'f64', 'v128'] as const) this.#used[type] = 0;
  }
}

/** Functions (by index in the module) for what Wasm cannot do exactly, and the local that holds the CPU's base. */
export interface Services {
  readonly base: number;
  /** (operation number, mxcsr) → status; operands at SCRATCH+16 …, result at SCRATCH+48. Null: none, the code gives up instead. */
  readonly float: number | null;
  /** (operation number, width): operands at SCRATCH+16, +24, +32, result at SCRATCH+48. Null as for `float`. */
  readonly integer: number | null;
  /** Where to give up instead of calling a service (nothing has been changed yet); null: services are called. */
  readonly giveUp: Label | null;
}

/** What a floating-point term has become: the locals of its result and of the exceptions that it raises (null: none). */
export interface FloatValue {
  readonly result: number;
  /** The result's local has a floating-point type. */
  readonly isFloat: boolean;
  readonly status: number | null;
}

/** What `Lowering` offers to the lowering of single operations. */
export interface LoweringContext {
  readonly f: FunctionBuilder;
  readonly locals: LocalPool;
  readonly services: Services;
  /** Floating-point terms already computed. */
  readonly floats: Map<Term, FloatValue>;
  push(term: Term): void;
  pushSigned(term: Term): void;
  push64(term: Term): void;
  toLocal(term: Term): number;
  /** Leaves a value of 32 or 64 bits as a float. */
  pushFloat(term: Term): void;
  /** Whether a floating-point operand is known to be zero or an ordinary number; what has been asked is known from then on. */
  isOrdinary(term: Term): boolean;
  noteOrdinary(term: Term): void;
  canonical(term: Term): Term;
  arg(t: Term, n: number): Term;
}

/** The Wasm type of a value of this width (of a half, for 128). */
export const typeOf = (width: Width): 'i32' | 'i64' => (width >= 64 ? 'i64' : 'i32');

/** How a value of this width is loaded, zero-extended. */
export function narrowLoad(width: Width): 'i32_8u' | 'i32_16u' | 'i32' | 'i64' {
  if (width === 8) return 'i32_8u';
  if (width === 16) return 'i32_16u';
  if (width === 32) return 'i32';
  return width === 64 ? 'i64' : bug(`no plain load of ${width} bits as ${typeOf(width)}`);
}
