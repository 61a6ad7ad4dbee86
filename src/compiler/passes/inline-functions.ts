/**
 * Inlining: calls of small functions, of functions that are called once, and of those that ask for it are replaced by the callee's blocks.
 *
 * Needs: valid SSA; better after the callees have been simplified. Keeps: locations (an inlined instruction keeps its own). Callees first (by
 * the call graph, in module order where it is free), so that what is inlined is inlined into already. Never: recursive functions, `inline: 'never'`.
 * The callee stays; `unreachable-functions` removes it if this was the last call. Stack slots become the caller's: a limit keeps frames small.
 */
import { bug } from '../../machine/isa/bug.ts';
import {
  type Binding,
  type Block,
  detached,
  type Environment,
  type InlinedCall,
  Instruction,
  type IrFunction,
  type Location,
  originalOf,
  Terminator,
  type Value,
} from '../ir/function.ts';
import type { Module } from '../ir/module.ts';

export interface InlineLimits {
  /** Instructions of a function that is inlined wherever it is called. */
  readonly small: number;
  /** Instructions of a function that is called once. */
  readonly once: number;
  /** Instructions up to which callers grow. */
  readonly caller: number;
  /** Bytes of stack slots that one callee may bring along. */
  readonly slotBytes: number;
}

export const usualInlineLimits: InlineLimits = { small: 14, once: 150, caller: 3000, slotBytes: 256 };

export function inlineFunctions(module: Module, limits: InlineLimits = usualInlineLimits): void {
  const functions = new Map(module.functions.map((fn) => [fn.symbol, fn]));
  const calls = countReferences(module);
  const isRecursive = findRecursive(module, functions);
  for (const fn of calleesFirst(module, functions)) {
    const mayInline = (callee: IrFunction, callerSize: number): boolean => {
      if (callee === fn || callee.inline === 'never' || isRecursive.has(callee)) return false;
      const size = sizeOf(callee);
      if (callerSize + size > limits.caller) return false;
      if (callee.slots.reduce((sum, slot) => sum + slot.size, 0) > limits.slotBytes) return false;
      if (callee.inline === 'always') return true;
      return size <= limits.small || (!callee.exported && calls.get(callee.symbol) === 1 && size <= limits.once);
    };
    inlineInto(fn, functions, mayInline);
  }
}

/** How often a symbol is called, or (counted twice) otherwise spoken of. */
function countReferences(module: Module): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (symbol: string, weight: number) => counts.set(symbol, (counts.get(symbol) ?? 0) + weight);
  for (const fn of module.functions) {
    for (const block of fn.blocks) {
      for (const i of block.instructions) {
        if (i.op === 'call') add(i.symbol, 1);
        else if (i.op === 'symbol') add(i.symbol, 2);
      }
    }
  }
  for (const data of module.data) for (const { symbol } of data.relocations) add(symbol, 2);
  return counts;
}

function callsOf(fn: IrFunction, functions: ReadonlyMap<string, IrFunction>): IrFunction[] {
  const callees = new Set<IrFunction>();
  for (const block of fn.blocks) {
    for (const i of block.instructions) {
      const callee = i.op === 'call' ? functions.get(i.symbol) : undefined;
      if (callee !== undefined) callees.add(callee);
    }
  }
  return [...callees];
}

/** Postorder over the call graph. */
function calleesFirst(module: Module, functions: ReadonlyMap<string, IrFunction>): IrFunction[] {
  const order: IrFunction[] = [];
  const seen = new Set<IrFunction>();
  for (const root of module.functions) {
    if (seen.has(root)) continue;
    seen.add(root);
    const stack = [{ fn: root, callees: callsOf(root, functions), next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const callee = top.callees[top.next++];
      if (callee === undefined) {
        order.push(top.fn);
        stack.pop();
      } else if (!seen.has(callee)) {
        seen.add(callee);
        stack.push({ fn: callee, callees: callsOf(callee, functions), next: 0 });
      }
    }
  }
  return order;
}

/** The functions on a cycle of calls: those in a strongly connected component with an edge inside (Tarjan). */
function findRecursive(module: Module, functions: ReadonlyMap<string, IrFunction>): Set<IrFunction> {
  const recursive = new Set<IrFunction>();
  const index = new Map<IrFunction, number>();
  const low = new Map<IrFunction, number>();
  const open = new Set<IrFunction>();
  const path: IrFunction[] = [];
  for (const root of module.functions) {
    if (index.has(root)) continue;
    const enter = (fn: IrFunction) => {
      index.set(fn, index.size);
      low.set(fn, index.size - 1);
      open.add(fn);
      path.push(fn);
      return { fn, callees: callsOf(fn, functions), next: 0 };
    };
    const stack = [enter(root)];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { fn } = top;
      const callee = top.callees[top.next++];
      if (callee !== undefined) {
        if (callee === fn) recursive.add(fn);
        if (!index.has(callee)) stack.push(enter(callee));
        else if (open.has(callee)) low.set(fn, Math.min(low.get(fn) ?? 0, index.get(callee) ?? 0));
        continue;
      }
      stack.pop();
      const parent = stack.at(-1)?.fn;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent) ?? 0, low.get(fn) ?? 0));
      if (low.get(fn) !== index.get(fn)) continue;
      const component = path.splice(path.indexOf(fn));
      for (const member of component) {
        open.delete(member);
        if (component.length > 1) recursive.add(member);
      }
    }
  }
  return recursive;
}

function sizeOf(fn: IrFunction): number {
  let size = 0;
  for (const block of fn.blocks) size += block.instructions.filter((i) => i.op !== 'const').length + 1;
  return size;
}

function inlineInto(
  fn: IrFunction,
  functions: ReadonlyMap<string, IrFunction>,
  mayInline: (callee: IrFunction, callerSize: number) => boolean,
): void {
  let size = sizeOf(fn);
  const layout: Block[] = [];
  // The rest of a split block is looked at again: its calls come after those inlined.
  const work = [...fn.blocks].reverse();
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    layout.push(block);
    for (const [at, i] of block.instructions.entries()) {
      const callee = i.op === 'call' ? functions.get(i.symbol) : undefined;
      if (callee === undefined || callee.blocks.length === 0 || !mayInline(callee, size)) continue;
      size += sizeOf(callee);
      const { rest, copies } = inlineCall(fn, block, at, callee);
      layout.push(...copies);
      work.push(rest);
      break;
    }
  }
  fn.blocks = layout;
}

/** Splits `block` at the call and puts a copy of the callee between the halves. */
function inlineCall(fn: IrFunction, block: Block, at: number, callee: IrFunction): { rest: Block; copies: Block[] } {
  const call = block.instructions[at] ?? bug('no call there');
  const rest = fn.newBlock();
  rest.cold = block.cold;
  rest.terminator = block.terminator;
  rest.instructions = block.instructions.slice(at + 1);
  // The call's results become the rest's parameters: the same values, defined anew.
  rest.params = [...call.results];
  for (const result of rest.params) result.def = rest;
  block.instructions = block.instructions.slice(0, at);

  const { copies, entry } = copyBlocks(fn, callee, rest, block.cold, call.location);
  block.terminator = new Terminator('jump', [], [{ block: entry, args: call.args }], call.location);
  return { rest, copies };
}

function copyBlocks(
  fn: IrFunction,
  callee: IrFunction,
  rest: Block,
  isCold: boolean,
  call: Location | null,
): { copies: Block[]; entry: Block } {
  const blocks = new Map<Block, Block>();
  const values: Value[] = [];
  const slots = callee.slots.map((slot) => fn.newSlot(slot.size, slot.align));
  for (const block of callee.blocks) {
    const copy = fn.newBlock();
    copy.cold = block.cold || isCold;
    copy.params = block.params.map((param) => {
      const value = fn.newValue(param.type, copy);
      values[param.id] = value;
      return value;
    });
    blocks.set(block, copy);
  }
  const blockOf = (block: Block) => blocks.get(block) ?? bug(`b${block.id} is not in @${callee.symbol}`);
  const value = (v: Value) => values[v.id] ?? bug(`%${v.id} of @${callee.symbol} is used before its definition`);
  const copySlot = (slot: Instruction['slot']) => (slot === null ? null : (slots[slot.index] ?? bug('no such slot')));
  // Instructions first: operands may be defined in blocks further down the layout.
  for (const block of callee.blocks) {
    blockOf(block).instructions = block.instructions.map((i) => {
      const copy = new Instruction(i.op, i.type, [], i.location);
      copy.results = i.results.map((result) => {
        const copied = fn.newValue(result.type, copy);
        values[result.id] = copied;
        return copied;
      });
      copy.value = i.value;
      copy.symbol = i.symbol;
      copy.offset = i.offset;
      copy.predicate = i.predicate;
      copy.trap = i.trap;
      copy.volatile = i.volatile;
      copy.slot = copySlot(i.slot);
      copy.assembly = i.assembly;
      return copy;
    });
  }
  for (const block of callee.blocks) {
    const copy = blockOf(block);
    for (const [k, i] of block.instructions.entries()) {
      const target = copy.instructions[k];
      if (target !== undefined) target.args = i.args.map(value);
    }
    const end = block.terminator ?? bug(`b${block.id} of @${callee.symbol} has no end`);
    copy.terminator = copyEnd(end, blockOf, value, rest);
  }
  if (fn.notes !== null && callee.notes !== null && call !== null) {
    const locations = new LocationCopies(callee, call, (v) => values[v.id] ?? constantCopy(v, copySlot));
    for (const block of blocks.values()) {
      for (const i of block.instructions) i.location = locations.copy(i.location);
      if (block.terminator !== null) block.terminator.location = locations.copy(block.terminator.location);
    }
  }
  return { copies: [...blocks.values()], entry: blockOf(callee.blocks[0] ?? bug('no entry')) };
}

/** A constant or address that is spoken of, but by no instruction. */
function constantCopy(value: Value, copySlot: (slot: Instruction['slot']) => Instruction['slot']): Value | null {
  const { def } = value;
  if (!(def instanceof Instruction) || (def.op !== 'const' && def.op !== 'symbol' && def.op !== 'slot')) return null;
  const copy = detached(def);
  if (copy.def instanceof Instruction) copy.def.slot = copySlot(def.slot);
  return copy;
}

/** The locations of a callee as they are where it is inlined. */
class LocationCopies {
  readonly #callee: IrFunction;
  readonly #copyOf: (value: Value) => Value | null;
  readonly #locations = new Map<Location, Location>();
  readonly #environments = new Map<Environment, Environment>();
  readonly #bindings = new Map<Binding, Binding>();
  readonly #calls = new Map<InlinedCall, InlinedCall>();
  readonly #own: InlinedCall | null;

  constructor(callee: IrFunction, call: Location, copyOf: (value: Value) => Value | null) {
    this.#callee = callee;
    this.#copyOf = copyOf;
    this.#own = callee.notes === null ? null : { callee: callee.notes.source, call };
  }

  copy(location: Location | null): Location | null {
    if (location?.environment === undefined) return location;
    const known = this.#locations.get(location);
    if (known !== undefined) return known;
    const { environment, file, line, column } = location;
    const copy = { file, line, column, original: originalOf(location), environment: this.#environment(environment) };
    this.#locations.set(location, copy);
    return copy;
  }

  #environment(environment: Environment): Environment {
    let copy = this.#environments.get(environment);
    if (copy === undefined) {
      const { block, inlined, bindings } = environment;
      copy = { block, inlined: this.#call(inlined), bindings: bindings.map((binding) => this.#binding(binding)) };
      this.#environments.set(environment, copy);
    }
    return copy;
  }

  /** Locations share what is the same: so do the copies. */
  #binding(binding: Binding): Binding {
    let copy = this.#bindings.get(binding);
    if (copy === undefined) {
      const { variable, block, parts } = binding;
      copy = { variable, block, parts: parts.map((part) => this.#part(part)) };
      this.#bindings.set(binding, copy);
    }
    return copy;
  }

  #part(part: Value | null): Value | null {
    const now = part === null ? null : (this.#callee.notes?.current(part) ?? null);
    return now === null ? null : this.#copyOf(now);
  }

  #call(inlined: InlinedCall | null): InlinedCall | null {
    if (inlined === null) return this.#own;
    let copy = this.#calls.get(inlined);
    if (copy === undefined) {
      copy = { callee: inlined.callee, call: this.copy(inlined.call) ?? bug('a call without location') };
      this.#calls.set(inlined, copy);
    }
    return copy;
  }
}

function copyEnd(end: Terminator, blockOf: (block: Block) => Block, value: (v: Value) => Value, rest: Block): Terminator {
  if (end.op === 'return') return new Terminator('jump', [], [{ block: rest, args: end.args.map(value) }], end.location);
  const targets = end.targets.map((edge) => ({ block: blockOf(edge.block), args: edge.args.map(value) }));
  const copy = new Terminator(end.op, end.args.map(value), targets, end.location);
  copy.cases = end.cases;
  copy.trap = end.trap;
  return copy;
}
