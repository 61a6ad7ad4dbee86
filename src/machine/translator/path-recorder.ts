/**
 * Emits the recording of the path (DESIGN: as in Intel PT) into the second body of the interpreter.
 *
 * Two columns in linear memory, each in the order in which instructions retire:
 * - *bits*, least significant first: one for each conditional branch (1: taken); one for each retired iteration of a repeated
 *   string instruction (1: it goes on); one for each near return (1: it went where the call said, 0: a target follows).
 * - *targets*, 64 bits each, the new RIP: of each near jump or call through a register or memory, of each near return whose bit is 0, and
 *   of each helper that jumped (IRET, SYSCALL, SYSRET, far transfers, INT n). Direct jumps and calls leave nothing.
 *
 * What a call said: near calls push the address after them on the return stack in the CPU's state, 32 deep (the oldest is
 * lost), near returns take one from it if there is one. It is emptied at every helper that jumps, by the system part at every interrupt and
 * exception, and by whoever cuts the path into blocks (`CpuState.clearReturnStack`): so the path does not depend on the tier or on how
 * `run` was sliced.
 */
import {
  PATH_BIT_COUNT,
  PATH_BITS,
  PATH_TARGET_COUNT,
  PATH_TARGETS,
  RETURN_DEPTH,
  RETURN_SLOTS,
  RETURN_STACK,
  RETURN_TOP,
} from '../cpu/state.ts';
import type { LocalPool } from './lowering-context.ts';
import type { PathRecorder } from './recorders.ts';
import { type FunctionBuilder, OP } from './wasm.ts';

/** The column of bits: how code appends to it. */
export interface BitColumn {
  /** Appends the bit in this i32 local. */
  append(value: number): void;
  known(value: 0 | 1): void;
}

/** A byte of bits that is begun keeps those below `count` & 7 (a local): the rest of it is not yet written. */
export function keepBelow(f: FunctionBuilder, count: number): void {
  f.i32(1);
  f.get(count);
  f.i32(7);
  f.op(OP.i32.and, OP.i32.shl);
  f.i32(1);
  f.op(OP.i32.sub, OP.i32.and);
}

/** The column where it lies in memory, bit by bit: for code that keeps nothing. */
export function bitsInMemory(f: FunctionBuilder, locals: LocalPool, base: number): BitColumn {
  const append = (value: number) => {
    const [count, address] = [locals.take('i32'), locals.take('i32')];
    f.get(base);
    f.load('i32', PATH_BIT_COUNT);
    f.tee(count);
    f.i32(3);
    f.op(OP.i32.shr_u);
    f.get(base);
    f.load('i32', PATH_BITS);
    f.op(OP.i32.add);
    f.set(address);
    f.get(address);
    f.get(address);
    f.load('i32_8u', 0);
    keepBelow(f, count);
    f.get(value);
    f.get(count);
    f.i32(7);
    f.op(OP.i32.and, OP.i32.shl, OP.i32.or);
    f.store('i32_8', 0);
    f.get(base);
    f.get(count);
    f.i32(1);
    f.op(OP.i32.add);
    f.store('i32', PATH_BIT_COUNT);
  };
  return {
    append,
    known: (value) => {
      const local = locals.take('i32');
      f.i32(value);
      f.set(local);
      append(local);
    },
  };
}

export function pathRecorder(f: FunctionBuilder, locals: LocalPool, base: number, bits: BitColumn): PathRecorder {
  const slot = (offset: number) => {
    f.get(base);
    f.load('i32', offset);
  };
  const setSlot = (offset: number, local: number) => {
    f.get(base);
    f.get(local);
    f.store('i32', offset);
  };
  const addTo = (local: number, n: number) => {
    f.get(local);
    f.i32(n);
    f.op(OP.i32.add);
    f.set(local);
  };

  const target = (local: number) => {
    const count = locals.take('i32');
    slot(PATH_TARGET_COUNT);
    f.tee(count);
    f.i32(3);
    f.op(OP.i32.shl);
    slot(PATH_TARGETS);
    f.op(OP.i32.add);
    f.get(local);
    f.store('i64', 0);
    addTo(count, 1);
    setSlot(PATH_TARGET_COUNT, count);
  };

  /** Address (less RETURN_STACK) of the slot that RETURN_TOP, in `top`, names. */
  const topSlot = (top: number) => {
    f.get(base);
    f.get(top);
    f.i32(RETURN_SLOTS - 1);
    f.op(OP.i32.and);
    f.i32(3);
    f.op(OP.i32.shl, OP.i32.add);
  };

  const call = (returnTo: number) => {
    const [top, depth] = [locals.take('i32'), locals.take('i32')];
    slot(RETURN_TOP);
    f.set(top);
    addTo(top, 1);
    topSlot(top);
    f.get(returnTo);
    f.store('i64', RETURN_STACK);
    setSlot(RETURN_TOP, top);
    slot(RETURN_DEPTH);
    f.tee(depth);
    f.i32(RETURN_SLOTS);
    f.op(OP.i32.lt_u);
    f.if();
    addTo(depth, 1);
    setSlot(RETURN_DEPTH, depth);
    f.end();
  };

  const matchReturn = (to: number) => {
    const [top, depth, matches] = [locals.take('i32'), locals.take('i32'), locals.take('i32')];
    f.i32(0);
    f.set(matches);
    slot(RETURN_DEPTH);
    f.tee(depth);
    f.if();
    slot(RETURN_TOP);
    f.set(top);
    topSlot(top);
    f.load('i64', RETURN_STACK);
    f.get(to);
    f.op(OP.i64.eq);
    f.set(matches);
    addTo(top, -1);
    setSlot(RETURN_TOP, top);
    addTo(depth, -1);
    setSlot(RETURN_DEPTH, depth);
    f.end();
    bits.append(matches);
    f.get(matches);
    f.op(OP.i32.eqz);
    f.if();
    target(to);
    f.end();
  };

  return { bit: (value) => bits.known(value), target, call, return: matchReturn };
}
