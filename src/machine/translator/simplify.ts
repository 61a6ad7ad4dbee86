/**
 * Comparisons in disguise: what conditions over flags become when the flags' terms are put in their places.
 * Laws of arithmetic modulo 2^width, for any operands.
 */
import { constant, isConst, type Term } from '../isa/term.ts';
import { isSameSource } from './canonical-terms.ts';

/** An equal term, simpler where a law applies to it as a whole. */
export function simplify(t: Term): Term {
  const [a, b] = t.args;
  if (a === undefined) return t;
  // ¬¬x = x
  if (t.op === 'not' && a.op === 'not' && a.args[0] !== undefined) return a.args[0];
  if (b === undefined) return t;
  if (t.op === 'eq' && isConst(b, 0n)) return zeroDifference(a) ?? t;
  if (t.op === 'xor' && t.width === 1) return signedLess(a, b) ?? signedLess(b, a) ?? t;
  if (t.op === 'or' && t.width === 1) return lessOrEqual(a, b) ?? lessOrEqual(b, a) ?? t;
  return t;
}

/** x − y = 0 as x = y. */
function zeroDifference(a: Term): Term | null {
  const [x, y] = a.args;
  return a.op === 'sub' && x !== undefined && y !== undefined ? x.eq(y) : null;
}

/** The sign of x − y, where (x ⊕ y) ∧ (x ⊕ (x − y)) has its sign bit clear; else the opposite: x < y, signed. */
function signedLess(sign: Term, overflow: Term): Term | null {
  const difference = ofSign(sign);
  if (difference === null || difference.op !== 'sub') return null;
  const [x, y] = difference.args;
  const both = ofSign(overflow);
  if (x === undefined || y === undefined || both?.op !== 'and') return null;
  const [unlike, lost] = both.args;
  const isUnlike = unlike?.op === 'xor' && same(unlike.args[0], x) && same(unlike.args[1], y);
  const isLost = lost?.op === 'xor' && same(lost.args[0], x) && same(lost.args[1], difference);
  return isUnlike && isLost ? x.slt(y) : null;
}

/** x < y or x = y as not y < x; x < 0 or x = 0 likewise. */
function lessOrEqual(less: Term, equal: Term): Term | null {
  if (equal.op !== 'eq') return null;
  const [p, q] = equal.args;
  if (p === undefined || q === undefined) return null;
  if (less.op === 'ult' || less.op === 'slt') {
    const [x, y] = less.args;
    if (x === undefined || y === undefined || !same(x, p) || !same(y, q)) return null;
    return less.op === 'ult' ? y.ult(x).not : y.slt(x).not;
  }
  const negative = ofSign(less);
  return negative !== null && isConst(q, 0n) && same(negative, p) ? constant(0n, p.width).slt(p).not : null;
}

/** x, if the term is the sign bit of x. */
function ofSign(t: Term): Term | null {
  const x = t.args[0];
  return t.op === 'extract' && x !== undefined && t.lo === x.width - 1 ? x : null;
}

/** Whether two terms are the same by structure. */
function same(a: Term | undefined, b: Term): boolean {
  if (a === b) return true;
  if (a === undefined || a.op !== b.op || a.width !== b.width || a.lo !== b.lo || a.value !== b.value) return false;
  if (!isSameSource(a.source, b.source)) return false;
  return a.args.length === b.args.length && a.args.every((x, i) => same(x, b.args[i] ?? b));
}
