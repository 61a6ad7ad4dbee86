/**
 * The ends of blocks: jumps, branches, switches, returns, traps.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Edge, Terminator, Value } from '../../ir/function.ts';
import type { Constant } from '../../ir/types.ts';
import { flagsOf, widthOf } from './conditions.ts';
import { signExtend } from './extend.ts';
import { resultRegisters } from './lower-call.ts';
import { AE, E, L, M, type MachineBlock, P } from './machine.ts';
import { NONE } from './registers.ts';
import type { Selector } from './selector.ts';

export function lowerTerminator(s: Selector, end: Terminator, block: MachineBlock): void {
  const [value] = end.args;
  const [first, second] = end.targets;
  switch (end.op) {
    case 'jump':
      if (first === undefined) return bug('jump without a target');
      s.moveArguments(first);
      return s.jump(block, s.machineBlock(first.block));
    case 'branch':
      if (value === undefined || first === undefined || second === undefined) return bug('branch needs a condition and two targets');
      return lowerBranch(s, value, first, second, block);
    case 'switch':
      return lowerSwitch(s, end, value ?? bug('switch needs a value'), block);
    case 'return': {
      const registers = resultRegisters(end.args.map((result) => result.type));
      // A result that is in RAX or RDX only by being moved there: all sources are virtual, so order does not matter.
      for (const [k, result] of end.args.entries()) s.into(registers[k] ?? bug('a result without a register'), result);
      const ret = s.emit(M.ret, 64, NONE, NONE);
      for (const register of registers) ret.reads |= 1 << register;
      return;
    }
    case 'trap':
      s.emit(M.ud2, 64, NONE, NONE).trap = end.trap;
  }
}

function jumpIf(s: Selector, condition: number, from: MachineBlock, to: MachineBlock): void {
  s.condition(M.jcc, 64, condition, NONE, NONE).target = to;
  from.successors.push(to);
}

function lowerBranch(s: Selector, value: Value, whenTrue: Edge, whenFalse: Edge, block: MachineBlock): void {
  const yes = s.edgeTarget(whenTrue, block);
  const no = s.edgeTarget(whenFalse, block);
  const { code, parity } = flagsOf(s, value);
  if (parity === 'or') jumpIf(s, P, block, yes);
  if (parity === 'and') jumpIf(s, P, block, no);
  jumpIf(s, code, block, yes);
  s.jump(block, no);
}

/** Jump tables are for at least this many cases, on average at most `SPREAD` values apart. */
const TABLE_CASES = 5;
const SPREAD = 3;

interface Case {
  readonly value: number | bigint;
  readonly target: MachineBlock;
}

function lowerSwitch(s: Selector, end: Terminator, value: Value, block: MachineBlock): void {
  const edges = end.targets;
  const otherwise = s.edgeTarget(edges[edges.length - 1] ?? bug('switch without default'), block);
  const cases = end.cases.map((constant, k): Case => {
    const edge = edges[k] ?? bug('a case without a target');
    return { value: constant, target: s.edgeTarget(edge, block) };
  });
  cases.sort((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  const low = cases[0]?.value ?? 0;
  const high = cases[cases.length - 1]?.value ?? 0;
  const span = Number(high) - Number(low) + 1;
  if (cases.length >= TABLE_CASES && span <= cases.length * SPREAD && fitsImmediate(low)) {
    return lowerTable(s, value, cases, low, span, otherwise, block);
  }
  lowerTree(s, value, cases, otherwise, block);
}

const fitsImmediate = (value: Constant): boolean => value >= -(2 ** 31) && value < 2 ** 31;

function lowerTable(
  s: Selector,
  value: Value,
  cases: readonly Case[],
  low: Constant,
  span: number,
  otherwise: MachineBlock,
  block: MachineBlock,
): void {
  const width = value.type === 'i64' ? 64 : 32;
  const index = s.temporary();
  signExtend(s, index, value, width);
  s.ri(M.sub, width, index, Number(low));
  s.ri(M.cmp, width, index, span);
  jumpIf(s, AE, block, otherwise);
  const table: MachineBlock[] = new Array(span).fill(otherwise);
  for (const { value: constant, target } of cases) table[Number(constant) - Number(low)] = target;
  const wide = s.temporary();
  s.rr(width === 64 ? M.mov : M.movzx32, width, wide, index);
  s.r(M.jmptable, 64, wide).extra = { table };
  for (const target of new Set(table)) block.successors.push(target);
}

/** Compares for equality in runs of up to three, and halves longer ones. Compares are signed, as the cases' normal form. */
function lowerTree(s: Selector, value: Value, cases: readonly Case[], otherwise: MachineBlock, block: MachineBlock): void {
  const width = widthOf(value);
  const register = s.use(value);
  const compare = (constant: Constant): void => {
    if (fitsImmediate(constant)) s.ri(M.cmp, width, register, Number(constant));
    else {
      const temporary = s.temporary();
      s.constant(temporary, constant);
      s.rr(M.cmp, width, register, temporary);
    }
  };
  const search = (from: number, to: number, at: MachineBlock): void => {
    if (to - from > 3) {
      const middle = (from + to) >> 1;
      const less = s.innerBlock(at, (inner) => search(from, middle, inner));
      compare(cases[middle]?.value ?? bug('a hole in cases'));
      jumpIf(s, L, at, less);
      search(middle, to, at);
      return;
    }
    for (let k = from; k < to; k++) {
      const { value: constant, target } = cases[k] ?? bug('a hole in cases');
      compare(constant);
      jumpIf(s, E, at, target);
    }
    s.jump(at, otherwise);
  };
  search(0, cases.length, block);
}
