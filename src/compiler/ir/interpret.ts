/**
 * Running IR, slowly and exactly: the judge of passes and of the code generator.
 *
 * Arithmetic is that of `fold.ts`. Memory is one buffer: data objects from `BASE` on, then the stack, and functions have addresses without
 * bytes (`callind` finds them). An access outside of it, an asm and a function without a body end in `Outcome` `unsupported`: the
 * interpreter judges programs that stay within the IR.
 */

import { bug } from '../../machine/isa/bug.ts';
import type { Edge, Instruction, IrFunction, Value } from './function.ts';
import type { Module } from './module.ts';
import { opRow } from './ops.ts';
import { bytesOf, type Constant, normal, type Type, unsigned } from './types.ts';

export type Outcome =
  | { readonly kind: 'returned'; readonly results: readonly Constant[] }
  | { readonly kind: 'trapped'; readonly trap: string }
  | { readonly kind: 'unsupported'; readonly why: string }
  | { readonly kind: 'limit' };

export interface InterpretOptions {
  /** Instructions to run at most. Default 1,000,000. */
  readonly limit?: number;
  /** Calls of symbols that the module does not define. */
  readonly external?: (symbol: string, args: readonly Constant[]) => readonly Constant[] | null;
}

const BASE = 0x10000;
const STACK_BYTES = 0x40000;
const FUNCTIONS = 0x4000_0000;

class Stop extends Error {
  readonly outcome: Outcome;
  constructor(outcome: Outcome) {
    super(outcome.kind);
    this.outcome = outcome;
  }
}

/** Runs `symbol` on constants in normal form. */
export function interpret(module: Module, symbol: string, args: readonly Constant[], options: InterpretOptions = {}): Outcome {
  return new Interpreter(module, options).run(symbol, args);
}

export class Interpreter {
  private readonly functions = new Map<string, IrFunction>();
  private readonly addresses = new Map<string, number>();
  private readonly memory: DataView;
  private readonly external: InterpretOptions['external'];
  private stack: number;
  /** Instructions that all runs together may still take. */
  private left: number;
  private depth = 0;

  constructor(module: Module, options: InterpretOptions = {}) {
    this.external = options.external;
    this.left = options.limit ?? 1_000_000;
    let top = BASE;
    for (const data of module.data) {
      top = Math.ceil(top / data.align) * data.align;
      this.addresses.set(data.symbol, top);
      top += data.size;
    }
    module.functions.forEach((fn, k) => {
      this.functions.set(fn.symbol, fn);
      this.addresses.set(fn.symbol, FUNCTIONS + 16 * k);
    });
    this.stack = Math.ceil(top / 16) * 16 + STACK_BYTES;
    this.memory = new DataView(new ArrayBuffer(this.stack - BASE));
    for (const data of module.data) this.fill(data);
  }

  /** What was written to memory before stays there. */
  run(symbol: string, args: readonly Constant[]): Outcome {
    this.stack = BASE + this.memory.byteLength;
    this.depth = 0;
    try {
      const fn = this.functions.get(symbol) ?? bug(`there is no function @${symbol}`);
      return { kind: 'returned', results: this.call(fn, args) };
    } catch (error) {
      if (error instanceof Stop) return error.outcome;
      throw error;
    }
  }

  private fill(data: Module['data'][number]): void {
    const at = this.addressOf(data.symbol) - BASE;
    new Uint8Array(this.memory.buffer).set(data.bytes ?? new Uint8Array(data.size), at);
    for (const { kind, offset, symbol, addend } of data.relocations) {
      if (kind !== 'abs64') throw new Stop({ kind: 'unsupported', why: `relocation ${kind}` });
      this.memory.setBigInt64(at + offset, BigInt(this.addressOf(symbol) + addend), true);
    }
  }

  private addressOf(symbol: string): number {
    const address = this.addresses.get(symbol);
    if (address === undefined) throw new Stop({ kind: 'unsupported', why: `the symbol @${symbol} is not of this module` });
    return address;
  }

  private call(fn: IrFunction, args: readonly Constant[]): readonly Constant[] {
    if (this.depth++ > 500) throw new Stop({ kind: 'limit' });
    const frame: Frame = { values: [], slots: [] };
    const stackBefore = this.stack;
    for (const slot of fn.slots) {
      this.stack = Math.floor((this.stack - slot.size) / slot.align) * slot.align;
      if (this.stack < BASE) throw new Stop({ kind: 'limit' });
      frame.slots[slot.index] = this.stack;
    }
    let block = fn.blocks[0] ?? bug('no entry');
    assign(frame, block.params, args);
    for (;;) {
      for (const i of block.instructions) this.step(i, frame);
      const end = block.terminator ?? bug('no terminator');
      if (--this.left < 0) throw new Stop({ kind: 'limit' });
      let edge: Edge | undefined = end.targets[0];
      if (end.op === 'trap') throw new Stop({ kind: 'trapped', trap: end.trap });
      if (end.op === 'return') {
        this.stack = stackBefore;
        this.depth--;
        return end.args.map((v) => get(frame, v));
      }
      const [value] = end.args.map((v) => get(frame, v));
      if (end.op === 'branch') edge = end.targets[value === 0 ? 1 : 0];
      if (end.op === 'switch') {
        const at = value === undefined ? -1 : end.cases.indexOf(value);
        edge = end.targets[at < 0 ? end.cases.length : at];
      }
      if (edge === undefined) return bug(`${end.op} without a target`);
      assign(
        frame,
        edge.block.params,
        edge.args.map((v) => get(frame, v)),
      );
      block = edge.block;
    }
  }

  private step(i: Instruction, frame: Frame): void {
    if (--this.left < 0) throw new Stop({ kind: 'limit' });
    assign(frame, i.results, this.evaluate(i, frame));
  }

  private evaluate(i: Instruction, frame: Frame): readonly Constant[] {
    const args = i.args.map((v) => get(frame, v));
    const fold = opRow(i.op).fold;
    if (fold !== null) {
      const result = fold(i.type, args, i.args[0]?.type ?? i.type, i.predicate);
      if (result !== null) return [result];
      const divides = (i.op === 'udiv' || i.op === 'sdiv' || i.op === 'urem' || i.op === 'srem') && BigInt(args[1] ?? 0) === 0n;
      throw new Stop({ kind: 'trapped', trap: divides ? 'divide' : 'overflow' });
    }
    const [a = 0, b = 0, c = 0] = args;
    switch (i.op) {
      case 'const':
        return [i.value];
      case 'symbol':
        return [BigInt(this.addressOf(i.symbol) + i.offset)];
      case 'slot':
        return [BigInt((frame.slots[i.slot?.index ?? -1] ?? bug('no slot')) + i.offset)];
      case 'load':
        return [this.load(i.type, this.place(a, i.offset, bytesOf(i.type)))];
      case 'store':
        this.store(i.type, this.place(b, i.offset, bytesOf(i.type)), a);
        return [];
      case 'memcpy':
      case 'memmove':
      case 'memset': {
        const bytes = Number(unsigned('i64', c));
        const all = new Uint8Array(this.memory.buffer);
        if (bytes === 0) return [];
        const to = this.place(a, 0, bytes);
        if (i.op === 'memset') all.fill(Number(b), to, to + bytes);
        else {
          const from = this.place(b, 0, bytes);
          all.copyWithin(to, from, from + bytes);
        }
        return [];
      }
      case 'trapif':
        if (a !== 0) throw new Stop({ kind: 'trapped', trap: i.trap });
        return [];
      case 'call':
        return this.callSymbol(i.symbol, args);
      case 'callind': {
        const symbol = [...this.functions.keys()][(Number(a) - FUNCTIONS) / 16];
        if (symbol === undefined) throw new Stop({ kind: 'unsupported', why: `a call of address ${a}` });
        return this.callSymbol(symbol, args.slice(1));
      }
      default:
        throw new Stop({ kind: 'unsupported', why: `the operation ${i.op}` });
    }
  }

  private callSymbol(symbol: string, args: readonly Constant[]): readonly Constant[] {
    const fn = this.functions.get(symbol);
    if (fn !== undefined) return this.call(fn, args);
    const results = this.external?.(symbol, args) ?? null;
    if (results === null) throw new Stop({ kind: 'unsupported', why: `a call of @${symbol}, which is not of this module` });
    return results;
  }

  /** Offset in the buffer of `size` bytes at an address. */
  private place(address: Constant, offset: number, size: number): number {
    const at = Number(BigInt.asUintN(64, BigInt(address) + BigInt(offset)));
    if (at < BASE || at + size > BASE + this.memory.byteLength) throw new Stop({ kind: 'unsupported', why: `memory at ${at}` });
    return at - BASE;
  }

  private load(type: Type, at: number): Constant {
    if (type === 'f64') return this.memory.getFloat64(at, true);
    if (type === 'i64') return this.memory.getBigInt64(at, true);
    return type === 'i32' ? this.memory.getInt32(at, true) : type === 'i16' ? this.memory.getInt16(at, true) : this.memory.getInt8(at);
  }

  private store(type: Type, at: number, value: Constant): void {
    if (type === 'f64') this.memory.setFloat64(at, Number(value), true);
    else if (type === 'i64') this.memory.setBigInt64(at, BigInt(value), true);
    else if (type === 'i32') this.memory.setInt32(at, Number(value), true);
    else if (type === 'i16') this.memory.setInt16(at, Number(value), true);
    else this.memory.setInt8(at, Number(value));
  }
}

interface Frame {
  readonly values: (Constant | undefined)[];
  readonly slots: number[];
}

function get(frame: Frame, value: Value): Constant {
  return frame.values[value.id] ?? bug(`%${value.id} is read before it is defined`);
}

function assign(frame: Frame, values: readonly Value[], constants: readonly Constant[]): void {
  if (values.length !== constants.length) bug(`${constants.length} values for ${values.length} names`);
  for (const [k, value] of values.entries()) frame.values[value.id] = normal(value.type, constants[k] ?? bug('a hole'));
}
