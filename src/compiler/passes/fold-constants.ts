/**
 * Constant folding and algebraic simplification, in one walk in reverse postorder.
 *
 * Needs: nothing but valid SSA. Keeps: effects and traps. A branch on a constant becomes a jump, what follows a certain trap is cut off, and
 * blocks that nothing reaches go. Leaves unused instructions to `dead-code`. Does: operations on constants by the table's own `fold`; neutral and absorbing
 * operands; constants to the right; chains of additions; conversions of conversions; conditions of conditions; addresses into the offsets
 * of loads and stores.
 */
import { reversePostorder } from '../ir/dominators.ts';
import { Instruction, type IntegerPredicate, type IrFunction, type Predicate, Terminator, type Value } from '../ir/function.ts';
import { opRow } from '../ir/ops.ts';
import { bitsOf, bytesOf, type Constant, isInteger, normal, type Type } from '../ir/types.ts';
import { becomeConstant, constantOf, defOf, Replacements, removeUnreachableBlocks } from './rewrite.ts';

export function foldConstants(fn: IrFunction): void {
  new Folder(fn).run();
}

export const swappedPredicate: Readonly<Record<IntegerPredicate, IntegerPredicate>> = {
  eq: 'eq',
  ne: 'ne',
  slt: 'sgt',
  sle: 'sge',
  sgt: 'slt',
  sge: 'sle',
  ult: 'ugt',
  ule: 'uge',
  ugt: 'ult',
  uge: 'ule',
};
export const negatedPredicate: Readonly<Record<IntegerPredicate, IntegerPredicate>> = {
  eq: 'ne',
  ne: 'eq',
  slt: 'sge',
  sle: 'sgt',
  sgt: 'sle',
  sge: 'slt',
  ult: 'uge',
  ule: 'ugt',
  ugt: 'ule',
  uge: 'ult',
};

export function isIntegerPredicate(predicate: Predicate): predicate is IntegerPredicate {
  return Object.hasOwn(swappedPredicate, predicate);
}

class Folder {
  readonly #fn: IrFunction;
  readonly #replacements: Replacements;
  /** What the block being rewritten consists of so far. */
  #out: Instruction[] = [];

  constructor(fn: IrFunction) {
    this.#fn = fn;
    this.#replacements = new Replacements(fn);
  }

  run(): void {
    for (const block of reversePostorder(this.#fn)) {
      this.#out = [];
      for (const i of block.instructions) {
        this.#replacements.applyTo(i.args);
        const condition = i.op === 'trapif' ? constantOf(i.args[0]) : null;
        if (condition === 0) continue;
        if (condition !== null) {
          block.terminator = new Terminator('trap', [], [], i.location);
          block.terminator.trap = i.trap;
          break;
        }
        const by = this.#simplify(i);
        const [result] = i.results;
        if (by !== null && result !== undefined) this.#replacements.set(result, by);
        else this.#out.push(i);
      }
      block.instructions = this.#out;
      if (block.terminator !== null) this.#simplifyEnd(block.terminator);
    }
    this.#replacements.apply(this.#fn);
    removeUnreachableBlocks(this.#fn);
  }

  /** A value that stands for the result, or null: the instruction (perhaps changed) stays. */
  #simplify(i: Instruction): Value | null {
    const row = opRow(i.op);
    const [a, b] = i.args;
    if (row.fold !== null && a !== undefined) {
      const constants = i.args.map(constantOf);
      if (constants.every((c) => c !== null)) {
        const value = row.fold(i.type, constants, a.type, i.predicate);
        const type = i.results[0]?.type ?? i.type;
        // The bits of a NaN are not the fold's to fix.
        if (value !== null && !(type === 'f64' && Number.isNaN(value)) && !constants.some((c) => Number.isNaN(c))) {
          becomeConstant(i, type, normal(type, value));
          return null;
        }
        return null;
      }
    }
    if (i.op === 'load' || i.op === 'store') return this.#foldAddress(i);
    if (i.op === 'select') return this.#select(i);
    if (a === undefined || !isInteger(i.type)) return null;
    if (b === undefined) return this.#convert(i, a);
    if (i.op === 'icmp') return this.#compare(i, a, b);
    if (row.args.length !== 2 || row.fold === null) return null;
    if (row.commutes && constantOf(a) !== null) i.args = [b, a];
    return this.#arithmetic(i);
  }

  #arithmetic(i: Instruction): Value | null {
    const [a, b] = i.args;
    if (a === undefined || b === undefined) return null;
    if (a === b) {
      if (['sub', 'xor', 'ssub', 'usub'].includes(i.op)) return this.#zero(i);
      if (i.op === 'and' || i.op === 'or') return a;
    }
    const c = constantOf(b);
    if (c === null) {
      const left = constantOf(a);
      // 0 - b stays; 0 divided, shifted or masked stays 0 (a division by 0 still traps).
      if (left !== null && isZero(left) && ['shl', 'lshr', 'ashr'].includes(i.op)) return a;
      return null;
    }
    if (isZero(c)) {
      if (['add', 'sub', 'or', 'xor', 'shl', 'lshr', 'ashr', 'sadd', 'uadd', 'ssub', 'usub'].includes(i.op)) return a;
      if (['mul', 'and', 'smul', 'umul'].includes(i.op)) return this.#zero(i);
      return null;
    }
    if (BigInt(c) === 1n) {
      if (['mul', 'smul', 'umul', 'udiv', 'sdiv'].includes(i.op)) return a;
      if (i.op === 'urem' || i.op === 'srem') return this.#zero(i);
    }
    if (BigInt(c) === -1n && i.op === 'and') return a;
    if (BigInt(c) === -1n && i.op === 'or') return b;
    this.#strengthReduce(i, a, c);
    return this.#combine(i);
  }

  /** Cheaper operations of the same meaning. */
  #strengthReduce(i: Instruction, a: Value, c: Constant): void {
    const { type } = i;
    if (!isInteger(type)) return;
    if (i.op === 'sub') {
      i.op = 'add';
      i.args = [a, this.#constant(i, type, -BigInt(c))];
      return;
    }
    const bits = BigInt.asUintN(bitsOf(type), BigInt(c));
    if ((bits & (bits - 1n)) !== 0n) return;
    const shift = bits.toString(2).length - 1;
    if (i.op === 'mul' || i.op === 'udiv') {
      i.op = i.op === 'mul' ? 'shl' : 'lshr';
      i.args = [a, this.#constant(i, type, shift)];
    } else if (i.op === 'urem') {
      i.op = 'and';
      i.args = [a, this.#constant(i, type, bits - 1n)];
    }
  }

  /** (x op c1) op c2 → x op c; xor of a condition with 1 → the opposite condition. */
  #combine(i: Instruction): Value | null {
    const [a, b] = i.args;
    const c = constantOf(b);
    if (a === undefined || c === null || !['add', 'and', 'or', 'xor', 'mul'].includes(i.op)) return null;
    const base = i.op === 'add' ? (defOf(a, 'symbol') ?? defOf(a, 'slot')) : null;
    if (base !== null) {
      const offset = BigInt(base.offset) + BigInt(c);
      if (BigInt.asIntN(32, offset) === offset) {
        i.op = base.op;
        i.args = [];
        i.symbol = base.symbol;
        i.slot = base.slot;
        i.offset = Number(offset);
      }
      return null;
    }
    const comparison = i.op === 'xor' && BigInt(c) === 1n ? defOf(a, 'icmp') : null;
    if (comparison !== null) return this.#negated(i, comparison);
    const inner = defOf(a, i.op);
    const d = constantOf(inner?.args[1]);
    const [x] = inner?.args ?? [];
    const fold = opRow(i.op).fold;
    if (d === null || x === undefined || fold === null) return null;
    const both = fold(i.type, [d, c], i.type, i.predicate);
    if (both === null) return null;
    i.args = [x, this.#constant(i, i.type, both)];
    return this.#arithmeticAgain(i);
  }

  /** After two constants became one, the one may be neutral. */
  #arithmeticAgain(i: Instruction): Value | null {
    const [a, b] = i.args;
    const c = constantOf(b);
    if (a === undefined || c === null) return null;
    if (isZero(c)) return i.op === 'and' || i.op === 'mul' ? this.#zero(i) : a;
    return null;
  }

  #negated(i: Instruction, comparison: Instruction): Value | null {
    if (!isIntegerPredicate(comparison.predicate)) return null;
    i.op = 'icmp';
    i.type = comparison.type;
    i.args = [...comparison.args];
    i.predicate = negatedPredicate[comparison.predicate];
    return null;
  }

  #compare(i: Instruction, left: Value, right: Value): Value | null {
    if (!isIntegerPredicate(i.predicate)) return null;
    if (left === right) {
      const holds = ['eq', 'sle', 'sge', 'ule', 'uge'].includes(i.predicate);
      becomeConstant(i, 'i8', holds ? 1 : 0);
      return null;
    }
    if (constantOf(left) !== null) {
      i.args = [right, left];
      i.predicate = swappedPredicate[i.predicate];
    }
    const [a, b] = i.args;
    const c = constantOf(b);
    if (a === undefined || c === null) return null;
    if (isZero(c)) {
      if (i.predicate === 'ult' || i.predicate === 'uge') {
        becomeConstant(i, 'i8', i.predicate === 'uge' ? 1 : 0);
        return null;
      }
      if (i.predicate === 'ugt') i.predicate = 'ne';
      if (i.predicate === 'ule') i.predicate = 'eq';
    }
    const condition = defOf(a, 'icmp') ?? defOf(a, 'fcmp');
    const isNotZero = i.type === 'i8' && ((i.predicate === 'ne' && isZero(c)) || (i.predicate === 'eq' && c === 1));
    const isNotOne = i.type === 'i8' && ((i.predicate === 'eq' && isZero(c)) || (i.predicate === 'ne' && c === 1));
    if (condition !== null && isNotZero) return a;
    if (condition?.op === 'icmp' && isNotOne) return this.#negated(i, condition);
    this.#narrow(i, a, c);
    return null;
  }

  /** A comparison of a widened value with a constant that the narrow type holds. */
  #narrow(i: Instruction, a: Value, c: Constant): void {
    const wide = defOf(a, 'zext') ?? defOf(a, 'sext');
    const [x] = wide?.args ?? [];
    if (wide === null || x === undefined || !isInteger(x.type)) return;
    const narrow = normal(x.type, c);
    const fold = opRow(wide.op).fold;
    if (fold === null || fold(i.type, [narrow], x.type, 'eq') !== c) return;
    // zext keeps the unsigned order (and makes signed comparisons unsigned ones); sext keeps both.
    if (wide.op === 'zext' && i.predicate.startsWith('s')) i.predicate = `u${i.predicate.slice(1)}` as IntegerPredicate;
    i.type = x.type;
    i.args = [x, this.#constant(i, x.type, narrow)];
  }

  #convert(i: Instruction, a: Value): Value | null {
    if (i.op !== 'zext' && i.op !== 'sext' && i.op !== 'trunc') return null;
    const inner = defOf(a, 'zext') ?? defOf(a, 'sext') ?? defOf(a, 'trunc');
    const [x] = inner?.args ?? [];
    if (inner === null || x === undefined) return null;
    if (i.op === 'trunc') {
      if (x.type === i.type) return x;
      if (inner.op !== 'trunc' && bytesOf(x.type) < bytesOf(i.type)) i.op = inner.op;
      i.args = [x];
      return null;
    }
    // A value zero-extended before has a sign of 0.
    if (inner.op === 'trunc' || (inner.op === 'sext' && i.op === 'zext')) return null;
    i.op = inner.op;
    i.args = [x];
    return null;
  }

  #select(i: Instruction): Value | null {
    const [condition, a, b] = i.args;
    if (condition === undefined || a === undefined || b === undefined) return null;
    if (a === b) return a;
    const known = constantOf(condition);
    if (known !== null) return known === 0 ? b : a;
    const isCondition = defOf(condition, 'icmp') !== null || defOf(condition, 'fcmp') !== null;
    if (i.type === 'i8' && isCondition && constantOf(a) === 1 && constantOf(b) === 0) return condition;
    return null;
  }

  #foldAddress(i: Instruction): null {
    const at = i.op === 'load' ? 0 : 1;
    const sum = defOf(i.args[at], 'add');
    const c = constantOf(sum?.args[1]);
    const [base] = sum?.args ?? [];
    if (c === null || base === undefined) return null;
    const offset = BigInt(i.offset) + BigInt(c);
    if (BigInt.asIntN(32, offset) !== offset) return null;
    i.args[at] = base;
    i.offset = Number(offset);
    return null;
  }

  #simplifyEnd(end: Terminator): void {
    this.#replacements.applyTo(end.args);
    for (const edge of end.targets) this.#replacements.applyTo(edge.args);
    const [value] = end.args;
    if (end.op === 'branch') {
      // A branch asks "is it 0?": so does what compares with 0.
      const test = defOf(value, 'icmp');
      const [x, y] = test?.args ?? [];
      const isWithZero = test?.type === 'i8' && constantOf(y) === 0 && x !== undefined;
      if (isWithZero && test.predicate === 'ne') end.args = [x];
      if (isWithZero && test.predicate === 'eq') {
        end.args = [x];
        end.targets = [...end.targets].reverse();
      }
    }
    const c = constantOf(end.args[0]);
    if (c === null || (end.op !== 'branch' && end.op !== 'switch')) return;
    const index = end.op === 'branch' ? (c === 0 ? 1 : 0) : end.cases.indexOf(c);
    const target = end.targets[index < 0 ? end.cases.length : index];
    if (target === undefined) return;
    end.op = 'jump';
    end.args = [];
    end.cases = [];
    end.targets = [target];
  }

  #zero(i: Instruction): Value {
    return this.#constant(i, i.type, 0);
  }

  /** A constant in front of the instruction being simplified. */
  #constant(near: Instruction, type: Type, value: Constant): Value {
    const i = new Instruction('const', type, [], near.location);
    i.value = normal(type, value);
    const result = this.#fn.newValue(type, i);
    i.results = [result];
    this.#out.push(i);
    return result;
  }
}

function isZero(c: Constant): boolean {
  return c === 0 || c === 0n;
}
