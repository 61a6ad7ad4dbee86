/**
 * Random IR modules: a list of numbers decides everything, so that fast-check can shrink them. Functions are well-formed, end soon, call
 * only those before them, and return a mixture of many of their values, so that these live long.
 */
import fc from 'fast-check';
import { FunctionBuilder } from '../../../src/compiler/ir/builder.ts';
import type { FloatPredicate, IntegerPredicate, StackSlot, Value } from '../../../src/compiler/ir/function.ts';
import { Module } from '../../../src/compiler/ir/module.ts';
import { printModule } from '../../../src/compiler/ir/print.ts';
import { type Constant, INTEGER_TYPES, type IntegerType, isInteger, normal, type Type } from '../../../src/compiler/ir/types.ts';

const INTEGER_OPS = ['add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'lshr', 'ashr'] as const;
const CHECKED_OPS = ['sadd', 'uadd', 'ssub', 'usub', 'smul', 'umul'] as const;
const DIVISIONS = ['udiv', 'sdiv', 'urem', 'srem'] as const;
const FLOAT_OPS = ['fadd', 'fsub', 'fmul', 'fdiv'] as const;
const PREDICATES: readonly IntegerPredicate[] = ['eq', 'ne', 'slt', 'sle', 'sgt', 'sge', 'ult', 'ule', 'ugt', 'uge'];
const FLOAT_PREDICATES: readonly FloatPredicate[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
const INTERESTING = [
  0,
  1,
  2,
  3,
  5,
  7,
  8,
  10,
  100,
  127,
  128,
  255,
  256,
  1000,
  32767,
  65535,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
];
const FLOATS = [0, -0, 1, -1, 0.5, 1.5, 3, 1e10, -1e19, 1e300, 2 ** 63, 2 ** 31, NaN, Infinity, -Infinity];

export const randomModules: fc.Arbitrary<Module> = fc
  .array(fc.nat({ max: 0xffff }), { minLength: 20, maxLength: 600, size: 'max' })
  .map((choices) => {
    const module = makeModule(choices);
    return Object.defineProperty(module, fc.toStringMethod, { value: () => printModule(module) });
  });

/** Arguments for a function's parameters, from a list of numbers. */
export function argumentsFor(types: readonly Type[], choices: readonly number[]): Constant[] {
  const source = new Choices(choices);
  return types.map((type) => source.constant(type));
}

export class Choices {
  private readonly numbers: readonly number[];
  private at = 0;

  constructor(numbers: readonly number[]) {
    this.numbers = numbers;
  }

  get isExhausted(): boolean {
    return this.at >= this.numbers.length;
  }

  next(below: number): number {
    return (this.numbers[this.at++] ?? 0) % below;
  }

  of<T>(list: readonly T[]): T {
    const item = list[this.next(list.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }

  constant(type: Type): Constant {
    if (type === 'f64') return this.next(2) === 0 ? this.of(FLOATS) : this.next(1000) / 8 - 50;
    const how = this.next(8);
    if (how < 3) return normal(type, this.of(INTERESTING));
    if (how < 5) return normal(type, -this.of(INTERESTING));
    if (how < 6) return normal(type, this.next(20) - 10);
    return normal(type, BigInt(this.next(65536)) * 0x9e37_79b9_7f4a_7c15n);
  }
}

function makeModule(numbers: readonly number[]): Module {
  const choices = new Choices(numbers);
  const module = new Module();
  module.data.push(
    {
      symbol: 'table',
      section: '.rodata',
      kind: 'rodata',
      align: 8,
      size: 64,
      bytes: Uint8Array.from({ length: 64 }, (_, k) => (k * 37) ^ 0x5a),
      relocations: [],
      exported: false,
    },
    { symbol: 'state', section: '.bss', kind: 'bss', align: 16, size: 64, bytes: null, relocations: [], exported: false },
  );
  const count = 1 + choices.next(3);
  for (let k = 0; k < count; k++) new Maker(module, choices, `f${k}`).make();
  return module;
}

const VALUE_TYPES: readonly Type[] = ['i32', 'i64', 'i8', 'i16', 'f64', 'i64', 'i32'];

const isWide = (type: IntegerType): boolean => type === 'i32' || type === 'i64';

class Maker {
  private readonly module: Module;
  private readonly choices: Choices;
  private readonly b: FunctionBuilder;
  private readonly slots: StackSlot[] = [];
  /** Values that are defined on every way to here. */
  private values: Value[] = [];
  private depth = 0;
  private budget: number;
  private loops = 0;

  constructor(module: Module, choices: Choices, symbol: string) {
    this.module = module;
    this.choices = choices;
    const params = Array.from({ length: choices.next(12) }, () => choices.of(VALUE_TYPES));
    const results: Type[] = choices.next(3) === 0 ? ['i64', choices.of(VALUE_TYPES)] : ['i64'];
    this.b = new FunctionBuilder(symbol, params, results);
    this.values = [...this.b.params];
    this.budget = 10 + choices.next(60);
  }

  make(): void {
    const { b } = this;
    for (let k = 0; k < 2; k++) {
      const slot = b.slot(16 + 8 * k, 8 << k);
      this.slots.push(slot);
      const address = b.slotAddress(slot);
      for (let offset = 0; offset < slot.size; offset += 8) b.store(b.const('i64', offset * 12345 + k), address, offset);
    }
    this.statements();
    b.return(b.fn.results.map((type, k) => (k === 0 ? this.mixture() : this.value(type))));
    this.module.functions.push(b.finish());
  }

  /** All values that are known here, in one. */
  private mixture(): Value {
    const { b } = this;
    let sum = b.const('i64', 17);
    for (const value of this.values.slice(-24)) {
      const wide = this.widened(value);
      sum = b.binary('add', b.binary('mul', sum, b.const('i64', 31)), wide);
    }
    return sum;
  }

  private widened(value: Value): Value {
    if (value.type === 'f64') return this.b.convert('fptosi', 'i64', value);
    return isInteger(value.type) ? this.b.resize('i64', value, this.choices.next(2) === 0) : value;
  }

  private value(type: Type): Value {
    const fitting = this.values.filter((value) => value.type === type);
    if (fitting.length === 0 || this.choices.next(5) === 0) return this.b.const(type, this.choices.constant(type));
    return this.choices.of(fitting.slice(-12));
  }

  private add(value: Value): void {
    this.values.push(value);
  }

  private statements(): void {
    while (this.budget > 0 && !this.choices.isExhausted) {
      this.budget--;
      const kind = this.choices.next(40);
      if (kind < 3 && this.depth < 4) this.ifElse();
      else if (kind < 6 && this.depth < 3 && this.loops < 3) this.loop();
      else if (kind < 7 && this.depth < 3) this.switch();
      else if (kind < 9) this.call();
      else if (kind === 39 && this.depth > 0) return;
      else this.instruction(kind);
    }
  }

  private inner(run: () => void): void {
    const before = this.values.length;
    this.depth++;
    run();
    this.depth--;
    this.values.length = before;
  }

  private ifElse(): void {
    const { b } = this;
    const types = this.mergedTypes();
    const [yes, no, join] = [b.block(), b.block(), b.block()];
    const direct = this.choices.next(3) === 0;
    const args = types.map((type) => this.value(type));
    if (direct) b.branch(this.condition(), yes, join, [], args);
    else b.branch(this.condition(), yes, no);
    for (const way of direct ? [yes] : [yes, no]) {
      b.place(way);
      this.inner(() => {
        this.statements();
        b.jump(
          join,
          types.map((type) => this.value(type)),
        );
      });
    }
    b.place(join);
    for (const type of types) this.add(b.param(join, type));
  }

  private mergedTypes(): Type[] {
    return Array.from({ length: this.choices.next(5) }, () => this.choices.of(VALUE_TYPES));
  }

  private switch(): void {
    const { b, choices } = this;
    const type: IntegerType = choices.of(INTEGER_TYPES);
    const value = this.value(type);
    const join = b.block();
    const result = choices.of(VALUE_TYPES);
    const isDense = choices.next(2) === 0;
    const constants = new Set(
      Array.from({ length: 1 + choices.next(12) }, (_, k) => (isDense ? normal(type, k - 2) : choices.constant(type))),
    );
    const blocks = [...constants].map((constant) => [constant, b.block()] as const);
    const otherwise = b.block();
    b.switch(isDense ? b.binary('and', value, b.const(type, 15)) : value, blocks, otherwise);
    for (const block of [...blocks.map(([, target]) => target), otherwise]) {
      b.place(block);
      b.jump(join, [this.value(result)]);
    }
    b.place(join);
    this.add(b.param(join, result));
  }

  /** At most seven rounds; the values that go round may change places. */
  private loop(): void {
    const { b, choices } = this;
    this.loops++;
    const types = this.mergedTypes();
    const [header, body, exit] = [b.block(), b.block(), b.block()];
    b.jump(header, [b.const('i32', 1 + choices.next(7)), ...types.map((type) => this.value(type))]);
    b.place(header);
    const counter = b.param(header, 'i32');
    const params = types.map((type) => b.param(header, type));
    for (const param of params) this.add(param);
    const isDone = b.icmp('eq', counter, b.const('i32', 0));
    if (choices.next(2) === 0) b.branch(isDone, exit, body);
    else b.branch(b.icmp('ne', counter, b.const('i32', 0)), body, exit);
    b.place(body);
    this.inner(() => {
      this.statements();
      const next = b.binary('sub', counter, b.const('i32', 1));
      const swapped = choices.next(2) === 0;
      const args = types.map((type, k) => {
        const same = params.filter((param) => param.type === type);
        return swapped && same.length > 1 ? (same[(same.indexOf(params[k] ?? next) + 1) % same.length] ?? next) : this.value(type);
      });
      b.jump(header, [next, ...args]);
    });
    b.place(exit);
  }

  private call(): void {
    const { b, choices } = this;
    const callee = this.module.functions[choices.next(Math.max(1, this.module.functions.length))];
    if (callee === undefined) return this.instruction(20);
    const args = callee.params.map((type) => this.value(type));
    const results =
      choices.next(4) === 0 ? b.callIndirect(b.symbol(callee.symbol), args, callee.results) : b.call(callee.symbol, args, callee.results);
    for (const result of results) this.add(result);
  }

  private condition(): Value {
    const { b, choices } = this;
    const kind = choices.next(6);
    if (kind === 0) return this.value('i8');
    if (kind === 1) return b.fcmp(choices.of(FLOAT_PREDICATES), this.value('f64'), this.value('f64'));
    const type: IntegerType = choices.of(INTEGER_TYPES);
    let result = b.icmp(
      choices.of(PREDICATES),
      kind === 2 ? b.binary('and', this.value(type), this.value(type)) : this.value(type),
      this.value(type),
    );
    if (kind === 3) result = b.icmp('eq', result, b.const('i8', 0));
    if (choices.next(5) === 0) this.add(result);
    return result;
  }

  private instruction(kind: number): void {
    const { b, choices } = this;
    const type: IntegerType = choices.of(INTEGER_TYPES);
    const x = (): Value => this.value(type);
    if (kind < 18) this.add(b.binary(choices.of(INTEGER_OPS), x(), x()));
    else if (kind < 20)
      this.add(b.binary(choices.of(CHECKED_OPS), b.binary('and', x(), b.const(type, 63)), b.binary('and', x(), b.const(type, 31))));
    else if (kind < 21) this.add(b.binary(choices.of(CHECKED_OPS), x(), x()));
    else if (kind < 22) this.add(b.binary(choices.of(DIVISIONS), x(), b.binary('or', x(), b.const(type, 1))));
    else if (kind < 24) this.add(b.binary(choices.of(DIVISIONS), x(), this.divisor(type)));
    else if (kind < 25) this.add(b.unary(choices.next(2) === 0 ? 'clz' : 'ctz', x()));
    else if (kind < 26 && type !== 'i8') this.add(b.unary('bswap', x()));
    else if (kind < 27) this.add(choices.next(2) === 0 ? b.neg(x()) : b.not(x()));
    else if (kind < 29) this.add(b.resize(choices.of(INTEGER_TYPES), x(), choices.next(2) === 0));
    else if (kind < 30) this.add(this.condition());
    else if (kind < 32) this.select();
    else if (kind < 34) this.float();
    else if (kind < 38) this.memory(type);
    else b.trapIf(b.binary('and', this.condition(), b.icmp('eq', x(), x())), 'assertion');
  }

  private divisor(type: IntegerType): Value {
    const constant = this.choices.constant(type);
    return this.b.const(type, Number(constant) === 0 ? 7 : constant);
  }

  private select(): void {
    const type = this.choices.of(VALUE_TYPES);
    this.add(this.b.select(this.condition(), this.value(type), this.value(type)));
  }

  private float(): void {
    const { b, choices } = this;
    const x = this.value('f64');
    switch (choices.next(8)) {
      case 0:
        return this.add(b.unary(choices.of(['fneg', 'fabs', 'fsqrt']), x));
      case 1:
        return this.add(b.convert('sitofp', 'f64', this.value(choices.of(['i32', 'i64']))));
      case 2:
        return this.add(b.convert('uitofp', 'f64', this.value(choices.of(['i32', 'i64']))));
      case 3:
        return this.add(b.convert('fptosi', choices.of(['i32', 'i64']), x));
      case 4:
        return this.add(b.convert('fptoui', 'i64', x));
      case 5:
        // The bits of a NaN are not defined: only those of a converted integer are looked at.
        return this.add(b.convert('bitcast', 'i64', b.convert('sitofp', 'f64', this.value('i64'))));
      default:
        return this.add(b.binary(choices.of(FLOAT_OPS), x, this.value('f64')));
    }
  }

  /** A division by the value itself; where it is 0 the divisor is 5. */
  private divideByLoaded(type: IntegerType, divisor: Value): void {
    const { b, choices } = this;
    const isZero = b.icmp('eq', divisor, b.const(type, 0));
    this.add(b.binary(choices.of(['udiv', 'urem']), this.value(type), b.select(isZero, b.const(type, 5), divisor)));
    this.add(b.binary(choices.of(['udiv', 'urem']), this.value(type), divisor));
  }

  private memory(type: IntegerType): void {
    const { b, choices } = this;
    const slot = choices.of(this.slots);
    const place = choices.next(3);
    const bytes = place === 0 ? slot.size : 64;
    const base = place === 0 ? b.slotAddress(slot) : b.symbol(place === 1 ? 'state' : 'table');
    const index = b.convert('zext', 'i64', b.binary('and', this.value('i32'), b.const('i32', bytes === 64 ? 7 : 1)));
    const address = choices.next(2) === 0 ? base : b.binary('add', base, b.binary('shl', index, b.const('i64', choices.next(4))));
    const what = place === 2 ? 0 : choices.next(7);
    if (what < 3) {
      // Used at once, besides later: a load with several users is where narrow and wide views of a register meet.
      const loaded = b.load(type, address);
      this.add(loaded);
      if (choices.next(2) === 0) this.add(b.binary(choices.of(DIVISIONS), this.value(type), b.binary('or', loaded, b.const(type, 1))));
      if (choices.next(2) === 0 && isWide(type)) this.add(b.convert(choices.of(['sitofp', 'uitofp']), 'f64', loaded));
      if (choices.next(2) === 0) this.add(b.binary(choices.of(DIVISIONS), loaded, b.const(type, 3)));
      if (choices.next(2) === 0) this.divideByLoaded(type, loaded);
      return;
    }
    if (what === 3) return b.store(this.value(type), address);
    if (what === 3)
      return b.store(b.binary(choices.of(['add', 'sub', 'and', 'or', 'xor']), b.load(type, address), this.value(type)), address);
    const length = b.const('i64', choices.next(2) === 0 ? 8 : choices.next(9));
    const count = choices.next(2) === 0 ? length : b.binary('and', this.value('i64'), b.const('i64', 7));
    if (what === 5) return b.memory('memset', base, this.value('i8'), count);
    if (choices.next(2) === 0) return b.memory('memmove', b.binary('add', base, b.const('i64', choices.next(4))), base, count);
    return b.memory('memcpy', base, b.binary('add', base, b.const('i64', 8)), count);
  }
}
