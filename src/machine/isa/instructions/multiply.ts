/** MUL IMUL DIV IDIV, MULX, and the decimal adjustments (SDM Vol. 2). */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import type { Width } from '../ops.ts';
import { RAX, RDX } from '../registers.ts';
import { concat, constant, or, type Term, wide } from '../term.ts';
import { szp, unchanged, undef } from './common.ts';

/** rDX:rAX (AX for bytes) ← high:low. */
function setPair(c: Context, high: Term, low: Term): void {
  if (low.width === 8) c.setGpr(RAX, concat(high, low));
  else {
    c.setGpr(RAX, low);
    c.setGpr(RDX, high);
  }
}
function pair(c: Context, w: Width): { high: Term; low: Term } {
  return w === 8 ? { high: c.highByte(RAX), low: c.gpr(RAX, 8) } : { high: c.gpr(RDX, w), low: c.gpr(RAX, w) };
}
const productFlags = (c: Context, lost: Term) => ({
  cf: lost,
  of: lost,
  sf: unchanged(c.sf),
  zf: unchanged(c.zf),
  af: unchanged(c.af),
  pf: unchanged(c.pf),
});
const allUndefined = (c: Context) => ({ ...productFlags(c, c.cf), cf: unchanged(c.cf), of: unchanged(c.of) });

function mul(c: Context): Outcome {
  const a = c.gpr(RAX, c.width(0));
  const high = a.umulh(c.dst);
  setPair(c, high, a.mul(c.dst));
  return { flags: productFlags(c, high.isNotZero) };
}
const signsOf = (low: Term): Term => low.ashr(constant(low.width - 1, low.width));
function imul1(c: Context): Outcome {
  const a = c.gpr(RAX, c.width(0));
  const high = a.smulh(c.dst);
  const low = a.mul(c.dst);
  setPair(c, high, low);
  return { flags: productFlags(c, high.ne(signsOf(low))) };
}
function imul(c: Context, a: Term, b: Term): Outcome {
  const low = a.mul(b);
  return { dst: low, flags: productFlags(c, a.smulh(b).ne(signsOf(low))) };
}

function div(c: Context): Outcome {
  const w = c.width(0);
  const divisor = c.dst;
  const { high, low } = pair(c, w);
  c.fault(high.ult(divisor).not, 0); // also when the divisor is zero
  if (w === 64) setPair(c, wide('uremw', high, low, divisor), wide('udivw', high, low, divisor));
  else {
    const dividend = concat(high, low).resize(64);
    const by = divisor.zext(64);
    setPair(c, dividend.urem(by).trunc(w), dividend.udiv(by).trunc(w));
  }
  return { flags: allUndefined(c) };
}

function idiv(c: Context): Outcome {
  const w = c.width(0);
  const divisor = c.dst;
  const { high, low } = pair(c, w);
  if (w === 64) idiv64(c, high, low, divisor);
  else {
    const dividend = concat(high, low).sext(64);
    const by = divisor.sext(64);
    const quotient = dividend.sdiv(by);
    c.fault(divisor.isZero.or(quotient.trunc(w).sext(64).ne(quotient)), 0);
    setPair(c, dividend.srem(by).trunc(w), quotient.trunc(w));
  }
  return { flags: allUndefined(c) };
}

/** By magnitudes: |high:low| ÷ |divisor|, then the signs. */
function idiv64(c: Context, high: Term, low: Term, divisor: Term): void {
  const negative = high.sign;
  const borrow = low.isNotZero.zext(64);
  const highMagnitude = negative.ite(high.neg.sub(borrow), high);
  const lowMagnitude = negative.ite(low.neg, low);
  const by = divisor.sign.ite(divisor.neg, divisor);
  const quotient = wide('udivw', highMagnitude, lowMagnitude, by);
  const remainder = wide('uremw', highMagnitude, lowMagnitude, by);
  const unlike = negative.xor(divisor.sign);
  const least = constant(1n << 63n, 64);
  const tooBig = unlike.ite(least.ult(quotient), quotient.sign);
  c.fault(or(highMagnitude.ult(by).not, tooBig), 0);
  setPair(c, negative.ite(remainder.neg, remainder), unlike.ite(quotient.neg, quotient));
}

/** DAA, DAS: AL back to two decimal digits. */
function adjust(c: Context, add: boolean): undefined | Outcome {
  const al = c.gpr(RAX, 8);
  const k = (n: number) => constant(n, 8);
  const low = k(9)
    .ult(al.and(k(15)))
    .or(c.af);
  const high = k(0x99).ult(al).or(c.cf);
  const correction = low.ite(k(6), k(0)).add(high.ite(k(0x60), k(0)));
  const r = add ? al.add(correction) : al.sub(correction);
  c.setGpr(RAX, r);
  // DAS also sets CF when its first correction borrows.
  const cf = add ? high : high.or(low.and(al.ult(k(6))));
  return { flags: { cf, af: low, of: undef, ...szp(r) } };
}

/** AAA, AAS: one unpacked digit in AL, carry to AH. */
function unpacked(c: Context, add: boolean): Outcome {
  const ax = c.gpr(RAX, 16);
  const adjusts = constant(9, 8)
    .ult(c.gpr(RAX, 8).and(constant(15, 8)))
    .or(c.af);
  const k = (n: number) => constant(n, 16);
  const moved = add ? ax.add(k(0x106)) : ax.sub(k(0x106));
  c.setGpr(RAX, adjusts.ite(moved, ax).and(k(0xff0f)));
  return { flags: { cf: adjusts, af: adjusts, of: undef, sf: undef, zf: undef, pf: undef } };
}

function aam(c: Context): Outcome {
  const al = c.gpr(RAX, 8);
  const base = c.dst;
  c.fault(base.isZero, 0);
  const r = al.urem(base);
  c.setGpr(RAX, concat(al.udiv(base), r));
  return { flags: { ...szp(r), cf: undef, of: undef, af: undef } };
}
function aad(c: Context): Outcome {
  const r = c.gpr(RAX, 8).add(c.highByte(RAX).mul(c.dst));
  c.setGpr(RAX, r.zext(16));
  return { flags: { ...szp(r), cf: undef, of: undef, af: undef } };
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  { name: 'MUL',  text: 'rDX:rAX ← rAX · src, unsigned', encodings: ['F6 /4  Eb', 'F7 /4  Ev'], meaning: mul },
  { name: 'IMUL', text: 'rDX:rAX ← rAX · src, signed',   encodings: ['F6 /5  Eb', 'F7 /5  Ev'], meaning: imul1 },
  { name: 'IMUL', text: 'dst ← dst · src, signed',       encodings: ['0F AF /r  Gv,Ev'],        meaning: (c) => { const { dst, src } = c; return imul(c, dst, src); } },
  { name: 'IMUL', text: 'dst ← src · immediate, signed', encodings: ['6B /r  Gv,Ev,sIb', '69 /r  Gv,Ev,Iz'], meaning: (c) => { const { src, third } = c; return imul(c, src, third); } },
  { name: 'DIV',  text: 'rAX ← rDX:rAX ÷ src, rDX ← remainder, unsigned', raises: ['#DE'], encodings: ['F6 /6  Eb', 'F7 /6  Ev'], meaning: div },
  { name: 'IDIV', text: 'rAX ← rDX:rAX ÷ src, rDX ← remainder, signed',   raises: ['#DE'], encodings: ['F6 /7  Eb', 'F7 /7  Ev'], meaning: idiv },
  { name: 'MULX', text: 'dst:second ← rDX · src, no flags', feature: 'BMI2', encodings: ['VEX.LZ.F2.0F38.W F6 /r  Gy,By,Ey'], meaning: (c) => {
    const a = c.gpr(RDX, c.width(0));
    const b = c.third;
    c.write(1, a.mul(b));
    c.write(0, a.umulh(b));
    return undefined;
  } },
  { name: 'DAA', text: 'decimal adjustment of AL after addition',    encodings: ['27  -  i64'],   meaning: (c) => adjust(c, true) },
  { name: 'DAS', text: 'decimal adjustment of AL after subtraction', encodings: ['2F  -  i64'],   meaning: (c) => adjust(c, false) },
  { name: 'AAA', text: 'ASCII adjustment after addition',            encodings: ['37  -  i64'],   meaning: (c) => unpacked(c, true) },
  { name: 'AAS', text: 'ASCII adjustment after subtraction',         encodings: ['3F  -  i64'],   meaning: (c) => unpacked(c, false) },
  { name: 'AAM', text: 'AH ← AL ÷ imm8, AL ← remainder', raises: ['#DE'], encodings: ['D4  Ib  i64'], meaning: aam },
  { name: 'AAD', text: 'AL ← AL + AH · imm8, AH ← 0',                encodings: ['D5  Ib  i64'],  meaning: aad },
];
