/** Random functions for the passes' judge: they end, touch only their own slots and one data object, and may trap. */
import fc from 'fast-check';
import { FunctionBuilder } from '../../../src/compiler/ir/builder.ts';
import type { IntegerPredicate, Value } from '../../../src/compiler/ir/function.ts';
import { Module } from '../../../src/compiler/ir/module.ts';
import { Variables } from '../../../src/compiler/ir/ssa.ts';
import type { IntegerType } from '../../../src/compiler/ir/types.ts';

type Step =
  | { kind: 'binary'; op: (typeof binaryOps)[number]; target: number; a: Operand; b: Operand }
  | { kind: 'compare'; predicate: IntegerPredicate; target: number; a: Operand; b: Operand }
  | { kind: 'resize'; target: number; a: number; signed: boolean }
  | { kind: 'store'; a: Operand; at: number }
  | { kind: 'load'; target: number; at: number }
  | { kind: 'check'; predicate: IntegerPredicate; a: Operand; b: Operand }
  | { kind: 'call'; target: number; callee: number; a: Operand; b: Operand }
  | { kind: 'if'; predicate: IntegerPredicate; a: Operand; b: Operand; yes: Step[]; no: Step[] }
  | { kind: 'both'; first: IntegerPredicate; second: IntegerPredicate; a: Operand; b: Operand; yes: Step[] }
  | { kind: 'loop'; count: number; up: boolean; checked: boolean; body: Step[] }
  | { kind: 'index'; length: number; body: Step[] }
  | { kind: 'guard'; predicate: IntegerPredicate; a: Operand; b: Operand; asks: Ask[] }
  | { kind: 'select'; target: number; a: Operand; b: Operand };
/** A question about the two operands of a condition that holds: a comparison (of widened values, if `widen`), or a checked step of the first. */
type Ask =
  | { predicate: IntegerPredicate; widen: 'no' | 'zext' | 'sext'; low: boolean; swap: boolean; constant: number | null }
  | { op: 'sadd' | 'ssub' | 'uadd' | 'usub' | 'smul'; by: number | null };
type Operand = { variable: number } | { constant: number };

const binaryOps = [
  'add', 'sub', 'mul', 'and', 'or', 'xor', 'shl', 'lshr', 'ashr',
  'sadd', 'uadd', 'ssub', 'usub', 'smul', 'umul', 'udiv', 'sdiv', 'urem', 'srem',
] as const; // biome-ignore format: the groups of ops.ts
const predicates = ['eq', 'ne', 'slt', 'sle', 'sgt', 'sge', 'ult', 'ule', 'ugt', 'uge'] as const;
/** Variables 0–2 are i32, 3–4 i64, 5 i8. */
const variableTypes: readonly IntegerType[] = ['i32', 'i32', 'i32', 'i64', 'i64', 'i8'];

const constant = fc.oneof(
  fc.constantFrom(0, 1, -1, 2, 8, 16, 127, 128, 255, 256, 0x7fffffff, -0x80000000),
  fc.integer({ min: -20, max: 20 }),
  fc.integer(),
);
const operand: fc.Arbitrary<Operand> = fc.oneof(fc.record({ variable: fc.nat(5) }), fc.record({ constant }));
const predicate = fc.constantFrom(...predicates);
const target = fc.nat(5);

const nearby = fc.constantFrom(0, 1, 2, 3, -1, -2, 4, 5, 0x7fffffff, 0x7ffffffe, -0x80000000, -0x7fffffff);
const ask: fc.Arbitrary<Ask> = fc.oneof(
  fc.record({
    predicate,
    widen: fc.constantFrom('no', 'zext', 'sext'),
    low: fc.boolean(),
    swap: fc.boolean(),
    constant: fc.option(nearby),
  }),
  fc.record({ op: fc.constantFrom('sadd', 'ssub', 'uadd', 'usub', 'smul'), by: fc.option(nearby) }),
);
const guarded = fc.oneof(fc.record({ variable: fc.nat(2) }), fc.record({ constant: nearby }));

const { steps } = fc.letrec<{ step: Step; steps: Step[] }>((tie) => ({
  steps: fc.array(tie('step'), { maxLength: 6, depthIdentifier: 'steps' }),
  step: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'steps', withCrossShrink: true },
    fc.record({ kind: fc.constant('binary'), op: fc.constantFrom(...binaryOps), target, a: operand, b: operand }),
    fc.record({ kind: fc.constant('compare'), predicate, target: fc.constant(5), a: operand, b: operand }),
    fc.record({ kind: fc.constant('resize'), target, a: target, signed: fc.boolean() }),
    fc.record({ kind: fc.constant('store'), a: operand, at: fc.nat(7) }),
    fc.record({ kind: fc.constant('load'), target, at: fc.nat(7) }),
    fc.record({ kind: fc.constant('check'), predicate, a: operand, b: operand }),
    fc.record({ kind: fc.constant('call'), target: fc.nat(2), callee: fc.nat(2), a: operand, b: operand }),
    fc.record({
      kind: fc.constant('guard'),
      predicate,
      a: fc.record({ variable: fc.nat(2) }),
      b: guarded,
      asks: fc.array(ask, { maxLength: 4 }),
    }),
    fc.record({ kind: fc.constant('select'), target, a: operand, b: operand }),
    fc.record({ kind: fc.constant('if'), predicate, a: operand, b: operand, yes: tie('steps'), no: tie('steps') }),
    fc.record({ kind: fc.constant('both'), first: predicate, second: predicate, a: operand, b: operand, yes: tie('steps') }),
    fc.record({ kind: fc.constant('loop'), count: fc.nat(5), up: fc.boolean(), checked: fc.boolean(), body: tie('steps') }),
    fc.record({ kind: fc.constant('index'), length: fc.nat(6), body: tie('steps') }),
  ) as fc.Arbitrary<Step>,
}));

/** Three functions; each calls those in front of it. The last, `f2`, is the one to run. */
export const generatedBodies: fc.Arbitrary<Step[][]> = fc
  .tuple(steps, steps, fc.array(steps, { minLength: 1, maxLength: 3 }))
  .map(([a, b, c]) => [a, b, c.flat()]);

export function buildModule(bodies: readonly Step[][]): Module {
  const module = new Module();
  module.data.push({ symbol: 'table', section: '.data', kind: 'data', align: 8, size: 64, bytes: null, relocations: [], exported: true });
  for (const [index, body] of bodies.entries()) {
    const builder = new FunctionBuilder(`f${index}`, ['i32', 'i32'], ['i32', 'i64']);
    new Emitter(builder, index).body(body);
    const fn = builder.finish();
    fn.exported = index === bodies.length - 1;
    module.functions.push(fn);
  }
  return module;
}

class Emitter {
  readonly b: FunctionBuilder;
  readonly index: number;
  readonly vars: Variables;
  readonly slots;
  readonly names;

  constructor(b: FunctionBuilder, index: number) {
    this.b = b;
    this.index = index;
    this.vars = new Variables(b);
    this.names = variableTypes.map((type) => this.vars.declare(type));
    this.slots = [b.slot(32, 8), b.slot(32, 8)];
  }

  body(steps: readonly Step[]): void {
    const [p, q] = this.b.params;
    if (p === undefined || q === undefined) throw new Error('two parameters');
    this.write(0, p);
    this.write(1, q);
    for (const k of [2, 3, 4, 5]) this.write(k, this.b.const(variableTypes[k] ?? 'i32', k));
    for (let k = 0; k < 8; k += 1) this.b.store(this.b.const('i32', k), this.address(k));
    for (const step of steps) this.step(step);
    // Everything that the function has computed shows in its results.
    const { b } = this;
    let small = this.read(0);
    for (const k of [1, 2, 5]) small = b.binary('add', b.binary('mul', small, b.const('i32', 31)), b.resize('i32', this.read(k), true));
    for (let k = 0; k < 8; k += 1) small = b.binary('xor', small, b.load('i32', this.address(k)));
    b.return([small, b.binary('xor', this.read(3), b.binary('mul', this.read(4), b.const('i64', 31)))]);
    this.vars.finish();
  }

  read(index: number): Value {
    const name = this.names[index];
    if (name === undefined) throw new Error('no such variable');
    return this.vars.read(name);
  }

  write(index: number, value: Value): void {
    const name = this.names[index];
    if (name === undefined) throw new Error('no such variable');
    this.vars.write(name, this.b.resize(variableTypes[index] ?? 'i32', value, index % 2 === 0));
  }

  operand(o: Operand, type: IntegerType): Value {
    return 'constant' in o ? this.b.const(type, o.constant) : this.b.resize(type, this.read(o.variable), o.variable % 2 === 1);
  }

  /** 0–3 in the first slot, 4–5 in the second, 6–7 in the data object. */
  address(at: number): Value {
    const [first, second] = this.slots;
    if (first === undefined || second === undefined) throw new Error('two slots');
    if (at < 4) return this.b.binary('add', this.b.slotAddress(first), this.b.const('i64', at * 4));
    return at < 6 ? this.b.slotAddress(second, at * 4) : this.b.symbol('table', (at - 6) * 4);
  }

  compare(predicate: IntegerPredicate, a: Operand, b: Operand): Value {
    const type = 'variable' in a ? (variableTypes[a.variable] ?? 'i32') : 'i32';
    return this.b.icmp(predicate, this.operand(a, type), this.operand(b, type));
  }

  step(step: Step): void {
    const { b } = this;
    switch (step.kind) {
      case 'binary': {
        const type = variableTypes[step.target] ?? 'i32';
        this.write(step.target, b.binary(step.op, this.operand(step.a, type), this.operand(step.b, type)));
        return;
      }
      case 'compare':
        this.write(step.target, this.compare(step.predicate, step.a, step.b));
        return;
      case 'resize':
        this.write(step.target, b.resize(variableTypes[step.target] ?? 'i32', this.read(step.a), step.signed));
        return;
      case 'store':
        b.store(this.operand(step.a, 'i32'), this.address(step.at));
        return;
      case 'load':
        this.write(step.target, b.load('i32', this.address(step.at)));
        return;
      case 'check':
        b.trapIf(this.compare(step.predicate, step.a, step.b), 'bounds');
        return;
      case 'call': {
        if (step.callee >= this.index) return;
        const [r, s] = b.call(`f${step.callee}`, [this.operand(step.a, 'i32'), this.operand(step.b, 'i32')], ['i32', 'i64']);
        if (r === undefined || s === undefined) throw new Error('two results');
        this.write(step.target, r);
        this.write(4, s);
        return;
      }
      case 'select': {
        const type = variableTypes[step.target] ?? 'i32';
        this.write(step.target, b.select(this.read(5), this.operand(step.a, type), this.operand(step.b, type)));
        return;
      }
      case 'if':
        this.branch(this.compare(step.predicate, step.a, step.b), step.yes, step.no);
        return;
      case 'both': {
        // As `a && b` is built: the second condition in a block of its own, joined by a parameter.
        const second = b.block();
        const join = b.block();
        const both = b.param(join, 'i8');
        b.branch(this.compare(step.first, step.a, step.b), second, join, [], [b.const('i8', 0)]);
        this.vars.seal(second);
        b.place(second);
        b.jump(join, [this.compare(step.second, step.b, step.a)]);
        this.vars.seal(join);
        b.place(join);
        this.branch(both, step.yes, []);
        return;
      }
      case 'guard': {
        const [left, right] = [this.operand(step.a, 'i32'), this.operand(step.b, 'i32')];
        const [yes, join] = [b.block(), b.block()];
        b.branch(b.icmp(step.predicate, left, right), yes, join);
        this.vars.seal(yes);
        b.place(yes);
        for (const each of step.asks) this.ask(each, left, right);
        b.jump(join);
        this.vars.seal(join);
        b.place(join);
        return;
      }
      case 'loop':
        this.loop(step.count, step.up, step.checked, null, step.body);
        return;
      case 'index':
        this.loop(step.length, true, true, 6, step.body);
        return;
    }
  }

  ask(ask: Ask, left: Value, right: Value): void {
    const { b } = this;
    const note = (value: Value) =>
      this.write(0, b.binary('add', b.binary('mul', this.read(0), b.const('i32', 3)), b.resize('i32', value, false)));
    if ('op' in ask) {
      note(b.binary(ask.op, left, ask.by === null ? right : b.const('i32', ask.by)));
      return;
    }
    const wide = (value: Value) => (ask.widen === 'no' ? value : b.convert(ask.widen, 'i64', value));
    const other = ask.constant === null ? wide(right) : b.const(ask.widen === 'no' ? 'i32' : 'i64', ask.constant);
    const [x, y] = ask.swap ? [other, wide(left)] : [wide(left), other];
    note(ask.low ? b.icmp(ask.predicate, b.convert('trunc', 'i8', x), b.convert('trunc', 'i8', y)) : b.icmp(ask.predicate, x, y));
  }

  branch(condition: Value, yesSteps: readonly Step[], noSteps: readonly Step[]): void {
    const { b } = this;
    const [yes, no, join] = [b.block(), b.block(), b.block()];
    b.branch(condition, yes, no);
    this.vars.seal(yes);
    this.vars.seal(no);
    b.place(yes);
    for (const step of yesSteps) this.step(step);
    b.jump(join);
    b.place(no);
    for (const step of noSteps) this.step(step);
    b.jump(join);
    this.vars.seal(join);
    b.place(join);
  }

  /** A counted loop; with `bound` its counter indexes a slice of that length, checked as the front end does. */
  loop(count: number, up: boolean, checked: boolean, bound: number | null, body: readonly Step[]): void {
    const { b } = this;
    const counter = this.vars.declare('i32');
    this.vars.write(counter, b.const('i32', up ? 0 : count));
    const [head, inside, after] = [b.block(), b.block(), b.block()];
    b.jump(head);
    b.place(head);
    const now = this.vars.read(counter);
    const limit = up ? b.const('i32', count) : b.const('i32', 0);
    b.branch(b.icmp(up ? 'slt' : 'sgt', now, limit), inside, after);
    this.vars.seal(inside);
    b.place(inside);
    if (bound !== null) {
      const index = b.convert('sext', 'i64', now);
      b.trapIf(b.icmp('uge', index, b.const('i64', bound)), 'bounds');
      this.write(0, b.binary('xor', this.read(0), now));
    }
    for (const step of body) this.step(step);
    const one = b.const('i32', 1);
    const checkedOp = up ? 'sadd' : 'ssub';
    this.vars.write(counter, b.binary(checked ? checkedOp : up ? 'add' : 'sub', this.vars.read(counter), one));
    b.jump(head);
    this.vars.seal(head);
    this.vars.seal(after);
    b.place(after);
  }
}
