/**
 * Loads, stores, and blocks of memory: small ones of known size through registers, others by string instructions.
 */

import { bug } from '../../../machine/isa/bug.ts';
import type { Instruction, Value } from '../../ir/function.ts';
import type { Type } from '../../ir/types.ts';
import { zeroExtend } from './extend.ts';
import { M, type MachineOp, type Width } from './machine.ts';
import { NONE, RAX, RCX, RDI, RSI } from './registers.ts';
import { definition, type Selector, throughTrunc } from './selector.ts';

export function lowerMemory(s: Selector, i: Instruction): void {
  const [a, b, c] = i.args;
  if (a === undefined) return bug(`${i.op} has operands`);
  if (i.op === 'load') return s.loadInto(s.result(i.results[0]), i);
  if (b === undefined) return bug(`${i.op} has two operands at least`);
  if (i.op === 'store') return lowerStore(s, i, a, b);
  if (c === undefined) return bug(`${i.op} has three operands`);
  if (i.op === 'memset') return lowerFill(s, a, b, c);
  return lowerCopy(s, i.op === 'memmove', a, b, c);
}

const storeWidth = (type: Type): Width => (type === 'i8' ? 8 : type === 'i16' ? 16 : type === 'i32' ? 32 : 64);

function lowerStore(s: Selector, i: Instruction, value: Value, to: Value): void {
  const width = storeWidth(i.type);
  if (i.type === 'f64') {
    const bits = definition(value);
    const address = s.address(to, i.offset);
    if (bits?.op === 'const' && Object.is(bits.value, 0)) s.mi(M.mov, 64, address, 0);
    else s.mr(M.movsd, 64, address, s.use(value));
    return;
  }
  if (updateInPlace(s, i, value, to, width)) return;
  const imm = s.immediate(value);
  if (imm !== null) s.mi(M.mov, width, s.address(to, i.offset), imm);
  else {
    const register = s.use(value);
    s.mr(M.mov, width, s.address(to, i.offset), register);
  }
}

const UPDATES: Readonly<Record<string, MachineOp>> = { add: M.add, sub: M.sub, and: M.and, or: M.or, xor: M.xor };

/** `store (load p) op x, p` as `op [p], x`, if nobody else wants the load and the result. */
function updateInPlace(s: Selector, i: Instruction, value: Value, to: Value, width: Width): boolean {
  const source = throughTrunc(value);
  const def = source === value ? definition(value) : null;
  const op = def === null ? undefined : UPDATES[def.op];
  if (def === null || op === undefined || i.volatile || !s.isOnlyUse(value)) return false;
  const [x, y] = def.args;
  if (x === undefined || y === undefined) return false;
  const load = definition(x);
  if (load?.op !== 'load' || load.args[0] !== to || load.offset !== i.offset || load.type !== i.type || !s.mayTakeIn(x)) return false;
  const imm = s.immediate(y);
  if (imm !== null) s.mi(op, width, s.address(to, i.offset), imm);
  else {
    const register = s.use(y);
    s.mr(op, width, s.address(to, i.offset), register);
  }
  return true;
}

/** Copies of known size up to this are unrolled. */
const UNROLLED_BYTES = 64;

const CHUNKS: readonly { readonly bytes: number; readonly width: Width }[] = [
  { bytes: 8, width: 64 },
  { bytes: 4, width: 32 },
  { bytes: 2, width: 16 },
  { bytes: 1, width: 8 },
];

function chunksOf(size: number): { readonly at: number; readonly width: Width }[] {
  const chunks: { at: number; width: Width }[] = [];
  let at = 0;
  for (const { bytes, width } of CHUNKS) {
    for (; at + bytes <= size; at += bytes) chunks.push({ at, width });
  }
  return chunks;
}

function lowerCopy(s: Selector, mayOverlap: boolean, to: Value, from: Value, bytes: Value): void {
  const size = s.immediate(bytes);
  if (size !== null && size >= 0 && size <= UNROLLED_BYTES) {
    const source = s.address(from, 0);
    const target = s.address(to, 0);
    const chunks = chunksOf(size).map((chunk) => ({ ...chunk, register: s.temporary() }));
    const load = ({ at, width, register }: (typeof chunks)[number]): void => {
      const op = width === 8 ? M.movzx8 : width === 16 ? M.movzx16 : M.mov;
      s.rm(op, width < 32 ? 32 : width, register, { ...source, disp: source.disp + at });
    };
    const store = ({ at, width, register }: (typeof chunks)[number]): void => {
      s.mr(M.mov, width, { ...target, disp: target.disp + at }, register);
    };
    // What may overlap is read completely before anything is written.
    if (mayOverlap) {
      chunks.forEach(load);
      chunks.forEach(store);
    } else {
      for (const chunk of chunks) {
        load(chunk);
        store(chunk);
      }
    }
    return;
  }
  const count = s.use(bytes);
  s.into(RDI, to);
  s.into(RSI, from);
  s.copy(RCX, count, 'i64');
  if (mayOverlap) {
    s.emit(M.memmove, 64, NONE, NONE);
    return;
  }
  repeat(s, M.repmovsq, M.repmovsb, count, size);
}

/** By eights, then the rest: RCX is `count` here. */
function repeat(s: Selector, eights: MachineOp, ones: MachineOp, count: number, size: number | null): void {
  s.ri(M.shr, 64, RCX, 3);
  s.emit(eights, 64, NONE, NONE);
  if (size !== null && size % 8 === 0) return;
  s.copy(RCX, count, 'i32');
  s.ri(M.and, 32, RCX, 7);
  s.emit(ones, 64, NONE, NONE);
}

const ONES = 0x0101_0101_0101_0101n;

function lowerFill(s: Selector, to: Value, byte: Value, bytes: Value): void {
  const size = s.immediate(bytes);
  const fill = s.immediate(byte);
  const pattern = fill === null ? null : BigInt.asIntN(64, BigInt(fill & 0xff) * ONES);
  if (pattern !== null && size !== null && size >= 0 && size <= UNROLLED_BYTES) {
    const target = s.address(to, 0);
    const register = s.temporary();
    if (size > 0) s.constant(register, pattern);
    for (const { at, width } of chunksOf(size)) s.mr(M.mov, width, { ...target, disp: target.disp + at }, register);
    return;
  }
  const count = s.use(bytes);
  s.into(RDI, to);
  if (pattern !== null) s.constant(RAX, pattern);
  else {
    const ones = s.temporary();
    s.constant(ones, ONES);
    zeroExtend(s, RAX, byte);
    s.rr(M.imul, 64, RAX, ones);
  }
  s.copy(RCX, count, 'i64');
  repeat(s, M.repstosq, M.repstosb, count, size);
}
