/** Shifts, rotates, double shifts (opcode group 2, SHLD SHRD), and BMI2's flagless ones (SDM Vol. 2). */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import { constant, type Term } from '../term.ts';
import { szp, uncertain, undef } from './common.ts';

interface Shift {
  readonly dst: Term;
  /** The masked count (5 bits, 6 for 64-bit operands), at the operand's width. */
  readonly count: Term;
  readonly width: number;
  readonly cf: Term;
  /** The operand's width minus the count. */
  readonly rest: Term;
  readonly one: Term;
}

function parts(c: Context, countOperand: number): Shift {
  const { dst } = c;
  const count = c
    .read(countOperand)
    .and(constant(dst.width === 64 ? 63 : 31, 8))
    .resize(dst.width);
  const k = (n: number) => constant(n, dst.width);
  return { dst, count, width: dst.width, cf: c.cf, rest: k(dst.width).sub(count), one: k(1) };
}

/** OF is defined for a count of 1 alone. */
const only1 = (s: Shift, of: Term) => uncertain(s.count.ne(s.one), of);

/** CF of SHL and SHR is undefined for counts not below the width, which 8- and 16-bit operands allow. */
function shiftedOut(s: Shift, cf: Term) {
  return s.width < 32 ? uncertain(s.count.ult(constant(s.width, s.dst.width)).not, cf) : cf;
}

function shl(s: Shift): Outcome {
  const r = s.dst.shl(s.count);
  const cf = s.dst.lshr(s.rest).bit(0);
  return { dst: r, flags: { cf: shiftedOut(s, cf), of: only1(s, r.sign.xor(cf)), af: undef, ...szp(r) }, flagsWhen: s.count.isNotZero };
}
function shr(s: Shift): Outcome {
  const r = s.dst.lshr(s.count);
  const cf = s.dst.lshr(s.count.sub(s.one)).bit(0);
  return { dst: r, flags: { cf: shiftedOut(s, cf), of: only1(s, s.dst.sign), af: undef, ...szp(r) }, flagsWhen: s.count.isNotZero };
}
function sar(s: Shift): Outcome {
  const r = s.dst.ashr(s.count);
  const cf = s.dst.ashr(s.count.sub(s.one)).bit(0);
  return { dst: r, flags: { cf, of: only1(s, constant(0, 1)), af: undef, ...szp(r) }, flagsWhen: s.count.isNotZero };
}
function rol(s: Shift): Outcome {
  const k = s.count.and(constant(s.width - 1, s.dst.width));
  const r = s.dst.shl(k).or(s.dst.lshr(constant(s.width, s.dst.width).sub(k)));
  return { dst: r, flags: { cf: r.bit(0), of: only1(s, r.sign.xor(r.bit(0))) }, flagsWhen: s.count.isNotZero };
}
function ror(s: Shift): Outcome {
  const r = rotateRight(s.dst, s.count.and(constant(s.width - 1, s.dst.width)));
  return { dst: r, flags: { cf: r.sign, of: only1(s, r.sign.xor(r.bit(s.width - 2))) }, flagsWhen: s.count.isNotZero };
}
const rotateRight = (value: Term, k: Term): Term => value.lshr(k).or(value.shl(constant(value.width, value.width).sub(k)));

/** Rotates through carry turn a number one bit wider: the count is modulo width + 1. */
function modulo(s: Shift): Term {
  return s.width < 32 ? s.count.urem(constant(s.width + 1, s.dst.width)) : s.count;
}
function rcl(s: Shift): Outcome {
  const k = modulo(s);
  const w = constant(s.width, s.dst.width);
  const carry = s.cf.zext(s.dst.width);
  const r = s.dst
    .shl(k)
    .or(carry.shl(k.sub(s.one)))
    .or(s.dst.lshr(w.add(s.one).sub(k)));
  const cf = k.isZero.ite(s.cf, s.dst.lshr(w.sub(k)).bit(0));
  return { dst: r, flags: { cf, of: only1(s, r.sign.xor(cf)) }, flagsWhen: s.count.isNotZero };
}
function rcr(s: Shift): Outcome {
  const k = modulo(s);
  const w = constant(s.width, s.dst.width);
  const carry = s.cf.zext(s.dst.width);
  const r = s.dst
    .lshr(k)
    .or(carry.shl(w.sub(k)))
    .or(s.dst.shl(w.add(s.one).sub(k)));
  const cf = k.isZero.ite(s.cf, s.dst.lshr(k.sub(s.one)).bit(0));
  return { dst: r, flags: { cf, of: only1(s, s.dst.sign.xor(s.cf)) }, flagsWhen: s.count.isNotZero };
}

/** SHLD SHRD. For 16-bit operands a count above 16 leaves everything undefined. */
function double(c: Context, left: boolean): Outcome {
  const s = parts(c, 2);
  const { src } = c;
  const r = left ? s.dst.shl(s.count).or(src.lshr(s.rest)) : s.dst.lshr(s.count).or(src.shl(s.rest));
  const cf = left ? s.dst.lshr(s.rest).bit(0) : s.dst.lshr(s.count.sub(s.one)).bit(0);
  const flags = { cf, of: only1(s, r.xor(s.dst).sign), af: undef, ...szp(r) };
  if (s.width !== 16) return { dst: r, flags, flagsWhen: s.count.isNotZero };
  const beyond = constant(16, 16).ult(s.count);
  c.write(0, r, { undefinedIf: beyond });
  const { sf, zf, pf } = szp(r);
  const unsure = { ...flags, cf: uncertain(beyond, cf), sf: uncertain(beyond, sf), zf: uncertain(beyond, zf), pf: uncertain(beyond, pf) };
  return { flags: unsure, flagsWhen: s.count.isNotZero };
}

/** Group 2 number n. */
function group2(name: string, n: number, text: string, meaning: (s: Shift) => Outcome): Instruction {
  const encodings = [`D0 /${n}  Eb,1`, `D1 /${n}  Ev,1`, `C0 /${n}  Eb,Ib`, `C1 /${n}  Ev,Ib`, `D2 /${n}  Eb,CL`, `D3 /${n}  Ev,CL`];
  return { name, text, encodings, meaning: (c) => meaning(parts(c, 1)) };
}

/** SHLX SHRX SARX: the count is masked, no flags. */
const flagless = (shift: (value: Term, count: Term) => Term) => (c: Context) => {
  const { src, third } = c;
  return { dst: shift(src, third.and(constant(src.width === 64 ? 63 : 31, src.width))) };
};

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  group2('ROL', 0, 'rotates dst left',                        rol),
  group2('ROR', 1, 'rotates dst right',                       ror),
  group2('RCL', 2, 'rotates CF:dst left',                     rcl),
  group2('RCR', 3, 'rotates dst:CF right',                    rcr),
  group2('SHL', 4, 'dst ← dst << count',                      shl),
  group2('SHR', 5, 'dst ← dst >> count, zeros come in',       shr),
  group2('SAL', 6, 'dst ← dst << count (same as SHL)',        shl),
  group2('SAR', 7, 'dst ← dst >> count, the sign comes in',   sar),
  { name: 'SHLD', text: 'dst ← dst << count, bits come in from src', encodings: ['0F A4 /r  Ev,Gv,Ib', '0F A5 /r  Ev,Gv,CL'], meaning: (c) => double(c, true) },
  { name: 'SHRD', text: 'dst ← dst >> count, bits come in from src', encodings: ['0F AC /r  Ev,Gv,Ib', '0F AD /r  Ev,Gv,CL'], meaning: (c) => double(c, false) },
  { name: 'SHLX', text: 'dst ← src << count',            feature: 'BMI2', encodings: ['VEX.LZ.66.0F38.W F7 /r  Gy,Ey,By'], meaning: flagless((v, n) => v.shl(n)) },
  { name: 'SARX', text: 'dst ← src >> count, sign in',   feature: 'BMI2', encodings: ['VEX.LZ.F3.0F38.W F7 /r  Gy,Ey,By'], meaning: flagless((v, n) => v.ashr(n)) },
  { name: 'SHRX', text: 'dst ← src >> count, zeros in',  feature: 'BMI2', encodings: ['VEX.LZ.F2.0F38.W F7 /r  Gy,Ey,By'], meaning: flagless((v, n) => v.lshr(n)) },
  { name: 'RORX', text: 'dst ← src rotated right, no flags', feature: 'BMI2', encodings: ['VEX.LZ.F2.0F3A.W F0 /r  Gy,Ey,Ib'], meaning: (c) => {
    const { src, third } = c;
    return { dst: rotateRight(src, third.and(constant(src.width - 1, 8)).zext(src.width)) };
  } },
];
