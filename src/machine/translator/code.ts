/**
 * Generated code that reads like code: typed values and statements over `FunctionBuilder`.
 *
 *     const module = new CodeModule();
 *     const base = module.global32('base');                        // env.base
 *     const tell = module.import('tell', ['i32'], null);           // env.tell
 *     const count = module.define('count', ['i32'], 'i32', (code, [limit]) => {
 *       const n = code.var32(base.load32(COUNTER).add(1));
 *       code.if(n.gtU(limit), () => code.do(tell(n)));
 *       code.return(n);
 *     });
 *
 * A value is a recipe: it is computed where it is used, each time that it is used. What has an effect (a call), what may change in between, and what
 * is used more than once goes into a variable (`var32`, `var64`).
 */
import { bug } from '../isa/bug.ts';
import { type FunctionBuilder, type Label, type LoadKind, ModuleBuilder, OP, type StoreKind } from './wasm.ts';

type Push = (f: FunctionBuilder) => void;
export type Type = 'i32' | 'i64';
export type Int = I32 | number;
export type Long = I64 | bigint;

/** A value of 32 bits; truth values are 0 and 1. */
export class I32 {
  readonly push: Push;

  constructor(push: Push) {
    this.push = push;
  }

  static of(value: Int): I32 {
    return typeof value === 'number' ? new I32((f) => f.i32(value)) : value;
  }

  add(other: Int): I32 {
    return this.#with(other, OP.i32.add);
  }
  sub(other: Int): I32 {
    return this.#with(other, OP.i32.sub);
  }
  mul(other: Int): I32 {
    return this.#with(other, OP.i32.mul);
  }
  and(other: Int): I32 {
    return this.#with(other, OP.i32.and);
  }
  or(other: Int): I32 {
    return this.#with(other, OP.i32.or);
  }
  xor(other: Int): I32 {
    return this.#with(other, OP.i32.xor);
  }
  shl(other: Int): I32 {
    return this.#with(other, OP.i32.shl);
  }
  shrU(other: Int): I32 {
    return this.#with(other, OP.i32.shr_u);
  }
  shrS(other: Int): I32 {
    return this.#with(other, OP.i32.shr_s);
  }
  eq(other: Int): I32 {
    return this.#with(other, OP.i32.eq);
  }
  ne(other: Int): I32 {
    return this.#with(other, OP.i32.ne);
  }
  ltU(other: Int): I32 {
    return this.#with(other, OP.i32.lt_u);
  }
  leU(other: Int): I32 {
    return this.#with(other, OP.i32.le_u);
  }
  gtU(other: Int): I32 {
    return this.#with(other, OP.i32.gt_u);
  }
  geU(other: Int): I32 {
    return this.#with(other, OP.i32.ge_u);
  }
  ltS(other: Int): I32 {
    return this.#with(other, OP.i32.lt_s);
  }
  geS(other: Int): I32 {
    return this.#with(other, OP.i32.ge_s);
  }

  /** 32 of 0. */
  get trailingZeros(): I32 {
    return this.#then(OP.i32.ctz);
  }

  get isZero(): I32 {
    return this.#then(OP.i32.eqz);
  }

  /** 1 where a bit of the mask is set. */
  has(mask: Int): I32 {
    return this.and(mask).ne(0);
  }

  /** 1 where none is. */
  lacks(mask: Int): I32 {
    return this.and(mask).isZero;
  }

  /** This where the condition holds, else `other`; both are computed. */
  where(condition: I32, other: Int): I32 {
    return new I32((f) => {
      this.push(f);
      I32.of(other).push(f);
      condition.push(f);
      f.op(OP.select);
    });
  }

  get unsigned64(): I64 {
    return new I64((f) => {
      this.push(f);
      f.op(OP.i64.extend_i32_u);
    });
  }

  load32(offset = 0, memory = 0): I32 {
    return this.#load('i32', offset, memory);
  }
  load16(offset = 0, memory = 0): I32 {
    return this.#load('i32_16u', offset, memory);
  }
  load8(offset = 0, memory = 0): I32 {
    return this.#load('i32_8u', offset, memory);
  }

  load64(offset = 0, memory = 0): I64 {
    return new I64((f) => {
      this.push(f);
      f.load('i64', offset, memory);
    });
  }

  #load(kind: LoadKind, offset: number, memory: number): I32 {
    return new I32((f) => {
      this.push(f);
      f.load(kind, offset, memory);
    });
  }

  #with(other: Int, op: number): I32 {
    return new I32((f) => {
      this.push(f);
      I32.of(other).push(f);
      f.op(op);
    });
  }

  #then(op: number): I32 {
    return new I32((f) => {
      this.push(f);
      f.op(op);
    });
  }
}

/** A value of 64 bits. */
export class I64 {
  readonly push: Push;

  constructor(push: Push) {
    this.push = push;
  }

  static of(value: Long): I64 {
    return typeof value === 'bigint' ? new I64((f) => f.i64(value)) : value;
  }

  /** high : low. */
  static join(low: I32, high: I32): I64 {
    return high.unsigned64.shl(32n).or(low.unsigned64);
  }

  add(other: Long): I64 {
    return this.#with(other, OP.i64.add);
  }
  sub(other: Long): I64 {
    return this.#with(other, OP.i64.sub);
  }
  mul(other: Long): I64 {
    return this.#with(other, OP.i64.mul);
  }
  and(other: Long): I64 {
    return this.#with(other, OP.i64.and);
  }
  or(other: Long): I64 {
    return this.#with(other, OP.i64.or);
  }
  xor(other: Long): I64 {
    return this.#with(other, OP.i64.xor);
  }
  shl(other: Long): I64 {
    return this.#with(other, OP.i64.shl);
  }
  shrU(other: Long): I64 {
    return this.#with(other, OP.i64.shr_u);
  }
  shrS(other: Long): I64 {
    return this.#with(other, OP.i64.shr_s);
  }
  eq(other: Long): I32 {
    return this.#compare(other, OP.i64.eq);
  }
  ne(other: Long): I32 {
    return this.#compare(other, OP.i64.ne);
  }
  ltU(other: Long): I32 {
    return this.#compare(other, OP.i64.lt_u);
  }

  has(mask: bigint): I32 {
    return this.and(mask).ne(0n);
  }

  /** How many of the highest bits are 0. */
  get leadingZeros(): I64 {
    return new I64((f) => {
      this.push(f);
      f.op(OP.i64.clz);
    });
  }

  get low(): I32 {
    return new I32((f) => {
      this.push(f);
      f.op(OP.i32.wrap_i64);
    });
  }

  get high(): I32 {
    return this.shrU(32n).low;
  }

  #with(other: Long, op: number): I64 {
    return new I64((f) => {
      this.push(f);
      I64.of(other).push(f);
      f.op(op);
    });
  }

  #compare(other: Long, op: number): I32 {
    return new I32((f) => {
      this.push(f);
      I64.of(other).push(f);
      f.op(op);
    });
  }
}

export class Var32 extends I32 {
  readonly #f: FunctionBuilder;
  readonly index: number;

  constructor(f: FunctionBuilder, index: number) {
    super(() => f.get(index));
    this.#f = f;
    this.index = index;
  }

  set(value: Int): void {
    I32.of(value).push(this.#f);
    this.#f.set(this.index);
  }
}

export class Var64 extends I64 {
  readonly #f: FunctionBuilder;
  readonly index: number;

  constructor(f: FunctionBuilder, index: number) {
    super(() => f.get(index));
    this.#f = f;
    this.index = index;
  }

  set(value: Long): void {
    I64.of(value).push(this.#f);
    this.#f.set(this.index);
  }
}

/** A function of the module, or an imported one: called with values for its parameters. */
export type Routine = ((...args: (Int | I64)[]) => I32) & { readonly index: number };

/** The body of one function while it is written. */
export class Code {
  readonly f: FunctionBuilder;

  constructor(f: FunctionBuilder) {
    this.f = f;
  }

  var32(value: Int): Var32 {
    const made = new Var32(this.f, this.f.local('i32'));
    made.set(value);
    return made;
  }

  var64(value: Long): Var64 {
    const made = new Var64(this.f, this.f.local('i64'));
    made.set(value);
    return made;
  }

  /** Calls a function without a result. */
  do(call: I32): void {
    call.push(this.f);
  }

  /** Calls a function, and does not look at its result. */
  drop(call: I32): void {
    call.push(this.f);
    this.f.op(OP.drop);
  }

  if(condition: I32, then: () => void, otherwise?: () => void): void {
    this.#if(condition, undefined, then, otherwise);
  }

  /** An `if` whose body lies out of the way. */
  rarely(condition: I32, then: () => void): void {
    this.#if(condition, false, then, undefined);
  }

  #if(condition: I32, likely: boolean | undefined, then: () => void, otherwise: (() => void) | undefined): void {
    condition.push(this.f);
    this.f.if(undefined, likely);
    then();
    if (otherwise !== undefined) {
      this.f.else();
      otherwise();
    }
    this.f.end();
  }

  /** Runs `body` until it leaves: by `leave()`, or by `return`. */
  loop(body: (leave: () => void) => void): void {
    const end = this.f.block();
    const begin = this.f.loop();
    body(() => this.f.br(end));
    this.f.br(begin);
    this.f.end();
    this.f.end();
  }

  /** Runs `body` once; `leave()` goes behind it. */
  block(body: (leave: () => void) => void): void {
    const end: Label = this.f.block();
    body(() => this.f.br(end));
    this.f.end();
  }

  return(value?: Int): void {
    if (value !== undefined) I32.of(value).push(this.f);
    this.f.op(OP.return);
  }

  fill(address: I32, byte: Int, count: I32, memory = 0): void {
    for (const value of [address, I32.of(byte), count]) value.push(this.f);
    this.f.memoryFill(memory);
  }

  store32(address: I32, offset: number, value: Int, memory = 0): void {
    this.#store('i32', address, offset, value, memory);
  }
  store16(address: I32, offset: number, value: Int, memory = 0): void {
    this.#store('i32_16', address, offset, value, memory);
  }
  store8(address: I32, offset: number, value: Int, memory = 0): void {
    this.#store('i32_8', address, offset, value, memory);
  }

  store64(address: I32, offset: number, value: Long, memory = 0): void {
    address.push(this.f);
    I64.of(value).push(this.f);
    this.f.store('i64', offset, memory);
  }

  #store(kind: StoreKind, address: I32, offset: number, value: Int, memory: number): void {
    address.push(this.f);
    I32.of(value).push(this.f);
    this.f.store(kind, offset, memory);
  }
}

/** A module whose imports are all from `env`: first memories, globals and functions, then definitions. */
export class CodeModule {
  readonly builder = new ModuleBuilder();

  /** Memories are numbered in the order of their imports. */
  memory(name: string): void {
    this.builder.importMemory('env', name, 1);
  }

  /** An immutable global. */
  global32(name: string): I32 {
    const index = this.builder.importGlobal('env', name, 'i32');
    return new I32((f) => f.globalGet(index));
  }

  import(name: string, parameters: readonly Type[], result: Type | null): Routine {
    const type = this.builder.type(parameters, result === null ? [] : [result]);
    return routine(this.builder.importFunction('env', name, type), parameters.length);
  }

  /** `name`: under which it is exported; null: it is not. */
  define<const P extends readonly 'i32'[]>(
    name: string | null,
    parameters: P,
    result: Type | null,
    body: (code: Code, at: { readonly [n in keyof P]: Var32 }) => void,
  ): Routine {
    const f = this.builder.func(this.builder.type(parameters, result === null ? [] : [result]));
    body(new Code(f), parameters.map((_, n) => new Var32(f, n)) as { readonly [n in keyof P]: Var32 });
    // A body ends in `return`; where it gives a value the validator must see that nothing falls through.
    if (result !== null) f.op(OP.unreachable);
    if (name !== null) this.builder.exportFunction(name, f);
    return routine(f.index, parameters.length);
  }

  /** Exports a routine, also one that was imported. */
  export(name: string, { index }: Routine): void {
    this.builder.exportFunction(name, { index });
  }

  build(): Uint8Array<ArrayBuffer> {
    return this.builder.build();
  }
}

function routine(index: number, parameters: number): Routine {
  const call = (...args: (Int | I64)[]): I32 => {
    if (args.length !== parameters) bug(`function ${index} takes ${parameters} values, not ${args.length}`);
    return new I32((f) => {
      for (const value of args) (typeof value === 'number' ? I32.of(value) : value).push(f);
      f.call(index);
    });
  };
  return Object.assign(call, { index });
}
