/**
 * Building functions: one method per kind of instruction, appended to the current block.
 *
 *     const b = new FunctionBuilder('sum', ['i64', 'i64'], ['i64'], location);
 *     const [x, y] = b.params;                      // the entry block is current
 *     b.at(location);                               // of what follows
 *     b.return([b.checked('uadd', x, y)]);
 *     module.functions.push(b.finish());
 *
 * Operand types are taken as given; the verifier checks them. A block that has its terminator takes no more instructions: `isOpen` tells.
 * Variables that are assigned to are built with `Variables` (ssa.ts).
 */

import { bug } from '../../machine/isa/bug.ts';
import {
  type Block,
  type FloatPredicate,
  type InlineAssembly,
  Instruction,
  type IntegerPredicate,
  IrFunction,
  type StackSlot,
  Terminator,
  type Value,
} from './function.ts';
import type { Location } from './module.ts';
import { type Op, opRow } from './ops.ts';
import type { TrapCode } from './trap-codes.ts';
import { type Constant, type IntegerType, isInteger, normal, type Type } from './types.ts';

export type BinaryOp = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'shl' | 'lshr' | 'ashr' | 'fadd' | 'fsub' | 'fmul' | 'fdiv';
export type UnaryOp = 'clz' | 'ctz' | 'bswap' | 'fneg' | 'fabs' | 'fsqrt';
export type TrappingOp = 'sadd' | 'uadd' | 'ssub' | 'usub' | 'smul' | 'umul' | 'udiv' | 'sdiv' | 'urem' | 'srem';
export type ConversionOp = 'zext' | 'sext' | 'trunc' | 'bitcast' | 'sitofp' | 'uitofp' | 'fptosi' | 'fptoui';

export class FunctionBuilder {
  readonly fn: IrFunction;
  /** The entry block's parameters. */
  readonly params: readonly Value[];
  /** Called with each block that has just got its terminator. */
  onTerminator: ((block: Block) => void) | null = null;
  /** Of what is appended next. */
  location: Location | null;
  private current: Block;

  constructor(symbol: string, params: readonly Type[], results: readonly Type[], location: Location | null = null) {
    this.fn = new IrFunction(symbol, params, results, location);
    const entry = this.block();
    for (const type of params) this.fn.addParam(entry, type);
    this.params = entry.params;
    this.current = entry;
    this.location = location;
    this.place(entry);
  }

  /** Sets the location of the instructions that follow. */
  at(location: Location | null): this {
    this.location = location;
    return this;
  }

  /** A new block; it is part of the function from `place` on. */
  block(): Block {
    return this.fn.newBlock();
  }

  param(block: Block, type: Type): Value {
    return this.fn.addParam(block, type);
  }

  /** Appends `block` to the function's layout and makes it current. */
  place(block: Block): void {
    this.fn.blocks.push(block);
    this.current = block;
  }

  /** Where instructions go now. */
  get here(): Block {
    return this.current;
  }

  /** False behind a terminator: what would follow cannot be reached. */
  get isOpen(): boolean {
    return this.current.terminator === null;
  }

  slot(size: number, align: number): StackSlot {
    return this.fn.newSlot(size, align);
  }

  finish(): IrFunction {
    for (const block of this.fn.blocks) {
      if (block.terminator === null) bug(`${this.fn.symbol}: block b${block.id} has no terminator`);
    }
    return this.fn;
  }

  // Values

  /** `value` is cut to the type; a `number` for i64 must be a safe integer. */
  const(type: Type, value: Constant): Value {
    const i = this.append('const', type, []);
    i.value = normal(type, value);
    return this.result(i, type);
  }

  symbol(symbol: string, offset = 0): Value {
    const i = this.append('symbol', 'i64', []);
    i.symbol = symbol;
    i.offset = offset;
    return this.result(i, 'i64');
  }

  slotAddress(slot: StackSlot, offset = 0): Value {
    const i = this.append('slot', 'i64', []);
    i.slot = slot;
    i.offset = offset;
    return this.result(i, 'i64');
  }

  // Arithmetic

  binary(op: BinaryOp | TrappingOp, a: Value, b: Value): Value {
    return this.result(this.append(op, a.type, [a, b]), a.type);
  }

  unary(op: UnaryOp, a: Value): Value {
    return this.result(this.append(op, a.type, [a]), a.type);
  }

  neg(a: Value): Value {
    return this.binary('sub', this.const(a.type, 0), a);
  }

  not(a: Value): Value {
    return this.binary('xor', a, this.const(a.type, -1));
  }

  icmp(predicate: IntegerPredicate, a: Value, b: Value): Value {
    const i = this.append('icmp', a.type, [a, b]);
    i.predicate = predicate;
    return this.result(i, 'i8');
  }

  fcmp(predicate: FloatPredicate, a: Value, b: Value): Value {
    const i = this.append('fcmp', 'f64', [a, b]);
    i.predicate = predicate;
    return this.result(i, 'i8');
  }

  select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
    return this.result(this.append('select', whenTrue.type, [condition, whenTrue, whenFalse]), whenTrue.type);
  }

  convert(op: ConversionOp, type: Type, a: Value): Value {
    return this.result(this.append(op, type, [a]), type);
  }

  /** To another integer type by the fitting one of zext, sext, trunc, or as it is. */
  resize(type: IntegerType, a: Value, signed: boolean): Value {
    if (a.type === type) return a;
    if (!isInteger(a.type)) bug(`resize of ${a.type}`);
    const narrower = type === 'i8' || (type === 'i16' && a.type !== 'i8') || (type === 'i32' && a.type === 'i64');
    return this.convert(narrower ? 'trunc' : signed ? 'sext' : 'zext', type, a);
  }

  // Memory

  load(type: Type, address: Value, offset = 0, volatile = false): Value {
    const i = this.append('load', type, [address]);
    i.offset = offset;
    i.volatile = volatile;
    return this.result(i, type);
  }

  store(value: Value, address: Value, offset = 0, volatile = false): void {
    const i = this.append('store', value.type, [value, address]);
    i.offset = offset;
    i.volatile = volatile;
  }

  memory(op: 'memcpy' | 'memmove' | 'memset', to: Value, from: Value, bytes: Value): void {
    this.append(op, 'i64', [to, from, bytes]);
  }

  // Calls

  /** Up to two results, integers or f64. */
  call(symbol: string, args: Value[], results: readonly Type[]): readonly Value[] {
    const i = this.append('call', results[0] ?? 'i64', args);
    i.symbol = symbol;
    return this.setResults(i, results);
  }

  callIndirect(target: Value, args: readonly Value[], results: readonly Type[]): readonly Value[] {
    return this.setResults(this.append('callind', results[0] ?? 'i64', [target, ...args]), results);
  }

  /** @returns the result of type `type`, or null if the assembly has no output */
  asm(assembly: InlineAssembly, args: Value[], type: Type = 'i64'): Value | null {
    const i = this.append('asm', type, args);
    i.assembly = assembly;
    return assembly.output === null ? null : this.result(i, type);
  }

  trapIf(condition: Value, trap: TrapCode): void {
    this.append('trapif', 'i8', [condition]).trap = trap;
  }

  // Terminators

  jump(to: Block, args: Value[] = []): void {
    this.end(new Terminator('jump', [], [{ block: to, args }], this.location));
  }

  branch(condition: Value, whenTrue: Block, whenFalse: Block, trueArgs: Value[] = [], falseArgs: Value[] = []): void {
    const targets = [
      { block: whenTrue, args: trueArgs },
      { block: whenFalse, args: falseArgs },
    ];
    this.end(new Terminator('branch', [condition], targets, this.location));
  }

  switch(value: Value, cases: readonly (readonly [Constant, Block])[], otherwise: Block): void {
    const targets = [...cases.map(([, block]) => ({ block, args: [] })), { block: otherwise, args: [] }];
    const terminator = new Terminator('switch', [value], targets, this.location);
    terminator.cases = cases.map(([constant]) => normal(value.type, constant));
    this.end(terminator);
  }

  return(values: Value[]): void {
    this.end(new Terminator('return', values, [], this.location));
  }

  trap(trap: TrapCode): void {
    const terminator = new Terminator('trap', [], [], this.location);
    terminator.trap = trap;
    this.end(terminator);
  }

  private append(op: Op, type: Type, args: Value[]): Instruction {
    const i = new Instruction(op, type, args, this.location);
    if (this.current.terminator !== null) bug(`${this.fn.symbol}: ${op} (${opRow(op).meaning}) behind the end of b${this.current.id}`);
    this.current.instructions.push(i);
    return i;
  }

  private result(i: Instruction, type: Type): Value {
    const value = this.fn.newValue(type, i);
    i.results = [value];
    return value;
  }

  private setResults(i: Instruction, types: readonly Type[]): readonly Value[] {
    i.results = types.map((type) => this.fn.newValue(type, i));
    return i.results;
  }

  private end(terminator: Terminator): void {
    if (this.current.terminator !== null) bug(`${this.fn.symbol}: ${terminator.op} behind the end of b${this.current.id}`);
    this.current.terminator = terminator;
    this.onTerminator?.(this.current);
  }
}
