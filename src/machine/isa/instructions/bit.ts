/** Bit tests and scans, counts, BMI1, BMI2 (SDM Vol. 2). */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import type { Width } from '../ops.ts';
import { constant, type Term, zero } from '../term.ts';
import { unchanged, undef } from './common.ts';

const log2: Readonly<Record<number, number>> = { 16: 4, 32: 5, 64: 6 };

/** CF alone is defined; ZF keeps its value. */
const bitFlags = (c: Context, cf: Term) => ({ cf, of: unchanged(c.of), sf: unchanged(c.sf), af: unchanged(c.af), pf: unchanged(c.pf) });

/**
 * The selected bit goes to CF and is changed. With memory and a register as bit number the operand is a bit string: the register, signed,
 * counts from its start, and the word that holds the bit is accessed.
 */
function bitTest(c: Context, change: ((value: Term, bit: Term) => Term) | null): Outcome {
  const width = c.width(0);
  const shift = log2[width] ?? 0;
  const number = c.src.resize(width).and(constant(width - 1, width));
  const mask = constant(1, width).shl(number);
  if (!c.isMemory(0) || c.width(1) === 8) {
    const value = c.dst;
    if (change !== null) c.write(0, change(value, mask));
    return { flags: bitFlags(c, value.lshr(number).bit(0)) };
  }
  const words = c.src.ashr(constant(shift, width)).sext(64);
  const offset = c.wrap(c.offset(0).add(words.mul(constant(width / 8, 64))));
  const value = c.load({ operand: 0 }, offset, width, change !== null);
  if (change !== null) c.store({ operand: 0 }, offset, change(value, mask));
  return { flags: bitFlags(c, value.lshr(number).bit(0)) };
}

function bt(name: string, opcode: string, n: number, text: string, change: ((value: Term, bit: Term) => Term) | null): Instruction {
  return {
    name,
    text,
    lock: change !== null,
    encodings: [`0F ${opcode} /r  Ev,Gv`, `0F BA /${n}  Ev,Ib`],
    meaning: (c) => bitTest(c, change),
  };
}

/** BSF, BSR: the destination keeps its value if the source is zero (the manual: undefined). */
function scan(c: Context, result: (src: Term) => Term): Outcome {
  const { src } = c;
  c.write(0, result(src), { when: src.isNotZero });
  return {
    flags: { zf: src.isZero, cf: unchanged(c.cf), of: unchanged(c.of), sf: unchanged(c.sf), af: unchanged(c.af), pf: unchanged(c.pf) },
  };
}
const highestBit = (src: Term): Term => constant(src.width - 1, src.width).sub(src.clz);

/** LZCNT, TZCNT */
function count(c: Context, result: Term): Outcome {
  return {
    dst: result,
    flags: { cf: c.src.isZero, zf: result.isZero, of: unchanged(c.of), sf: unchanged(c.sf), af: unchanged(c.af), pf: unchanged(c.pf) },
  };
}

/** ANDN BLSR BLSI BLSMSK BZHI BEXTR: SF and ZF of the result, OF = 0, AF and PF undefined. */
const bmiFlags = (r: Term, cf: Term) => ({ sf: r.sign, zf: r.isZero, cf, of: zero, af: undef, pf: undef });
const less1 = (t: Term): Term => t.sub(constant(1, t.width));

/** BLSR BLSMSK BLSI: dst is VEX.vvvv. */
const lowest = (result: (src: Term) => Term, cf: (src: Term) => Term) => (c: Context) => {
  const r = result(c.src);
  return { dst: r, flags: bmiFlags(r, cf(c.src)) };
};

/** Ones below bit n; all ones if n ≥ width. */
const onesBelow = (n: Term): Term => constant(1, n.width).shl(n).sub(constant(1, n.width));

function bextr(c: Context): Outcome {
  const { src, third } = c;
  const byte = (lo: number): Term => third.extract(lo, 8).zext(src.width as Width);
  const r = src.lshr(byte(0)).and(onesBelow(byte(8)));
  return { dst: r, flags: { zf: r.isZero, cf: zero, of: zero, sf: undef, af: undef, pf: undef } };
}
function bzhi(c: Context): Outcome {
  const { src, third } = c;
  const n = third.extract(0, 8).zext(src.width as Width);
  const beyond = constant(src.width - 1, src.width).ult(n);
  const r = src.and(onesBelow(n));
  return { dst: r, flags: bmiFlags(r, beyond) };
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  bt('BT',  'A3', 4, 'CF ← bit',            null),
  bt('BTS', 'AB', 5, 'CF ← bit; bit ← 1',   (v, bit) => v.or(bit)),
  bt('BTR', 'B3', 6, 'CF ← bit; bit ← 0',   (v, bit) => v.and(bit.not)),
  bt('BTC', 'BB', 7, 'CF ← bit; bit ← ~bit', (v, bit) => v.xor(bit)),
  { name: 'BSF',    text: 'dst ← number of the lowest one of src',  encodings: ['0F BC /r  Gv,Ev'], meaning: (c) => scan(c, (src) => src.ctz) },
  { name: 'BSR',    text: 'dst ← number of the highest one of src', encodings: ['0F BD /r  Gv,Ev'], meaning: (c) => scan(c, highestBit) },
  { name: 'TZCNT',  feature: 'BMI1',   text: 'dst ← zeros below the lowest one',  encodings: ['F3 0F BC /r  Gv,Ev'], meaning: (c) => count(c, c.src.ctz) },
  { name: 'LZCNT',  feature: 'LZCNT',  text: 'dst ← zeros above the highest one', encodings: ['F3 0F BD /r  Gv,Ev'], meaning: (c) => count(c, c.src.clz) },
  { name: 'POPCNT', feature: 'POPCNT', text: 'dst ← number of ones',              encodings: ['F3 0F B8 /r  Gv,Ev'], meaning: ({ src }) => ({ dst: src.popcnt, flags: { zf: src.isZero, cf: zero, of: zero, sf: zero, af: zero, pf: zero } }) },
  { name: 'ANDN',   feature: 'BMI1', text: 'dst ← ~src1 & src2',         encodings: ['VEX.LZ.0F38.W F2 /r  Gy,By,Ey'], meaning: ({ src, third }) => { const r = src.not.and(third); return { dst: r, flags: bmiFlags(r, zero) }; } },
  { name: 'BLSR',   feature: 'BMI1', text: 'dst ← src without its lowest one', encodings: ['VEX.LZ.0F38.W F3 /1  By,Ey'], meaning: lowest((s) => less1(s).and(s), (s) => s.isZero) },
  { name: 'BLSMSK', feature: 'BMI1', text: 'dst ← ones up to the lowest one',  encodings: ['VEX.LZ.0F38.W F3 /2  By,Ey'], meaning: lowest((s) => less1(s).xor(s), (s) => s.isZero) },
  { name: 'BLSI',   feature: 'BMI1', text: 'dst ← the lowest one alone',       encodings: ['VEX.LZ.0F38.W F3 /3  By,Ey'], meaning: lowest((s) => s.neg.and(s), (s) => s.isNotZero) },
  { name: 'BEXTR',  feature: 'BMI1', text: 'dst ← a field of src',             encodings: ['VEX.LZ.0F38.W F7 /r  Gy,Ey,By'], meaning: bextr },
  { name: 'BZHI',   feature: 'BMI2', text: 'dst ← the low bits of src',        encodings: ['VEX.LZ.0F38.W F5 /r  Gy,Ey,By'], meaning: bzhi },
  { name: 'PDEP',   feature: 'BMI2', text: 'low bits of src1 to the ones of src2', encodings: ['VEX.LZ.F2.0F38.W F5 /r  Gy,By,Ey'], meaning: ({ src, third }) => ({ dst: src.pdep(third) }) },
  { name: 'PEXT',   feature: 'BMI2', text: 'bits of src1 at the ones of src2',     encodings: ['VEX.LZ.F3.0F38.W F5 /r  Gy,By,Ey'], meaning: ({ src, third }) => ({ dst: src.pext(third) }) },
];
