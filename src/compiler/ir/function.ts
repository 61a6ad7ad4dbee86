/**
 * Functions in SSA form with block parameters.
 *
 * A *value* is defined once: as a parameter of a block or as a result of an instruction. A block ends in one *terminator*, whose *edges*
 * give an argument for each parameter of the block they go to. The first block is the entry; its parameters are the function's and no edge
 * goes there. There are no use lists: passes that need them count for themselves. Ids are dense per function, so side tables are arrays.
 */

import type { Location } from './location.ts';
import type { Op } from './ops.ts';
import type { TrapCode } from './trap-codes.ts';
import type { Constant, FloatPredicate, IntegerPredicate, Predicate, Type } from './types.ts';

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
