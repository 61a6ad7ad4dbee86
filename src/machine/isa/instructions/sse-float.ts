/**
 * SSE and SSE2: floating-point arithmetic, comparisons, conversions (SDM Vol. 2; exceptions Vol. 1 section 11.5).
 *
 * Every row computes its lanes, then `commit` raises: exceptions are ORed over the lanes into MXCSR; an unmasked one is #XM (#UD if CR4.OSXMMEXCPT
 * is clear), which leaves the destination as it was but MXCSR updated. If an unmasked exception is found before computing (invalid, denormal, divide by zero), the
 * flags found after computing (overflow, underflow, precision) are not set.
 */
import type { Context, Instruction, Outcome, Write } from '../dsl.ts';
import type { FloatOp, Width } from '../ops.ts';
import { constant, float, fstatus, join, one, type Term, zero } from '../term.ts';
import { hex } from './common.ts';

const SSE = { guard: 'sse', feature: 'SSE' } as const;
const SSE2 = { guard: 'sse', feature: 'SSE2' } as const;

const CR4_OSXMMEXCPT = 10;
const mxcsrOf = (c: Context): Term => c.special('mxcsr', 32);

/** MXCSR and #XM after the floating-point terms `results`. */
function raise(c: Context, results: readonly Term[]): void {
  const mxcsr = mxcsrOf(c);
  const all = results.map(fstatus).reduce((a, b) => a.or(b));
  const masks = mxcsr.extract(7, 8).and(constant(0x3f, 8));
  const unmasked = all.and(masks.not);
  const before = unmasked.and(constant(7, 8)).isNotZero;
  const seen = before.ite(all.and(constant(7, 8)), all);
  const updated = mxcsr.or(seen.zext(32));
  const writes: Write[] = [{ target: { kind: 'special', name: 'mxcsr' }, value: updated, when: null, undefinedIf: null }];
  const enabled = c.special('cr4', 64).bit(CR4_OSXMMEXCPT);
  c.fault(unmasked.isNotZero.and(enabled), 19, undefined, writes);
  c.fault(unmasked.isNotZero.and(enabled.not), 6, undefined, writes);
  c.setSpecial('mxcsr', updated);
}

/** dst ← op(dst, src) in every lane of `lane` bits; scalars have one lane. */
const binary =
  (op: FloatOp, lane: Width) =>
  (c: Context): Outcome => {
    const mxcsr = mxcsrOf(c);
    const b = c.src.lanes(lane);
    const results = c.dst.lanes(lane).map((x, i) => float(op, lane, [x, b[i] ?? x], mxcsr));
    raise(c, results);
    return { dst: join(results) };
  };
/** dst ← op(src). `to`: bits of a result; results fill the low part, the rest of a packed destination is zero. */
const unary =
  (op: FloatOp, from: Width, to: Width, fills: 'lanes' | 'scalar') =>
  (c: Context): Outcome => {
    const mxcsr = mxcsrOf(c);
    const results = c.src.lanes(from).map((x) => float(op, to, [x], mxcsr));
    raise(c, results);
    const joined = join(results);
    return { dst: fills === 'lanes' ? joined.zext(128) : joined };
  };

const all = (width: Width, bit: Term): Term => bit.sext(width);

/** CMPccPS and the like: predicates 0–7 in the immediate. EQ UNORD NEQ ORD are quiet, LT LE NLT NLE signal for every NaN. */
const predicate =
  (lane: Width) =>
  (c: Context): Outcome => {
    const mxcsr = mxcsrOf(c);
    const code = Number(c.immediate(2) & 7n);
    const kind = code & 3;
    const b = c.src.lanes(lane);
    const results = c.dst.lanes(lane).map((x, i) => float(kind === 1 || kind === 2 ? 'fcmp' : 'fucmp', 8, [x, b[i] ?? x], mxcsr));
    raise(c, results);
    const truth = (r: Term): Term => {
      const t = kind === 0 ? r.bit(1) : kind === 1 ? r.bit(0) : kind === 2 ? r.bit(0).or(r.bit(1)) : r.bit(2);
      return code < 4 ? t : t.not;
    };
    return { dst: join(results.map((r) => all(lane, truth(r)))) };
  };

/** COMISS and the like: ZF PF CF as for an unsigned comparison, all ones if unordered. */
const compare =
  (op: 'fcmp' | 'fucmp') =>
  (c: Context): Outcome => {
    const r = float(op, 8, [c.dst, c.src], mxcsrOf(c));
    raise(c, [r]);
    const unordered = r.bit(2);
    return { flags: { zf: r.bit(1).or(unordered), pf: unordered, cf: r.bit(0).or(unordered), of: zero, sf: zero, af: zero } };
  };

/** MXCSR of the approximations: round to nearest, DAZ and FTZ, all masked. They raise nothing. */
const approximate = constant(0x9fc0, 32);
const ONE = constant(0x3f800000, 32);
/** RCP, RSQRT: the manual allows an error of 1.5 · 2^-12; this machine gives the rounded exact value. */
const approximation =
  (root: boolean) =>
  (c: Context): undefined => {
    const results = c.src.lanes(32).map((x) => float('fdiv', 32, [ONE, root ? float('fsqrt', 32, [x], approximate) : x], approximate));
    c.write(0, join(results), { undefinedIf: one });
  };

/** The four forms of an arithmetic instruction on one opcode. */
function arithmetic(stem: string, opcode: number, op: FloatOp, text: string): Instruction[] {
  const at = hex(opcode);
  const one = op === 'fsqrt';
  const row = (from: Width) => (one ? unary(op, from, from, 'scalar') : binary(op, from));
  return [
    { ...SSE, name: `${stem}PS`, text: `${text}, four floats`, encodings: [`NP 0F ${at} /r  Vps,Wps`], meaning: row(32) },
    { ...SSE2, name: `${stem}PD`, text: `${text}, two doubles`, encodings: [`66 0F ${at} /r  Vpd,Wpd`], meaning: row(64) },
    { ...SSE, name: `${stem}SS`, text: `${text}, one float`, encodings: [`F3 0F ${at} /r  Vss,Wss`], meaning: row(32) },
    { ...SSE2, name: `${stem}SD`, text: `${text}, one double`, encodings: [`F2 0F ${at} /r  Vsd,Wsd`], meaning: row(64) },
  ];
}

const fromInteger =
  (to: Width) =>
  (c: Context): Outcome => {
    const r = float('fromint', to, [c.src], mxcsrOf(c));
    raise(c, [r]);
    return { dst: r };
  };
const toInteger =
  (op: 'toint' | 'trunctoint') =>
  (c: Context): Outcome => {
    const width = c.width(0);
    const r = float(op, width, [c.src], mxcsrOf(c));
    raise(c, [r]);
    return { dst: r };
  };

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  ...arithmetic('ADD',  0x58, 'fadd',  'dst ← dst + src'),
  ...arithmetic('MUL',  0x59, 'fmul',  'dst ← dst · src'),
  ...arithmetic('SUB',  0x5c, 'fsub',  'dst ← dst − src'),
  ...arithmetic('MIN',  0x5d, 'fmin',  'dst ← the lesser'),
  ...arithmetic('DIV',  0x5e, 'fdiv',  'dst ← dst ÷ src'),
  ...arithmetic('MAX',  0x5f, 'fmax',  'dst ← the greater'),
  ...arithmetic('SQRT', 0x51, 'fsqrt', 'dst ← √src'),
  { ...SSE,  name: 'RSQRTPS', text: 'dst ← 1 ÷ √src, approximately', encodings: ['NP 0F 52 /r  Vps,Wps'], meaning: approximation(true) },
  { ...SSE,  name: 'RSQRTSS', text: 'dst ← 1 ÷ √src, approximately', encodings: ['F3 0F 52 /r  Vss,Wss'], meaning: approximation(true) },
  { ...SSE,  name: 'RCPPS',   text: 'dst ← 1 ÷ src, approximately',  encodings: ['NP 0F 53 /r  Vps,Wps'], meaning: approximation(false) },
  { ...SSE,  name: 'RCPSS',   text: 'dst ← 1 ÷ src, approximately',  encodings: ['F3 0F 53 /r  Vss,Wss'], meaning: approximation(false) },
  { ...SSE,  name: 'CMPPS',   text: 'dst ← ones where the predicate holds', byImmediate: true, encodings: ['NP 0F C2 /r  Vps,Wps,Ib'], meaning: predicate(32) },
  { ...SSE2, name: 'CMPPD',   text: 'dst ← ones where the predicate holds', byImmediate: true, encodings: ['66 0F C2 /r  Vpd,Wpd,Ib'], meaning: predicate(64) },
  { ...SSE,  name: 'CMPSS',   text: 'dst ← ones if the predicate holds',    byImmediate: true, encodings: ['F3 0F C2 /r  Vss,Wss,Ib'], meaning: predicate(32) },
  { ...SSE2, name: 'CMPSD',   text: 'dst ← ones if the predicate holds',    byImmediate: true, encodings: ['F2 0F C2 /r  Vsd,Wsd,Ib'], meaning: predicate(64) },
  { ...SSE,  name: 'UCOMISS', text: 'flags of a comparison', encodings: ['NP 0F 2E /r  Vss,Wss'], meaning: compare('fucmp') },
  { ...SSE2, name: 'UCOMISD', text: 'flags of a comparison', encodings: ['66 0F 2E /r  Vsd,Wsd'], meaning: compare('fucmp') },
  { ...SSE,  name: 'COMISS',  text: 'flags of a comparison, signals for every NaN', encodings: ['NP 0F 2F /r  Vss,Wss'], meaning: compare('fcmp') },
  { ...SSE2, name: 'COMISD',  text: 'flags of a comparison, signals for every NaN', encodings: ['66 0F 2F /r  Vsd,Wsd'], meaning: compare('fcmp') },
  { ...SSE,  name: 'CVTSI2SS',  text: 'float ← integer',  encodings: ['F3 0F 2A /r  Vss,Ey'], meaning: fromInteger(32) },
  { ...SSE2, name: 'CVTSI2SD',  text: 'double ← integer', encodings: ['F2 0F 2A /r  Vsd,Ey'], meaning: fromInteger(64) },
  { ...SSE,  name: 'CVTTSS2SI', text: 'integer ← float, truncated',  encodings: ['F3 0F 2C /r  Gy,Wss'], meaning: toInteger('trunctoint') },
  { ...SSE2, name: 'CVTTSD2SI', text: 'integer ← double, truncated', encodings: ['F2 0F 2C /r  Gy,Wsd'], meaning: toInteger('trunctoint') },
  { ...SSE,  name: 'CVTSS2SI',  text: 'integer ← float',  encodings: ['F3 0F 2D /r  Gy,Wss'], meaning: toInteger('toint') },
  { ...SSE2, name: 'CVTSD2SI',  text: 'integer ← double', encodings: ['F2 0F 2D /r  Gy,Wsd'], meaning: toInteger('toint') },
  { ...SSE2, name: 'CVTSS2SD',  text: 'double ← float',   encodings: ['F3 0F 5A /r  Vsd,Wss'], meaning: unary('fwiden', 32, 64, 'scalar') },
  { ...SSE2, name: 'CVTSD2SS',  text: 'float ← double',   encodings: ['F2 0F 5A /r  Vss,Wsd'], meaning: unary('fnarrow', 64, 32, 'scalar') },
  { ...SSE2, name: 'CVTPS2PD',  text: 'two doubles ← two floats', encodings: ['NP 0F 5A /r  Vpd,Wq'],  meaning: unary('fwiden', 32, 64, 'lanes') },
  { ...SSE2, name: 'CVTPD2PS',  text: 'two floats ← two doubles', encodings: ['66 0F 5A /r  Vps,Wpd'], meaning: unary('fnarrow', 64, 32, 'lanes') },
  { ...SSE2, name: 'CVTDQ2PS',  text: 'four floats ← four integers', encodings: ['NP 0F 5B /r  Vps,Wdq'], meaning: unary('fromint', 32, 32, 'lanes') },
  { ...SSE2, name: 'CVTPS2DQ',  text: 'four integers ← four floats', encodings: ['66 0F 5B /r  Vdq,Wps'], meaning: unary('toint', 32, 32, 'lanes') },
  { ...SSE2, name: 'CVTTPS2DQ', text: 'four integers ← four floats, truncated', encodings: ['F3 0F 5B /r  Vdq,Wps'], meaning: unary('trunctoint', 32, 32, 'lanes') },
  { ...SSE2, name: 'CVTDQ2PD',  text: 'two doubles ← two integers', encodings: ['F3 0F E6 /r  Vpd,Wq'],  meaning: unary('fromint', 32, 64, 'lanes') },
  { ...SSE2, name: 'CVTPD2DQ',  text: 'two integers ← two doubles', encodings: ['F2 0F E6 /r  Vdq,Wpd'], meaning: unary('toint', 64, 32, 'lanes') },
  { ...SSE2, name: 'CVTTPD2DQ', text: 'two integers ← two doubles, truncated', encodings: ['66 0F E6 /r  Vdq,Wpd'], meaning: unary('trunctoint', 64, 32, 'lanes') },
];
