/**
 * Is this IR well-formed? The pipeline asks after every pass when it is told to check.
 *
 * Checked: ids in range, every value defined once, every use dominated by its definition, the types of operands, results, edge arguments
 * and returned values, terminators, constants in normal form, offsets, the entry block. Unreachable blocks are checked for types, not
 * for dominance.
 */

import { bug } from '../../machine/isa/bug.ts';
import { Dominators } from './dominators.ts';
import type { Block, Edge, Instruction, IrFunction, Terminator, Value } from './function.ts';
import type { Module } from './module.ts';
import { type OperandType, opRow } from './ops.ts';
import { printInstruction, printTerminator } from './print.ts';
import { bytesOf, isInteger, normal, type Type } from './types.ts';

/** All that is wrong, a line each; empty if the module is well-formed. */
export function verifyModule(module: Module): string[] {
  const problems: string[] = [];
  const symbols = new Set<string>();
  for (const { symbol } of [...module.functions, ...module.data]) {
    if (symbols.has(symbol)) problems.push(`@${symbol} is defined twice`);
    symbols.add(symbol);
  }
  for (const data of module.data) {
    if (data.bytes !== null && data.bytes.length !== data.size) {
      problems.push(`@${data.symbol} has size ${data.size} but ${data.bytes.length} bytes`);
    }
    if (data.kind === 'bss' && (data.bytes !== null || data.relocations.length > 0))
      problems.push(`@${data.symbol} is bss but has content`);
  }
  for (const fn of module.functions) problems.push(...verifyFunction(fn));
  return problems;
}

/** All that is wrong, a line each; empty if the function is well-formed. */
export function verifyFunction(fn: IrFunction): string[] {
  return new Verifier(fn).run();
}

/** Ends with `bug()` if a pass has left the module ill-formed. */
export function assertValid(module: Module, after: string): void {
  const problems = verifyModule(module);
  if (problems.length > 0) bug(`the IR is not well-formed after ${after}:\n${problems.slice(0, 20).join('\n')}`);
}

const ASSEMBLY_REGISTERS = new Set('rax rcx rdx rbx rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' '));

class Verifier {
  private readonly fn: IrFunction;
  private readonly problems: string[] = [];
  private readonly blocks: Set<Block>;
  /** Position of each value's definition in its block: -1 for parameters. Undefined: not defined. */
  private readonly position: (number | undefined)[] = [];
  private readonly defined: (Value | undefined)[] = [];
  private where = '';

  constructor(fn: IrFunction) {
    this.fn = fn;
    this.blocks = new Set(fn.blocks);
  }

  run(): string[] {
    const { fn } = this;
    const [entry] = fn.blocks;
    if (entry === undefined) return [`@${fn.symbol}: there are no blocks`];
    if (this.blocks.size !== fn.blocks.length) this.problem('a block is in the layout twice');
    if (fn.results.length > 2) this.problem(`it has ${fn.results.length} results, at most 2 are possible`);
    if (entry.params.map((p) => p.type).join() !== fn.params.join()) this.problem("the entry block's parameters are not the function's");

    const definers = this.collectDefinitions();
    for (const block of fn.blocks) this.checkBlock(block);
    if (this.problems.length === 0) this.checkDominance(definers);
    return this.problems;
  }

  private problem(message: string): void {
    this.problems.push(`@${this.fn.symbol}${this.where}: ${message}`);
  }

  /** @returns the block in which each value is defined */
  private collectDefinitions(): (Block | undefined)[] {
    const definers: (Block | undefined)[] = [];
    const define = (value: Value, def: Block | Instruction, block: Block, position: number): void => {
      if (!(value.id >= 0 && value.id < this.fn.valueCount)) this.problem(`%${value.id} is not below valueCount (${this.fn.valueCount})`);
      if (this.defined[value.id] !== undefined) this.problem(`%${value.id} is defined twice`);
      if (value.def !== def) this.problem(`%${value.id} does not point back to its definition`);
      this.defined[value.id] = value;
      this.position[value.id] = position;
      definers[value.id] = block;
    };
    const ids = new Set<number>();
    for (const block of this.fn.blocks) {
      this.where = ` b${block.id}`;
      if (ids.has(block.id) || !(block.id >= 0 && block.id < this.fn.blockCount)) this.problem('its id is taken or not below blockCount');
      ids.add(block.id);
      for (const param of block.params) define(param, block, block, -1);
      for (let at = 0; at < block.instructions.length; at++) {
        const i = block.instructions[at];
        for (const result of i?.results ?? []) if (i !== undefined) define(result, i, block, at);
      }
    }
    return definers;
  }

  private checkBlock(block: Block): void {
    for (const i of block.instructions) {
      this.where = ` b${block.id} '${printInstruction(i)}'`;
      this.checkUses(i.args);
      this.checkInstruction(i);
    }
    const end = block.terminator;
    this.where = ` b${block.id}`;
    if (end === null) {
      this.problem('there is no terminator');
      return;
    }
    this.where = ` b${block.id} '${printTerminator(end)}'`;
    this.checkUses(end.args);
    for (const edge of end.targets) this.checkEdge(edge);
    this.checkTerminator(end);
  }

  private checkUses(values: readonly Value[]): void {
    for (const value of values) {
      if (this.defined[value.id] !== value) this.problem(`%${value.id} is used but not defined`);
    }
  }

  private checkEdge(edge: Edge): void {
    if (!this.blocks.has(edge.block)) {
      this.problem(`it goes to b${edge.block.id}, which is not in the layout`);
      return;
    }
    if (edge.block === this.fn.blocks[0]) this.problem('it goes to the entry block');
    this.checkUses(edge.args);
    this.checkTypes(
      edge.args,
      edge.block.params.map((p) => p.type),
      `arguments for b${edge.block.id}`,
    );
  }

  private checkTypes(values: readonly Value[], types: readonly Type[], what: string): void {
    if (values.length !== types.length) {
      this.problem(`${values.length} ${what}, expected ${types.length}`);
      return;
    }
    for (const [k, value] of values.entries()) {
      if (value.type !== types[k]) this.problem(`${what}: %${value.id} is ${value.type}, expected ${types[k]}`);
    }
  }

  private checkTerminator(end: Terminator): void {
    const expected = { jump: 1, branch: 2, switch: end.cases.length + 1, return: 0, trap: 0 }[end.op];
    if (end.targets.length !== expected) this.problem(`${end.targets.length} targets, expected ${expected}`);
    if (end.op === 'return') {
      this.checkTypes(end.args, this.fn.results, 'results');
      return;
    }
    if (end.op === 'branch') {
      this.checkTypes(end.args, ['i8'], 'conditions');
      return;
    }
    if (end.op !== 'switch') {
      this.checkTypes(end.args, [], 'operands');
      return;
    }
    const [value] = end.args;
    if (value === undefined || end.args.length !== 1 || !isInteger(value.type)) {
      this.problem('a switch is on one integer');
      return;
    }
    if (new Set(end.cases).size !== end.cases.length) this.problem('a case is there twice');
    for (const constant of end.cases) {
      if (normal(value.type, constant) !== constant) this.problem(`case ${constant} is not in normal form for ${value.type}`);
    }
  }

  private checkInstruction(i: Instruction): void {
    const row = opRow(i.op);
    const integer = isInteger(i.type);
    if ((row.on === 'integer' && !integer) || (row.on === 'float' && integer) || (row.on === 'i64' && i.type !== 'i64')) {
      this.problem(`${i.op} is not for ${i.type}`);
    }
    if (row.args !== 'variadic') {
      if (i.args.length !== row.args.length) {
        this.problem(`${i.args.length} operands, expected ${row.args.length}`);
        return;
      }
      for (const [k, arg] of i.args.entries()) this.checkOperand(arg, row.args[k] ?? 'any', i.type);
    }
    if (row.result !== 'call') {
      const expected: OperandType[] = row.result === 'none' ? [] : [row.result];
      if (i.results.length !== expected.length) this.problem(`${i.results.length} results, expected ${expected.length}`);
      for (const result of i.results) this.checkOperand(result, row.result === 'none' ? 'any' : row.result, i.type);
    }
    if (!Number.isInteger(i.offset) || i.offset !== (i.offset | 0)) this.problem(`the offset ${i.offset} is not a signed 32-bit number`);
    this.checkDetails(i);
  }

  private checkOperand(value: Value, type: OperandType, own: Type): void {
    const fits = type === 'any' || (type === 'int' ? isInteger(value.type) : value.type === (type === 'T' ? own : type));
    if (!fits) this.problem(`%${value.id} is ${value.type}, expected ${type === 'T' ? own : type}`);
  }

  private checkDetails(i: Instruction): void {
    const from = i.args[0]?.type ?? i.type;
    switch (i.op) {
      case 'const':
        if (!Object.is(normal(i.type, i.value), i.value)) this.problem(`the constant ${i.value} is not in normal form`);
        break;
      case 'zext':
      case 'sext':
        if (bytesOf(from) >= bytesOf(i.type)) this.problem(`${from} is not narrower than ${i.type}`);
        break;
      case 'trunc':
        if (bytesOf(from) <= bytesOf(i.type)) this.problem(`${from} is not wider than ${i.type}`);
        break;
      case 'bitcast':
        if (!((from === 'f64' && i.type === 'i64') || (from === 'i64' && i.type === 'f64'))) this.problem(`${from} to ${i.type}`);
        break;
      case 'sitofp':
      case 'uitofp':
        if (bytesOf(from) < 4) this.problem(`from ${from}: only i32 and i64`);
        break;
      case 'fptosi':
        if (bytesOf(i.type) < 4) this.problem(`to ${i.type}: only i32 and i64`);
        break;
      case 'bswap':
        if (i.type === 'i8') this.problem('an i8 has no byte order');
        break;
      case 'icmp':
      case 'fcmp': {
        const ordered = ['slt', 'sle', 'sgt', 'sge', 'ult', 'ule', 'ugt', 'uge'].includes(i.predicate);
        const floating = ['lt', 'le', 'gt', 'ge'].includes(i.predicate);
        if (i.op === 'icmp' ? floating : ordered) this.problem(`${i.predicate} is not a predicate of ${i.op}`);
        break;
      }
      case 'slot':
        if (i.slot === null || this.fn.slots[i.slot.index] !== i.slot) this.problem("the slot is not the function's");
        break;
      case 'symbol':
      case 'call':
        if (i.symbol === '') this.problem('the symbol is empty');
        if (i.results.length > 2) this.problem(`${i.results.length} results, at most 2 are possible`);
        break;
      case 'callind':
        if (from !== 'i64' || i.args.length === 0) this.problem('the target must be an i64');
        if (i.results.length > 2) this.problem(`${i.results.length} results, at most 2 are possible`);
        break;
      case 'asm':
        this.checkAssembly(i);
        break;
      default:
        break;
    }
  }

  private checkAssembly(i: Instruction): void {
    const assembly = i.assembly;
    if (assembly === null) {
      this.problem('there is no assembly');
      return;
    }
    const { inputs, output } = assembly;
    if (inputs.length !== i.args.length) this.problem(`${i.args.length} operands for ${inputs.length} registers`);
    if (new Set(inputs).size !== inputs.length) this.problem('a register has two inputs');
    for (const register of output === null ? inputs : [...inputs, output]) {
      if (!ASSEMBLY_REGISTERS.has(register)) this.problem(`${register} is not a register for operands`);
    }
    if (i.results.length !== (output === null ? 0 : 1)) this.problem('results and output do not fit');
    for (const value of [...i.args, ...i.results]) if (!isInteger(value.type)) this.problem(`%${value.id} is not an integer`);
  }

  private checkDominance(definers: readonly (Block | undefined)[]): void {
    const dominators = new Dominators(this.fn);
    for (const block of this.fn.blocks) {
      if (!dominators.isReachable(block)) continue;
      const check = (value: Value, at: number): void => {
        const from = definers[value.id];
        if (from === undefined) return;
        const isAbove = from === block ? (this.position[value.id] ?? 0) < at : dominators.dominates(from, block);
        if (!isAbove) this.problem(`%${value.id} is used where its definition in b${from.id} need not have run`);
      };
      for (const [at, i] of block.instructions.entries()) {
        this.where = ` b${block.id} '${printInstruction(i)}'`;
        for (const arg of i.args) check(arg, at);
      }
      const end = block.terminator;
      if (end === null) continue;
      this.where = ` b${block.id} '${printTerminator(end)}'`;
      for (const value of end.args) check(value, block.instructions.length);
      for (const edge of end.targets) for (const arg of edge.args) check(arg, block.instructions.length);
    }
  }
}
