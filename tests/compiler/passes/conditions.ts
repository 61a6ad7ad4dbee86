/**
 * Functions of conditions alone: chains of guards over two parameters, and under them questions whose answers make up the result. Run on every
 * pair of values at the edges of the types, so that a bound that is off by one shows.
 */
import fc from 'fast-check';
import { expect } from 'vitest';
import { FunctionBuilder } from '../../../src/compiler/ir/builder.ts';
import type { IntegerPredicate, Value } from '../../../src/compiler/ir/function.ts';
import { Interpreter } from '../../../src/compiler/ir/interpret.ts';
import { Module } from '../../../src/compiler/ir/module.ts';
import { printModule } from '../../../src/compiler/ir/print.ts';
import type { IntegerType } from '../../../src/compiler/ir/types.ts';
import { verifyModule } from '../../../src/compiler/ir/verify.ts';
import { mergeCommonSubexpressions } from '../../../src/compiler/passes/common-subexpressions.ts';
import { eliminateChecks } from '../../../src/compiler/passes/eliminate-checks.ts';
import { foldConstants } from '../../../src/compiler/passes/fold-constants.ts';

const predicates = ['eq', 'ne', 'slt', 'sle', 'sgt', 'sge', 'ult', 'ule', 'ugt', 'uge'] as const;
const operations = [
  'add',
  'sub',
  'mul',
  'and',
  'or',
  'xor',
  'shl',
  'lshr',
  'ashr',
  'sadd',
  'uadd',
  'ssub',
  'usub',
  'smul',
  'umul',
  'udiv',
  'sdiv',
  'urem',
  'srem',
] as const;
const conversions = ['zext', 'sext', 'trunc'] as const;

/** Builds one value more from those there are: the new one is appended. Numbers pick operands modulo what there is. */
type Step =
  | { kind: 'operation'; op: (typeof operations)[number]; a: number; b: number }
  | { kind: 'constant'; value: number; isWide: boolean }
  | { kind: 'not'; predicate: IntegerPredicate; a: number; b: number; by: 'xor' | 'eq' }
  | { kind: 'convert'; op: (typeof conversions)[number]; a: number }
  | { kind: 'compare'; predicate: IntegerPredicate; a: number; b: number }
  | { kind: 'guard'; predicate: IntegerPredicate; a: number; b: number }
  | { kind: 'check'; predicate: IntegerPredicate; a: number; b: number };

const pick = fc.nat(11);
const predicate = fc.constantFrom(...predicates);
const small = fc.constantFrom(0, 1, 2, 3, 4, 7, 8, -1, -2, 127, 128, 255, 0x7fffffff, -0x80000000);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('guard'), predicate, a: pick, b: pick }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('compare'), predicate, a: pick, b: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('constant'), value: small, isWide: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('not'), predicate, a: pick, b: pick, by: fc.constantFrom('xor', 'eq') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('operation'), op: fc.constantFrom(...operations), a: pick, b: pick }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('convert'), op: fc.constantFrom(...conversions), a: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('check'), predicate, a: pick, b: pick }) },
) as fc.Arbitrary<Step>;

/** A guard that does not hold ends the function with what there is. */
function build(steps: readonly Step[], type: IntegerType): Module {
  const b = new FunctionBuilder('f', [type, type], ['i64']);
  const values: Value[] = [...b.params];
  let sum = b.const('i64', 0);
  const at = (k: number, like: IntegerType | null): Value => {
    const among = like === null ? values : values.filter((v) => v.type === like);
    const value = among[k % among.length];
    if (value === undefined) throw new Error('there are always the parameters');
    return value;
  };
  const note = (value: Value) => {
    sum = b.binary('add', b.binary('mul', sum, b.const('i64', 7)), b.resize('i64', value, true));
  };
  const pair = (k: number, l: number): readonly [Value, Value] => {
    const a = at(k, null);
    return [a, at(l, a.type as IntegerType)];
  };
  for (const each of steps) {
    switch (each.kind) {
      case 'constant':
        values.push(b.const(each.isWide ? 'i64' : type, each.value));
        break;
      case 'not': {
        const condition = b.icmp(each.predicate, ...pair(each.a, each.b));
        note(each.by === 'xor' ? b.binary('xor', condition, b.const('i8', 1)) : b.icmp('eq', condition, b.const('i8', 0)));
        break;
      }
      case 'operation': {
        const [x, y] = pair(each.a, each.b);
        values.push(b.binary(each.op, x, y));
        note(values[values.length - 1] ?? x);
        break;
      }
      case 'convert': {
        const x = at(each.a, type);
        const to = each.op === 'trunc' ? 'i8' : 'i64';
        if (type !== to) values.push(b.convert(each.op, to, x));
        break;
      }
      case 'compare':
        note(b.icmp(each.predicate, ...pair(each.a, each.b)));
        break;
      case 'check':
        b.trapIf(b.icmp(each.predicate, ...pair(each.a, each.b)), 'bounds');
        break;
      case 'guard': {
        const [inside, outside] = [b.block(), b.block()];
        b.branch(b.icmp(each.predicate, ...pair(each.a, each.b)), inside, outside);
        b.place(outside);
        b.return([sum]);
        b.place(inside);
        break;
      }
    }
  }
  b.return([sum]);
  const module = new Module();
  module.functions.push(b.finish());
  return module;
}

const edges: Readonly<Record<'i8' | 'i32', readonly number[]>> = {
  i8: [0, 1, 2, 3, 4, 8, 126, 127, -1, -2, -127, -128],
  i32: [0, 1, 2, 3, 127, 255, 256, 0x7ffffffe, 0x7fffffff, -1, -2, -0x7fffffff, -0x80000000],
};

function outcomes(module: Module, type: 'i8' | 'i32'): string {
  const all: string[] = [];
  const interpreter = new Interpreter(module);
  for (const x of edges[type]) {
    for (const y of edges[type]) {
      const outcome = interpreter.run('f', [x, y]);
      all.push(
        `${x},${y}: ${outcome.kind} ${outcome.kind === 'returned' ? outcome.results.join() : outcome.kind === 'trapped' ? outcome.trap : ''}`,
      );
    }
  }
  return all.join('\n');
}

export function judgeConditions(type: 'i8' | 'i32', runs: number, seed = 1): void {
  fc.assert(
    fc.property(fc.array(step, { minLength: 3, maxLength: 14 }), (steps) => {
      const module = build(steps, type);
      const text = printModule(module);
      const before = outcomes(module, type);
      for (const fn of module.functions) {
        mergeCommonSubexpressions(fn);
        foldConstants(fn);
        eliminateChecks(fn);
        foldConstants(fn);
      }
      expect(verifyModule(module)).toEqual([]);
      const after = outcomes(module, type);
      if (after !== before) {
        const wrong = after.split('\n').find((line, k) => line !== before.split('\n')[k]);
        throw new Error(`now ${wrong}\n${text}\nbecame\n${printModule(module)}`);
      }
    }),
    { numRuns: runs, seed },
  );
}
