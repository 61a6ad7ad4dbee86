/** Terms with some of their inputs replaced; what becomes constant by it is folded. */
import { bug } from '../isa/bug.ts';
import { isFloatOp } from '../isa/ops.ts';
import { concat, float, fstatus, type Term, wide } from '../isa/term.ts';
import { simplify } from './simplify.ts';

/** Gives the term that stands for an input, or for the status of a floating-point term; null: it stays. */
export type Replacement = (term: Term) => Term | null;

/** `memo`: replaced terms by their originals, for terms that share subterms. */
export function substitute(t: Term, replace: Replacement, memo: Map<Term, Term>): Term {
  const known = memo.get(t);
  if (known !== undefined) return known;
  let made: Term = t;
  const replaced = t.op === 'input' || t.op === 'fstatus' ? replace(t) : null;
  if (replaced !== null) made = replaced;
  else if (t.args.length > 0) {
    const args = t.args.map((a) => substitute(a, replace, memo));
    if (args.some((a, i) => a !== t.args[i])) made = simplify(rebuild(t, args));
  }
  memo.set(t, made);
  return made;
}

/** The term's operation on other operands (of the same widths). */
function rebuild(t: Term, args: readonly Term[]): Term {
  const a = args[0] ?? bug(`${t.op} without operands`);
  const b = () => args[1] ?? bug(`${t.op} has one operand`);
  const c = () => args[2] ?? bug(`${t.op} has two operands`);
  if (isFloatOp(t.op)) return float(t.op, t.width, args.slice(0, -1), args.at(-1) ?? a);
  switch (t.op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'and':
    case 'or':
    case 'xor':
    case 'shl':
    case 'lshr':
    case 'ashr':
    case 'umulh':
    case 'smulh':
    case 'udiv':
    case 'urem':
    case 'sdiv':
    case 'srem':
    case 'pdep':
    case 'pext':
    case 'eq':
    case 'ult':
    case 'slt':
      return a[t.op](b());
    case 'not':
    case 'neg':
    case 'popcnt':
    case 'clz':
    case 'ctz':
    case 'bswap':
    case 'parity':
      return a[t.op];
    case 'ite':
      return a.ite(b(), c());
    case 'zext':
    case 'sext':
    case 'trunc':
      return a[t.op](t.width);
    case 'extract':
      return a.extract(t.lo, t.width);
    case 'concat':
      return concat(...args);
    case 'udivw':
    case 'uremw':
      return wide(t.op, a, b(), c());
    case 'fstatus':
      return fstatus(a);
    default:
      return bug(`${t.op satisfies 'const' | 'input'} has no operands`);
  }
}
