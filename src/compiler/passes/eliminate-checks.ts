/**
 * Checks that cannot fail: overflow checks become plain arithmetic, comparisons that are decided become constants (and with them the
 * `trapif` of bounds and null checks; `fold-constants` and `dead-code` clear up behind).
 *
 * Needs: valid SSA; better behind `common-subexpressions`, so that equal lengths are one value. Run it once, late: it knows loop counters by
 * their checked steps. Keeps: blocks, edges, values. What it knows, and only where it holds (walking the dominator tree):
 * - ranges (ranges.ts), of loop counters too: a checked step upwards never goes below the start
 * - conditions of branches taken and of `trapif`s passed: ranges, and "a < b" between two values
 */
import { Dominators } from '../ir/dominators.ts';
import { type Block, Instruction, type IntegerPredicate, type IrFunction, type Value } from '../ir/function.ts';
import { isInteger } from '../ir/types.ts';
import { isIntegerPredicate, negatedPredicate, swappedPredicate } from './fold-constants.ts';
import {
  exact,
  fitsSigned,
  fitsUnsigned,
  fullRange,
  intersection,
  limitsOf,
  normalised,
  type Range,
  rangeOf,
  signedOf,
  union,
  unsignedOf,
} from './ranges.ts';
import { becomeConstant, constantOf } from './rewrite.ts';

export function eliminateChecks(fn: IrFunction): void {
  new CheckEliminator(fn).run();
}

class CheckEliminator {
  readonly #dominators: Dominators;
  readonly #children = new Map<Block, Block[]>();
  /** What holds at the point that the walk has come to, by value id. */
  readonly #ranges: (Range | undefined)[];
  /** `s1,2` and `u1,2`: value 1 is at most (1) or below (2) value 2, read as signed or unsigned numbers of any width. */
  readonly #relations = new Map<string, 1 | 2>();
  /** What to restore when the walk leaves a block. */
  #undo: (() => void)[] = [];

  constructor(fn: IrFunction) {
    this.#dominators = new Dominators(fn);
    this.#ranges = new Array(fn.valueCount);
    for (const block of this.#dominators.order) {
      const parent = this.#dominators.idom(block);
      if (parent === null) continue;
      const list = this.#children.get(parent);
      if (list === undefined) this.#children.set(parent, [block]);
      else list.push(block);
    }
  }

  run(): void {
    for (const block of this.#dominators.order) {
      this.#parameterRanges(block);
      for (const i of block.instructions) {
        const [result] = i.results;
        if (result !== undefined && isInteger(result.type)) this.#ranges[result.id] = rangeOf(i, (v) => this.#range(v));
      }
    }
    const [entry] = this.#dominators.order;
    const stack: (Block | number)[] = entry === undefined ? [] : [entry];
    for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
      if (typeof step === 'number') {
        while (this.#undo.length > step) this.#undo.pop()?.();
        continue;
      }
      stack.push(this.#undo.length);
      this.#enter(step);
      for (const i of step.instructions) this.#visit(i);
      stack.push(...(this.#children.get(step) ?? []));
    }
  }

  #range(value: Value): Range {
    return this.#ranges[value.id] ?? fullRange(value.type);
  }

  /** Without conditions: the union of what the edges pass; of a loop's counter, the start and the direction. */
  #parameterRanges(block: Block): void {
    const edges = this.#dominators.predecessors(block).flatMap((p) => (p.terminator?.targets ?? []).filter((e) => e.block === block));
    for (const [k, param] of block.params.entries()) {
      if (!isInteger(param.type) || edges.length === 0) continue;
      const limits = limitsOf(param.type);
      let sum: Range | null = null;
      const moves = { sUp: false, sDown: false, uUp: false, uDown: false };
      for (const edge of new Set(edges)) {
        const arg = edge.args[k];
        if (arg === undefined || arg === param) continue;
        if (noteStep(arg, param, moves)) continue;
        const range = constantOf(arg) === null && this.#ranges[arg.id] === undefined ? fullRange(param.type) : this.#range(arg);
        sum = sum === null ? range : union(sum, range);
      }
      if (sum === null) continue;
      let { sLow, sHigh, uLow, uHigh } = sum;
      if (moves.sUp || moves.uUp || moves.uDown) sHigh = limits.sHigh;
      if (moves.sDown || moves.uUp || moves.uDown) sLow = limits.sLow;
      if (moves.uUp || moves.sUp || moves.sDown) uHigh = limits.uHigh;
      if (moves.uDown || moves.sUp || moves.sDown) uLow = 0;
      this.#ranges[param.id] = normalised(param.type, { sLow, sHigh, uLow, uHigh });
    }
  }

  /** What the way into the block says. An edge is a way of its own only if it is the block's only one. */
  #enter(block: Block): void {
    const predecessors = this.#dominators.predecessors(block);
    const [from] = predecessors;
    const end = from?.terminator;
    if (predecessors.length !== 1 || end === undefined || end === null) return;
    const [value] = end.args;
    if (value === undefined) return;
    if (end.op === 'branch') this.#assume(value, end.targets[0]?.block === block);
    const index = end.op === 'switch' ? end.targets.findIndex((e) => e.block === block) : -1;
    const c = end.cases[index];
    if (c !== undefined) {
      const s = Number(c);
      if (isInteger(value.type)) this.#refine(value, { ...fullRange(value.type), sLow: s, sHigh: s });
    }
  }

  #visit(i: Instruction): void {
    const [result] = i.results;
    const { op } = i;
    this.#simplify(i);
    if (result !== undefined && isInteger(result.type))
      this.#refine(
        result,
        rangeOf(i, (v) => this.#range(v)),
      );
    const [a, b] = i.args;
    if (a === undefined) return;
    if (i.op === 'trapif') this.#assume(a, false);
    if (result === undefined) return;
    if (op === 'trunc' || op === 'lshr' || op === 'and') this.#relate('u', result, a, 1);
    if (b === undefined) return;
    if (op === 'and') this.#relate('u', result, b, 1);
    if (op === 'urem') this.#relate('u', result, b, 2);
    if (op === 'usub') {
      this.#relate('u', b, a, 1);
      this.#relate('u', result, a, 1);
    }
    if (op === 'uadd') {
      this.#relate('u', a, result, 1);
      this.#relate('u', b, result, 1);
    }
    if (op === 'sadd' && this.#range(b).sLow >= 0) this.#relate('s', a, result, this.#range(b).sLow > 0 ? 2 : 1);
  }

  #simplify(i: Instruction): void {
    const [a, b] = i.args;
    if (a === undefined || b === undefined || !isInteger(i.type)) return;
    const x = this.#range(a);
    const y = this.#range(b);
    switch (i.op) {
      case 'sadd':
      case 'ssub':
      case 'smul': {
        const plain = i.op === 'sadd' ? 'add' : i.op === 'ssub' ? 'sub' : 'mul';
        if (fitsSigned(i.type, exact(plain, signedOf(x), signedOf(y)))) i.op = plain;
        return;
      }
      case 'uadd':
      case 'usub':
      case 'umul': {
        const plain = i.op === 'uadd' ? 'add' : i.op === 'usub' ? 'sub' : 'mul';
        const isOrdered = i.op === 'usub' && this.#holds('u', b, a, 1);
        if (isOrdered || fitsUnsigned(i.type, exact(plain, unsignedOf(x), unsignedOf(y)))) i.op = plain;
        return;
      }
      case 'icmp': {
        if (!isIntegerPredicate(i.predicate)) return;
        const isTrue = this.#implied(i.predicate, a, b);
        const isFalse = !isTrue && this.#implied(negatedPredicate[i.predicate], a, b);
        if (isTrue || isFalse) becomeConstant(i, 'i8', isTrue ? 1 : 0);
        return;
      }
      default:
        return;
    }
  }

  #implied(predicate: IntegerPredicate, a: Value, b: Value): boolean {
    const x = this.#range(a);
    const y = this.#range(b);
    switch (predicate) {
      case 'eq':
        return Number.isFinite(x.sLow) && x.sLow === x.sHigh && y.sLow === y.sHigh && x.sLow === y.sLow;
      case 'ne':
        return x.sHigh < y.sLow || x.sLow > y.sHigh || x.uHigh < y.uLow || x.uLow > y.uHigh || this.#isApart(a, b);
      case 'slt':
        return x.sHigh < y.sLow || this.#holds('s', a, b, 2);
      case 'sle':
        return (Number.isFinite(x.sHigh) && x.sHigh <= y.sLow) || this.#holds('s', a, b, 1);
      case 'ult':
        return x.uHigh < y.uLow || this.#holds('u', a, b, 2);
      case 'ule':
        return (Number.isFinite(x.uHigh) && x.uHigh <= y.uLow) || this.#holds('u', a, b, 1);
      default:
        return this.#implied(swappedPredicate[predicate], b, a);
    }
  }

  #isApart(a: Value, b: Value): boolean {
    return this.#holds('u', a, b, 2) || this.#holds('u', b, a, 2) || this.#holds('s', a, b, 2) || this.#holds('s', b, a, 2);
  }

  // Relations are between numbers, so a widened value is the value it came from.

  #holds(kind: 's' | 'u', a: Value, b: Value, strictness: 1 | 2): boolean {
    const x = this.#source(kind, a);
    const y = this.#source(kind, b);
    if (x === y && strictness === 1) return true;
    return (this.#relations.get(`${kind}${x.id},${y.id}`) ?? 0) >= strictness;
  }

  /** a is below (2) or at most (1) b. */
  #relate(kind: 's' | 'u', a: Value, b: Value, strictness: 1 | 2): void {
    this.#note(kind, a, b, strictness);
    // Between numbers that are not negative both readings are one.
    if (kind === 's' && this.#range(a).sLow >= 0) this.#note('u', a, b, strictness);
    if (kind === 'u' && this.#range(b).sLow >= 0) this.#note('s', a, b, strictness);
    // The low part of a number is at most the number.
    const wide = trunkOf(b);
    const isUnsigned = kind === 'u' || this.#range(a).sLow >= 0;
    if (wide !== null && isUnsigned) this.#note('u', a, wide, strictness);
  }

  #note(kind: 's' | 'u', a: Value, b: Value, strictness: 1 | 2): void {
    const key = `${kind}${this.#source(kind, a).id},${this.#source(kind, b).id}`;
    const before = this.#relations.get(key);
    if (before !== undefined && before >= strictness) return;
    this.#relations.set(key, strictness);
    this.#undo.push(() => {
      if (before === undefined) this.#relations.delete(key);
      else this.#relations.set(key, before);
    });
  }

  /** The narrowest value of the same number. */
  #source(kind: 's' | 'u', value: Value): Value {
    let at = value;
    for (;;) {
      const { def } = at;
      const [x] = def instanceof Instruction && (def.op === 'zext' || def.op === 'sext') ? def.args : [];
      if (x === undefined || !(def instanceof Instruction)) return at;
      const isSame = (def.op === 'zext') === (kind === 'u') || this.#range(x).sLow >= 0;
      if (!isSame) return at;
      at = x;
    }
  }

  #assume(condition: Value, holds: boolean): void {
    const { def } = condition;
    if (isInteger(condition.type)) {
      const full = fullRange(condition.type);
      this.#refine(condition, holds ? { ...full, uLow: 1 } : { ...full, sLow: 0, sHigh: 0 });
    }
    if (!(def instanceof Instruction)) return;
    const [a, b] = def.args;
    if (a === undefined || b === undefined) return;
    if (def.op === 'icmp' && isIntegerPredicate(def.predicate)) {
      this.#assumeComparison(holds ? def.predicate : negatedPredicate[def.predicate], a, b);
    } else if ((def.op === 'and' && holds) || (def.op === 'or' && !holds)) {
      if (this.#isBoolean(a) && this.#isBoolean(b)) {
        this.#assume(a, holds);
        this.#assume(b, holds);
      }
    }
  }

  #isBoolean(value: Value): boolean {
    return this.#range(value).uHigh <= 1;
  }

  #assumeComparison(predicate: IntegerPredicate, a: Value, b: Value): void {
    if (!isInteger(a.type)) return;
    const x = this.#range(a);
    const y = this.#range(b);
    const full = fullRange(a.type);
    switch (predicate) {
      case 'eq': {
        const both = intersection(a.type, x, y);
        this.#refine(a, both);
        this.#refine(b, both);
        return;
      }
      case 'ne':
        this.#refine(a, without(x, y, full));
        this.#refine(b, without(y, x, full));
        return;
      case 'slt':
      case 'sle': {
        const gap = predicate === 'slt' ? 1 : 0;
        this.#refine(a, { ...full, sHigh: y.sHigh - gap });
        this.#refine(b, { ...full, sLow: x.sLow + gap });
        this.#relate('s', a, b, predicate === 'slt' ? 2 : 1);
        return;
      }
      case 'ult':
      case 'ule': {
        const gap = predicate === 'ult' ? 1 : 0;
        this.#refine(a, { ...full, uHigh: y.uHigh - gap });
        this.#refine(b, { ...full, uLow: x.uLow + gap });
        this.#relate('u', a, b, predicate === 'ult' ? 2 : 1);
        return;
      }
      default:
        this.#assumeComparison(swappedPredicate[predicate], b, a);
    }
  }

  /** Until the walk leaves the block. What is known of a widened value is known of the narrow one. */
  #refine(value: Value, by: Range): void {
    if (!isInteger(value.type)) return;
    const before = this.#ranges[value.id];
    const after = intersection(value.type, this.#range(value), by);
    this.#ranges[value.id] = after;
    this.#undo.push(() => {
      this.#ranges[value.id] = before;
    });
    const { def } = value;
    const [x] = def instanceof Instruction ? def.args : [];
    if (!(def instanceof Instruction) || x === undefined || !isInteger(x.type)) return;
    const full = fullRange(x.type);
    if (def.op === 'zext') this.#refine(x, { ...full, uLow: after.uLow, uHigh: after.uHigh });
    if (def.op === 'sext') this.#refine(x, { ...full, sLow: after.sLow, sHigh: after.sHigh });
  }
}

/** A range without a single number at its end. */
function without(x: Range, y: Range, full: Range): Range {
  const s = y.sLow === y.sHigh ? y.sLow : Number.NaN;
  const u = y.uLow === y.uHigh ? y.uLow : Number.NaN;
  return {
    ...full,
    ...(x.sLow === s ? { sLow: s + 1 } : {}),
    ...(x.sHigh === s ? { sHigh: s - 1 } : {}),
    ...(x.uLow === u ? { uLow: u + 1 } : {}),
    ...(x.uHigh === u ? { uHigh: u - 1 } : {}),
  };
}

/** The value whose low part this is. */
function trunkOf(value: Value): Value | null {
  const { def } = value;
  return def instanceof Instruction && def.op === 'trunc' ? (def.args[0] ?? null) : null;
}

/** Is `arg` the parameter moved by a checked step of a constant? Notes the direction. */
function noteStep(arg: Value, param: Value, moves: { sUp: boolean; sDown: boolean; uUp: boolean; uDown: boolean }): boolean {
  const { def } = arg;
  if (!(def instanceof Instruction) || def.args[0] !== param) return false;
  const step = constantOf(def.args[1]);
  if (step === null) return false;
  if (def.op === 'uadd') moves.uUp = true;
  else if (def.op === 'usub') moves.uDown = true;
  else if (def.op === 'sadd') moves[step >= 0 ? 'sUp' : 'sDown'] = true;
  else if (def.op === 'ssub') moves[step >= 0 ? 'sDown' : 'sUp'] = true;
  else return false;
  return true;
}
