/** Parts of meanings that several families share. */
import type { FlagWrite, Outcome, Uncertain } from '../dsl.ts';
import { constant, one, type Term } from '../term.ts';

export const szp = (r: Term) => ({ sf: r.sign, zf: r.isZero, pf: r.parity });

/** The manual leaves it undefined if `condition`; the machine gives `value` all the same. */
export const uncertain = (condition: Term, value: Term): FlagWrite => ({ value, undefinedIf: condition });
/** Undefined by the manual; the machine leaves the flag as it was. */
export const unchanged = (flag: Term): FlagWrite => ({ value: flag, undefinedIf: one });

export const undef = 'undefined' as const satisfies Uncertain;

type Flags = NonNullable<Outcome['flags']>;

/** dst + src + carry. CF: the carry out of the sign bit. OF: the sum has a sign that neither operand had. */
export function addition(dst: Term, src: Term, carry: Term): { result: Term; flags: Flags } {
  const r = dst.add(src).add(carry.zext(dst.width));
  const cf = dst.and(src).or(dst.or(src).and(r.not)).sign;
  const of = dst.xor(r).and(src.xor(r)).sign;
  return { result: r, flags: { cf, of, af: dst.xor(src).xor(r).bit(4), ...szp(r) } };
}

/** dst − src − borrow. CF: the borrow out of the sign bit. OF: operands of unlike sign, and the sign of dst is lost. */
export function subtraction(dst: Term, src: Term, borrow: Term): { result: Term; flags: Flags } {
  const r = dst.sub(src).sub(borrow.zext(dst.width));
  const plain = borrow.op === 'const' && borrow.value === 0n;
  const cf = plain ? dst.ult(src) : dst.not.and(src).or(dst.not.or(src).and(r)).sign;
  const of = dst.xor(src).and(dst.xor(r)).sign;
  return { result: r, flags: { cf, of, af: dst.xor(src).xor(r).bit(4), ...szp(r) } };
}

/** Bits 63:47 are all equal. */
export const isCanonical = (address: Term): Term => address.ashr(constant(47, 64)).add(constant(1, 64)).ult(constant(2, 64));

/** The conditions of Jcc, SETcc, CMOVcc in the order of their encoding, with the manual's other names. */
export const CONDITIONS: readonly {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly text: string;
  when(c: ConditionFlags): Term;
}[] = [
  { name: 'O', aliases: [], text: 'OF = 1', when: (c) => c.of },
  { name: 'NO', aliases: [], text: 'OF = 0', when: (c) => c.of.not },
  { name: 'B', aliases: ['C', 'NAE'], text: 'CF = 1 (below)', when: (c) => c.cf },
  { name: 'AE', aliases: ['NC', 'NB'], text: 'CF = 0 (above or equal)', when: (c) => c.cf.not },
  { name: 'E', aliases: ['Z'], text: 'ZF = 1 (equal)', when: (c) => c.zf },
  { name: 'NE', aliases: ['NZ'], text: 'ZF = 0 (not equal)', when: (c) => c.zf.not },
  { name: 'BE', aliases: ['NA'], text: 'CF = 1 or ZF = 1 (below or equal)', when: (c) => c.cf.or(c.zf) },
  { name: 'A', aliases: ['NBE'], text: 'CF = 0 and ZF = 0 (above)', when: (c) => c.cf.or(c.zf).not },
  { name: 'S', aliases: [], text: 'SF = 1', when: (c) => c.sf },
  { name: 'NS', aliases: [], text: 'SF = 0', when: (c) => c.sf.not },
  { name: 'P', aliases: ['PE'], text: 'PF = 1', when: (c) => c.pf },
  { name: 'NP', aliases: ['PO'], text: 'PF = 0', when: (c) => c.pf.not },
  { name: 'L', aliases: ['NGE'], text: 'SF ≠ OF (less)', when: (c) => c.sf.xor(c.of) },
  { name: 'GE', aliases: ['NL'], text: 'SF = OF (greater or equal)', when: (c) => c.sf.xor(c.of).not },
  { name: 'LE', aliases: ['NG'], text: 'ZF = 1 or SF ≠ OF (less or equal)', when: (c) => c.zf.or(c.sf.xor(c.of)) },
  { name: 'G', aliases: ['NLE'], text: 'ZF = 0 and SF = OF (greater)', when: (c) => c.zf.or(c.sf.xor(c.of)).not },
];
export interface ConditionFlags {
  readonly cf: Term;
  readonly pf: Term;
  readonly zf: Term;
  readonly sf: Term;
  readonly of: Term;
}

/** Opcode + n as the manual prints a byte. */
export const hex = (opcode: number): string => opcode.toString(16).toUpperCase().padStart(2, '0');
