import { describe, expect, test } from 'vitest';
import { FunctionBuilder } from '../../../src/compiler/ir/builder.ts';
import { interpret } from '../../../src/compiler/ir/interpret.ts';
import { Module } from '../../../src/compiler/ir/module.ts';
import { printFunction } from '../../../src/compiler/ir/print.ts';
import { Variables } from '../../../src/compiler/ir/ssa.ts';
import type { Constant } from '../../../src/compiler/ir/types.ts';
import { verifyModule } from '../../../src/compiler/ir/verify.ts';

/** Runs the finished function, which must be well-formed. */
function run(b: FunctionBuilder, variables: Variables, ...args: Constant[]): readonly Constant[] {
  variables.finish();
  const module = new Module();
  module.functions.push(b.finish());
  expect(verifyModule(module)).toEqual([]);
  const outcome = interpret(module, b.fn.symbol, args);
  if (outcome.kind !== 'returned') throw new Error(outcome.kind);
  return outcome.results;
}

describe('Variables', () => {
  test('a variable that both ways assign gets a parameter where they meet', () => {
    const b = new FunctionBuilder('f', ['i8'], ['i32']);
    const variables = new Variables(b);
    const x = variables.declare('i32');
    const [condition] = b.params;
    if (condition === undefined) throw new Error('no parameter');
    const [yes, no, join] = [b.block(), b.block(), b.block()];
    b.branch(condition, yes, no);
    for (const [block, value] of [
      [yes, 1],
      [no, 2],
    ] as const) {
      variables.seal(block);
      b.place(block);
      variables.write(x, b.const('i32', value));
      b.jump(join);
    }
    variables.seal(join);
    b.place(join);
    b.return([variables.read(x)]);
    expect(run(b, variables, 1)).toEqual([1]);
    expect(join.params.length).toBe(1);
  });

  test('a loop carries what it assigns, and nothing else', () => {
    // let sum = 0; let unchanged = n; for (let i = n; i !== 0; i--) sum += unchanged; return sum;
    const b = new FunctionBuilder('f', ['i32'], ['i32']);
    const variables = new Variables(b);
    const [n] = b.params;
    if (n === undefined) throw new Error('no parameter');
    const [sum, unchanged, i] = [variables.declare('i32'), variables.declare('i32'), variables.declare('i32')];
    variables.write(sum, b.const('i32', 0));
    variables.write(unchanged, n);
    variables.write(i, n);
    const [header, body, exit] = [b.block(), b.block(), b.block()];
    b.jump(header);
    b.place(header);
    b.branch(b.icmp('ne', variables.read(i), b.const('i32', 0)), body, exit);
    variables.seal(body);
    b.place(body);
    variables.write(sum, b.binary('add', variables.read(sum), variables.read(unchanged)));
    variables.write(i, b.binary('sub', variables.read(i), b.const('i32', 1)));
    b.jump(header);
    variables.seal(header);
    variables.seal(exit);
    b.place(exit);
    b.return([variables.read(sum)]);
    expect(run(b, variables, 7)).toEqual([49]);
    expect(header.params.length).toBe(2);
  });

  test('two variables that change places in a loop', () => {
    const b = new FunctionBuilder('f', ['i32'], ['i32', 'i32']);
    const variables = new Variables(b);
    const [n] = b.params;
    if (n === undefined) throw new Error('no parameter');
    const [x, y, i] = [variables.declare('i32'), variables.declare('i32'), variables.declare('i32')];
    variables.write(x, b.const('i32', 1));
    variables.write(y, b.const('i32', 2));
    variables.write(i, n);
    const [header, body, exit] = [b.block(), b.block(), b.block()];
    b.jump(header);
    b.place(header);
    b.branch(b.icmp('ne', variables.read(i), b.const('i32', 0)), body, exit);
    variables.seal(body);
    b.place(body);
    const before = variables.read(x);
    variables.write(x, variables.read(y));
    variables.write(y, before);
    variables.write(i, b.binary('sub', variables.read(i), b.const('i32', 1)));
    b.jump(header);
    variables.seal(header);
    variables.seal(exit);
    b.place(exit);
    b.return([variables.read(x), variables.read(y)]);
    expect(run(b, variables, 3)).toEqual([2, 1]);
  });

  test('what is not assigned on some way is 0 there', () => {
    const b = new FunctionBuilder('f', [], ['i64']);
    const variables = new Variables(b);
    const x = variables.declare('i64');
    b.return([variables.read(x)]);
    expect(run(b, variables)).toEqual([0n]);
  });

  test('a loop that nothing enters does not hold up the search', () => {
    const b = new FunctionBuilder('f', [], ['i64']);
    const variables = new Variables(b);
    const x = variables.declare('i64');
    b.return([b.const('i64', 5)]);
    const [header, exit] = [b.block(), b.block()];
    b.place(header);
    b.branch(b.const('i8', 1), header, exit);
    variables.seal(header);
    variables.seal(exit);
    b.place(exit);
    b.return([variables.read(x)]);
    expect(run(b, variables)).toEqual([5n]);
  });

  test('a variable may be read behind very many blocks that do not touch it', () => {
    const b = new FunctionBuilder('f', ['i8', 'i64'], ['i64']);
    const variables = new Variables(b);
    const x = variables.declare('i64');
    const [condition, value] = b.params;
    if (condition === undefined || value === undefined) throw new Error('no parameters');
    variables.write(x, value);
    for (let k = 0; k < 6_000; k++) {
      const [yes, join] = [b.block(), b.block()];
      b.branch(condition, yes, join);
      variables.seal(yes);
      b.place(yes);
      b.jump(join);
      variables.seal(join);
      b.place(join);
    }
    b.return([variables.read(x)]);
    expect(run(b, variables, 1, 7n)).toEqual([7n]);
  });

  test('an edge to a sealed block is a bug', () => {
    const b = new FunctionBuilder('f', [], []);
    const variables = new Variables(b);
    const block = b.block();
    variables.seal(block);
    expect(() => b.jump(block)).toThrow('which is sealed');
  });
});

describe('FunctionBuilder', () => {
  test('resizes integers by their sign', () => {
    const b = new FunctionBuilder('f', ['i16'], ['i64', 'i8']);
    const [x] = b.params;
    if (x === undefined) throw new Error('no parameter');
    b.return([b.resize('i64', x, true), b.resize('i8', x, true)]);
    expect(printFunction(b.finish())).toBe(
      'function @f(i16) -> (i64, i8) {\nb0(%0: i16):\n  %1 = sext.i64 %0\n  %2 = trunc.i8 %0\n  return %1, %2\n}\n',
    );
  });

  test('an instruction behind the end of a block and a block without an end are bugs', () => {
    const b = new FunctionBuilder('f', [], []);
    expect(() => b.finish()).toThrow('b0 has no terminator');
    b.return([]);
    expect(() => b.const('i8', 1)).toThrow('behind the end of b0');
    expect(() => b.trap('null')).toThrow('behind the end of b0');
  });
});
