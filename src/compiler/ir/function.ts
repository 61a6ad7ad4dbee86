/**
 * Functions in SSA form with block parameters.
 *
 * A *value* is defined once: as a parameter of a block or as a result of an instruction. A block ends in one *terminator*, whose *edges*
 * give an argument for each parameter of the block they go to. The first block is the entry; its parameters are the function's and no edge
 * goes there. There are no use lists: passes that need them count for themselves. Ids are dense per function, so side tables are arrays.
 */

import type { SourceFunction, SourceLocation, SourceVariable } from '../image/debug-info.ts';
import type { Op } from './ops.ts';
import type { TrapCode } from './trap-codes.ts';
import type { Constant, FloatPredicate, IntegerPredicate, Predicate, Type } from './types.ts';

/**
 * Where in the source, and, for debug information, what its variables are there.
 *
 * Shared between instructions: make one per statement or expression, never change it. Its *environment* says which value each variable in scope has
 * where the place in the source is reached. It moves with the instructions, so that no pass need know of it but those that replace values (they tell
 * the function's `notes`) and that copy functions.
 */
export interface Location extends SourceLocation {
  readonly environment?: Environment;
  /** The location that this one repeats with another environment. */
  readonly original?: Location;
}

/** The one location of all that repeat it. */
export function originalOf(location: Location): Location {
  return location.original ?? location;
}

export interface Environment {
  readonly block: LexicalBlock;
  /** The call in whose place the code stands; null in the function's own code. */
  readonly inlined: InlinedCall | null;
  readonly bindings: readonly Binding[];
}

/** A scope of the source. null: the function's own. */
export interface LexicalBlock {
  readonly parent: LexicalBlock | null;
}

export interface InlinedCall {
  readonly callee: SourceFunction;
  /** Within the function that was called in; its environment says what surrounds it. */
  readonly call: Location;
}

export interface Binding {
  readonly variable: SourceVariable;
  /** Where it is declared: the environment's block or one around it. */
  readonly block: LexicalBlock;
  /** null: not known. A value may be one that no block holds, made by `constantValue`. */
  readonly parts: readonly (Value | null)[];
}

export class Value {
  /** Dense within the function: `0 ≤ id < fn.valueCount`. */
  readonly id: number;
  readonly type: Type;
  /** The instruction whose result it is, or the block whose parameter it is. */
  def: Instruction | Block;

  constructor(id: number, type: Type, def: Instruction | Block) {
    this.id = id;
    this.type = type;
    this.def = def;
  }
}

export type { FloatPredicate, IntegerPredicate, Predicate };

/** Storage in the frame: `size` bytes from the address that the op `slot` gives. Uninitialised at entry. */
export interface StackSlot {
  readonly index: number;
  readonly size: number;
  /** 1, 2, 4, 8 or 16. */
  readonly align: number;
}

/** Inline assembly. Clobbers memory, flags and all caller-saved registers; must keep the others and the stack. */
export interface InlineAssembly {
  readonly text: string;
  /** The 64-bit register (`rdi`) that takes each argument, in order of `args`; integers are zero-extended to 64 bits. */
  readonly inputs: readonly string[];
  /** The 64-bit register that the result is read from (its low part, for narrow types), or null. */
  readonly output: string | null;
}

const NO_VALUES: readonly Value[] = [];

/** One operation. Which fields mean something stands in its row in `ops.ts`; the others keep their empty value. */
export class Instruction {
  op: Op;
  /** The type the operation works on: the operands' (arithmetic, `icmp`), the result's (conversions, `load`, `const`), the value stored. */
  type: Type;
  args: Value[];
  /** None, one, or (calls) up to two. */
  results: readonly Value[] = NO_VALUES;
  location: Location | null;
  /** `const`: the constant in its normal form. */
  value: Constant = 0;
  /** `symbol`, `call`: a linker symbol. */
  symbol = '';
  /** `symbol`, `load`, `store`: bytes added to the address; a signed 32-bit number. */
  offset = 0;
  /** `icmp`, `fcmp`. */
  predicate: Predicate = 'eq';
  /** `trapif`. */
  trap: TrapCode = 'unreachable';
  /** `load`, `store`: kept, in order, with its size. */
  volatile = false;
  slot: StackSlot | null = null;
  assembly: InlineAssembly | null = null;

  constructor(op: Op, type: Type, args: Value[], location: Location | null) {
    this.op = op;
    this.type = type;
    this.args = args;
    this.location = location;
  }
}

/** To where, with what for its parameters. */
export interface Edge {
  block: Block;
  args: Value[];
}

/**
 * The end of a block.
 * `jump`   one target.
 * `branch` args = [condition: i8]; targets = [when not 0, when 0].
 * `switch` args = [value: integer]; targets = one per case, then the default; `cases[k]` (normal form, all different) goes to `targets[k]`.
 * `return` args = the function's results.
 * `trap`   never goes on; `trap` says why.
 */
export type TerminatorOp = 'jump' | 'branch' | 'switch' | 'return' | 'trap';

export class Terminator {
  op: TerminatorOp;
  args: Value[];
  targets: Edge[];
  cases: readonly Constant[] = [];
  trap: TrapCode = 'unreachable';
  location: Location | null;

  constructor(op: TerminatorOp, args: Value[], targets: Edge[], location: Location | null) {
    this.op = op;
    this.args = args;
    this.targets = targets;
    this.location = location;
  }
}

export class Block {
  /** Dense within the function, not necessarily the position in `fn.blocks`. */
  readonly id: number;
  params: Value[] = [];
  instructions: Instruction[] = [];
  /** Null only while the block is being built. */
  terminator: Terminator | null = null;
  /** The front's guess that it is hardly ever reached (traps, errors): laid out last. */
  cold = false;

  constructor(id: number) {
    this.id = id;
  }
}

/**
 * What debug information has to know of a function beside its locations: values that passes have replaced by others, and values that are not what
 * a variable is any more.
 */
export class FunctionNotes {
  readonly source: SourceFunction;
  /** The function's location with its parameters. */
  readonly entry: Location;
  /** By id. null: lost. */
  readonly #now: (Value | null | undefined)[] = [];

  constructor(source: SourceFunction, entry: Location) {
    this.source = source;
    this.entry = entry;
  }

  replace(value: Value, by: Value): void {
    // What is lost stays lost.
    if (this.#now[value.id] !== null) this.#now[value.id] = by;
  }

  /** On some way to where it is spoken of the value is not made any more. */
  lose(value: Value): void {
    this.#now[value.id] = null;
  }

  /** The value that stands for it now; null if there is none. */
  current(value: Value): Value | null {
    let at = value;
    for (let next = this.#now[at.id]; next !== undefined; next = this.#now[at.id]) {
      if (next === null) return null;
      at = next;
    }
    return at;
  }
}

/** A value that no block holds: a constant or address, for environments. */
export function detached(like: Instruction): Value {
  const i = new Instruction(like.op, like.type, [], like.location);
  i.value = like.value;
  i.symbol = like.symbol;
  i.offset = like.offset;
  i.slot = like.slot;
  return new Value(-1, like.type, i);
}

export type InlineHint = 'auto' | 'always' | 'never';

export class IrFunction {
  readonly symbol: string;
  readonly params: readonly Type[];
  /** Up to two. Integers in RAX, RDX in this order, f64 in XMM0, XMM1: as SysV does for small structures. */
  readonly results: readonly Type[];
  readonly location: Location | null;
  /** Must stay although no function of this module calls it: exported to assembly, an entry point. */
  exported = false;
  inline: InlineHint = 'auto';
  /** It is kept for other modules, too: nothing may change it. */
  isShared = false;
  /** For debug information; null if none is wanted. */
  notes: FunctionNotes | null = null;
  /** In layout order, entry first. */
  blocks: Block[] = [];
  readonly slots: StackSlot[] = [];
  /** Ids given out so far: side tables have this length. */
  valueCount = 0;
  blockCount = 0;

  constructor(symbol: string, params: readonly Type[], results: readonly Type[], location: Location | null = null) {
    this.symbol = symbol;
    this.params = params;
    this.results = results;
    this.location = location;
  }

  newBlock(): Block {
    return new Block(this.blockCount++);
  }

  /** For the parser, which keeps the text's ids: they must not be given twice. */
  newBlockWithId(id: number): Block {
    this.blockCount = Math.max(this.blockCount, id + 1);
    return new Block(id);
  }

  newValue(type: Type, def: Instruction | Block): Value {
    return new Value(this.valueCount++, type, def);
  }

  newSlot(size: number, align: number): StackSlot {
    const slot = { index: this.slots.length, size, align };
    this.slots.push(slot);
    return slot;
  }

  /** Appends a parameter to a block. Its edges need an argument more, then. */
  addParam(block: Block, type: Type): Value {
    const value = this.newValue(type, block);
    block.params.push(value);
    return value;
  }
}
