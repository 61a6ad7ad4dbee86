/**
 * Calls by the System V ABI, parameters, and inline assembly.
 *
 * The first six integers go in RDI RSI RDX RCX R8 R9, the first eight f64 in XMM0–7, all others on the stack, the first one lowest. Results
 * come in RAX, RDX and XMM0, XMM1. Bits above a narrow integer's own are undefined in both directions.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Instruction, Value } from '../../ir/function.ts';
import type { Type } from '../../ir/types.ts';
import { zeroExtend } from './extend.ts';
import { M, type Origin } from './machine.ts';
import { FLOAT_ARGUMENTS, FLOAT_RESULTS, INTEGER_ARGUMENTS, INTEGER_RESULTS, NONE, RBP, RSP, registerByName } from './registers.ts';
import type { Address, Selector } from './selector.ts';

/** Where an argument is: a register, or an offset from the first one on the stack. */
interface Place {
  readonly register: number;
  readonly stack: number;
}

function places(types: readonly Type[]): { readonly places: readonly Place[]; readonly stackBytes: number } {
  let integers = 0;
  let floats = 0;
  let stack = 0;
  const list = types.map((type): Place => {
    const register = type === 'f64' ? FLOAT_ARGUMENTS[floats] : INTEGER_ARGUMENTS[integers];
    if (register === undefined) {
      stack += 8;
      return { register: NONE, stack: stack - 8 };
    }
    if (type === 'f64') floats++;
    else integers++;
    return { register, stack: 0 };
  });
  return { places: list, stackBytes: stack };
}

/** The registers that results of these types come in. */
export function resultRegisters(types: readonly Type[]): number[] {
  let integers = 0;
  let floats = 0;
  return types.map((type) => (type === 'f64' ? FLOAT_RESULTS[floats++] : INTEGER_RESULTS[integers++]) ?? bug('too many results'));
}

/** Where the caller puts parameters, for debug information. */
export function parameterPlaces(params: readonly Value[]): Origin['parameters'] {
  const { places: list } = places(params.map((p) => p.type));
  return params.map((value, k) => ({ value, ...(list[k] ?? bug('a parameter without a place')) }));
}

/** The entry block's parameters, at the start of the function. */
export function lowerParameters(s: Selector, params: readonly Value[]): void {
  const { places: list } = places(params.map((p) => p.type));
  const fromStack: { readonly param: Value; readonly place: Place }[] = [];
  for (const [k, param] of params.entries()) {
    const place = list[k] ?? bug('a parameter without a place');
    if (!s.isWanted(param)) continue;
    if (place.register === NONE) fromStack.push({ param, place });
    else s.copy(s.result(param), place.register, param.type);
  }
  for (const { param, place } of fromStack) {
    const address: Address = { base: RBP, index: NONE, scale: 1, disp: 16 + place.stack, symbol: null };
    if (param.type === 'f64') s.rm(M.movsd, 64, s.result(param), address);
    else s.rm(M.mov, 64, s.result(param), address);
  }
}

export function lowerCall(s: Selector, i: Instruction): void {
  if (i.op === 'asm') return lowerAssembly(s, i);
  const args = i.op === 'callind' ? i.args.slice(1) : i.args;
  const { places: list, stackBytes } = places(args.map((arg) => arg.type));
  s.out.argumentBytes = Math.max(s.out.argumentBytes, stackBytes);
  const target = i.op === 'callind' ? s.use(i.args[0] ?? bug('callind has a target')) : NONE;
  let reads = 0;
  for (const [k, arg] of args.entries()) {
    const place = list[k] ?? bug('an argument without a place');
    if (place.register === NONE) pass(s, arg, place.stack);
  }
  for (const [k, arg] of args.entries()) {
    const register = list[k]?.register ?? NONE;
    if (register === NONE) continue;
    s.into(register, arg);
    reads |= 1 << register;
  }
  const call = s.emit(i.op === 'callind' ? M.callind : M.call, 64, target, NONE);
  call.reads |= reads;
  if (i.op === 'call') call.symbol = i.symbol;
  takeResults(s, i);
}

function pass(s: Selector, arg: Value, stack: number): void {
  const address: Address = { base: RSP, index: NONE, scale: 1, disp: stack, symbol: null };
  const imm = s.immediate(arg);
  if (arg.type === 'f64') s.mr(M.movsd, 64, address, s.use(arg));
  else if (imm !== null) s.mi(M.mov, 64, address, imm);
  else s.mr(M.mov, 64, address, s.use(arg));
}

function takeResults(s: Selector, i: Instruction): void {
  const registers = resultRegisters(i.results.map((value) => value.type));
  for (const [k, value] of i.results.entries()) {
    if (s.isWanted(value)) s.copy(s.result(value), registers[k] ?? bug('a result without a register'), value.type);
  }
}

function lowerAssembly(s: Selector, i: Instruction): void {
  const assembly = i.assembly ?? bug('asm without assembly');
  let reads = 0;
  let input = 0;
  for (const arg of i.args) {
    const name = assembly.inputs[input++] ?? bug('asm: an argument without a register');
    const register = registerByName(name);
    if (register < 0) bug(`asm: no register ${name}`);
    zeroExtend(s, register, arg);
    reads |= 1 << register;
  }
  const code = s.emit(M.asm, 64, NONE, NONE);
  code.extra = { assembly: assembly.text };
  code.reads |= reads;
  if (assembly.output === null) return;
  const output = registerByName(assembly.output);
  if (output < 0) bug(`asm: no register ${assembly.output}`);
  code.writes |= 1 << output;
  const [result] = i.results;
  if (result !== undefined && s.isWanted(result)) s.copy(s.result(result), output, result.type);
}
