/** SSE and SSE2: moves, shuffles, bitwise logic, MXCSR (SDM Vol. 2). Scalar writes keep the upper part of the register, as the rows say. */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import type { Width } from '../ops.ts';
import { RDI } from '../registers.ts';
import { concat, join, type Term, zero } from '../term.ts';

const SSE = { guard: 'sse', feature: 'SSE' } as const;
const SSE2 = { guard: 'sse', feature: 'SSE2' } as const;

const move = ({ src }: Context): Outcome => ({ dst: src });
/** A load clears the rest of the register; between registers only the low part moves. */
const scalarLoad = (c: Context): Outcome => ({ dst: c.isMemory(1) ? c.src.zext(128) : c.src });
const cleared = (c: Context): Outcome => ({ dst: c.src.zext(128) });
const low = (t: Term): Term => t.extract(0, 64);
const high = (t: Term): Term => t.extract(64, 64);

/** Lanes of both operands in turn, from the low or the high halves. */
const interleave =
  (width: Width, upper: boolean) =>
  (c: Context): Outcome => {
    const half = upper ? high : low;
    const a = half(c.dst).lanes(width);
    const b = half(c.src).lanes(width);
    return { dst: join(a.flatMap((lane, i) => [lane, b[i] ?? lane])) };
  };

/** Two bits of the immediate choose each lane. */
function chosen(from: readonly Term[], immediate: bigint, i: number): Term {
  const lane = from[Number((immediate >> BigInt(2 * i)) & 3n)];
  return lane ?? (from[0] as Term);
}
function shufps(c: Context): Outcome {
  const imm = c.immediate(2);
  const a = c.dst.lanes(32);
  const b = c.src.lanes(32);
  return { dst: join([chosen(a, imm, 0), chosen(a, imm, 1), chosen(b, imm, 2), chosen(b, imm, 3)]) };
}
function shufpd(c: Context): Outcome {
  const imm = c.immediate(2);
  const { dst, src } = c;
  return { dst: concat(imm & 2n ? high(src) : low(src), imm & 1n ? high(dst) : low(dst)) };
}
function pshufd(c: Context): Outcome {
  const lanes = c.src.lanes(32);
  return { dst: join([0, 1, 2, 3].map((i) => chosen(lanes, c.immediate(2), i))) };
}
/** PSHUFLW, PSHUFHW: four words of one half; the other half is copied. */
const pshufw =
  (upper: boolean) =>
  (c: Context): Outcome => {
    const { src } = c;
    const lanes = (upper ? high(src) : low(src)).lanes(16);
    const words = join([0, 1, 2, 3].map((i) => chosen(lanes, c.immediate(2), i)));
    return { dst: upper ? concat(words, low(src)) : concat(high(src), words) };
  };

/** The signs of all lanes as a number. */
const mask =
  (width: Width) =>
  (c: Context): Outcome => {
    const signs = c.src.lanes(width).map((lane) => lane.sign);
    const padding = Array.from({ length: Math.max(0, 8 - signs.length) }, () => zero);
    return { dst: join([...signs, ...padding]).zext(c.width(0)) };
  };

/** Bytes whose mask byte has its sign set go to [rDI]. The whole 16 bytes must be writable (the manual leaves that open). */
function maskedStore(c: Context): undefined {
  const offset = c.wrap(c.gpr(RDI, 64));
  const old = c.load(c.segment, offset, 128, true).lanes(8);
  const values = c.dst.lanes(8);
  const masks = c.src.lanes(8);
  const merged = old.map((byte, i) => (masks[i] ?? byte).sign.ite(values[i] ?? byte, byte));
  c.store(c.segment, offset, join(merged));
}

function ldmxcsr(c: Context): undefined {
  c.fault(c.dst.extract(16, 16).isNotZero, 13, 0);
  c.setSpecial('mxcsr', c.dst);
}

function pinsrw(c: Context): Outcome {
  const lanes = c.dst.lanes(16);
  lanes[Number(c.immediate(2) & 7n)] = c.src.resize(16);
  return { dst: join(lanes) };
}
function pextrw(c: Context): Outcome {
  return { dst: c.src.extract(16 * Number(c.immediate(2) & 7n), 16).zext(c.width(0)) };
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  { ...SSE,  name: 'MOVSS',   text: 'dst ← src, 32 bits', encodings: ['F3 0F 10 /r  Vss,Wss'], meaning: scalarLoad },
  { ...SSE,  name: 'MOVSS',   text: 'dst ← src, 32 bits', encodings: ['F3 0F 11 /r  Wss,Vss'], meaning: move },
  { ...SSE2, name: 'MOVSD',   text: 'dst ← src, 64 bits', encodings: ['F2 0F 10 /r  Vsd,Wsd'], meaning: scalarLoad },
  { ...SSE2, name: 'MOVSD',   text: 'dst ← src, 64 bits', encodings: ['F2 0F 11 /r  Wsd,Vsd'], meaning: move },
  { ...SSE,  name: 'MOVAPS',  text: 'dst ← src, aligned', encodings: ['NP 0F 28 /r  Vps,Wps', 'NP 0F 29 /r  Wps,Vps'], meaning: move },
  { ...SSE2, name: 'MOVAPD',  text: 'dst ← src, aligned', encodings: ['66 0F 28 /r  Vpd,Wpd', '66 0F 29 /r  Wpd,Vpd'], meaning: move },
  { ...SSE,  name: 'MOVUPS',  text: 'dst ← src', unaligned: true, encodings: ['NP 0F 10 /r  Vps,Wps', 'NP 0F 11 /r  Wps,Vps'], meaning: move },
  { ...SSE2, name: 'MOVUPD',  text: 'dst ← src', unaligned: true, encodings: ['66 0F 10 /r  Vpd,Wpd', '66 0F 11 /r  Wpd,Vpd'], meaning: move },
  { ...SSE2, name: 'MOVDQA',  text: 'dst ← src, aligned', encodings: ['66 0F 6F /r  Vdq,Wdq', '66 0F 7F /r  Wdq,Vdq'], meaning: move },
  { ...SSE2, name: 'MOVDQU',  text: 'dst ← src', unaligned: true, encodings: ['F3 0F 6F /r  Vdq,Wdq', 'F3 0F 7F /r  Wdq,Vdq'], meaning: move },
  { ...SSE,  name: 'MOVNTPS', text: 'dst ← src, aligned, past the caches', encodings: ['NP 0F 2B /r  Mps,Vps'], meaning: move },
  { ...SSE2, name: 'MOVNTPD', text: 'dst ← src, aligned, past the caches', encodings: ['66 0F 2B /r  Mpd,Vpd'], meaning: move },
  { ...SSE2, name: 'MOVNTDQ', text: 'dst ← src, aligned, past the caches', encodings: ['66 0F E7 /r  Mdq,Vdq'], meaning: move },
  { ...SSE,  name: 'MOVLPS',  text: 'low half ← memory',  encodings: ['NP 0F 12 /r  Vq,Mq'], meaning: move },
  { ...SSE,  name: 'MOVLPS',  text: 'memory ← low half',  encodings: ['NP 0F 13 /r  Mq,Vq'], meaning: move },
  { ...SSE2, name: 'MOVLPD',  text: 'low half ← memory',  encodings: ['66 0F 12 /r  Vq,Mq'], meaning: move },
  { ...SSE2, name: 'MOVLPD',  text: 'memory ← low half',  encodings: ['66 0F 13 /r  Mq,Vq'], meaning: move },
  { ...SSE,  name: 'MOVHLPS', text: 'low half ← high half of src', encodings: ['NP 0F 12 /r  Vdq,Udq'], meaning: ({ dst, src }) => ({ dst: concat(high(dst), high(src)) }) },
  { ...SSE,  name: 'MOVHPS',  text: 'high half ← memory', encodings: ['NP 0F 16 /r  Vdq,Mq'], meaning: ({ dst, src }) => ({ dst: concat(src, low(dst)) }) },
  { ...SSE,  name: 'MOVHPS',  text: 'memory ← high half', encodings: ['NP 0F 17 /r  Mq,Vdq'], meaning: ({ src }) => ({ dst: high(src) }) },
  { ...SSE2, name: 'MOVHPD',  text: 'high half ← memory', encodings: ['66 0F 16 /r  Vdq,Mq'], meaning: ({ dst, src }) => ({ dst: concat(src, low(dst)) }) },
  { ...SSE2, name: 'MOVHPD',  text: 'memory ← high half', encodings: ['66 0F 17 /r  Mq,Vdq'], meaning: ({ src }) => ({ dst: high(src) }) },
  { ...SSE,  name: 'MOVLHPS', text: 'high half ← low half of src', encodings: ['NP 0F 16 /r  Vdq,Udq'], meaning: ({ dst, src }) => ({ dst: concat(low(src), low(dst)) }) },
  { ...SSE2, name: 'MOVD',    text: 'dst ← src, 32 bits, rest zero', encodings: ['W0 66 0F 6E /r  Vdq,Ed'], meaning: cleared },
  { ...SSE2, name: 'MOVD',    text: 'dst ← src, 32 bits',            encodings: ['W0 66 0F 7E /r  Ed,Vd'],  meaning: move },
  { ...SSE2, name: 'MOVQ',    text: 'dst ← src, 64 bits, rest zero', encodings: ['F3 0F 7E /r  Vdq,Wq', 'REX.W 66 0F 6E /r  Vdq,Eq'], meaning: cleared },
  { ...SSE2, name: 'MOVQ',    text: 'dst ← src, 64 bits, rest zero', encodings: ['66 0F D6 /r  Wq,Vq'], meaning: (c) => ({ dst: c.isMemory(0) ? c.src : c.src.zext(128) }) },
  { ...SSE2, name: 'MOVQ',    text: 'dst ← src, 64 bits',            encodings: ['REX.W 66 0F 7E /r  Eq,Vq'], meaning: move },
  { ...SSE,  name: 'MOVMSKPS', text: 'dst ← signs of the four lanes',    encodings: ['NP 0F 50 /r  Gy,Ups'], meaning: mask(32) },
  { ...SSE2, name: 'MOVMSKPD', text: 'dst ← signs of the two lanes',     encodings: ['66 0F 50 /r  Gy,Upd'], meaning: mask(64) },
  { ...SSE2, name: 'PMOVMSKB', text: 'dst ← signs of the sixteen lanes', encodings: ['66 0F D7 /r  Gy,Udq'], meaning: mask(8) },
  { ...SSE2, name: 'MASKMOVDQU', text: '[rDI] ← bytes with a mask', unaligned: true, encodings: ['66 0F F7 /r  Vdq,Udq'], meaning: maskedStore },
  { ...SSE,  name: 'UNPCKLPS', text: 'low lanes in turn',  encodings: ['NP 0F 14 /r  Vps,Wps'], meaning: interleave(32, false) },
  { ...SSE2, name: 'UNPCKLPD', text: 'low lanes in turn',  encodings: ['66 0F 14 /r  Vpd,Wpd'], meaning: interleave(64, false) },
  { ...SSE,  name: 'UNPCKHPS', text: 'high lanes in turn', encodings: ['NP 0F 15 /r  Vps,Wps'], meaning: interleave(32, true) },
  { ...SSE2, name: 'UNPCKHPD', text: 'high lanes in turn', encodings: ['66 0F 15 /r  Vpd,Wpd'], meaning: interleave(64, true) },
  { ...SSE2, name: 'PUNPCKLBW',  text: 'low lanes in turn',  encodings: ['66 0F 60 /r  Vdq,Wdq'], meaning: interleave(8, false) },
  { ...SSE2, name: 'PUNPCKLWD',  text: 'low lanes in turn',  encodings: ['66 0F 61 /r  Vdq,Wdq'], meaning: interleave(16, false) },
  { ...SSE2, name: 'PUNPCKLDQ',  text: 'low lanes in turn',  encodings: ['66 0F 62 /r  Vdq,Wdq'], meaning: interleave(32, false) },
  { ...SSE2, name: 'PUNPCKLQDQ', text: 'low lanes in turn',  encodings: ['66 0F 6C /r  Vdq,Wdq'], meaning: interleave(64, false) },
  { ...SSE2, name: 'PUNPCKHBW',  text: 'high lanes in turn', encodings: ['66 0F 68 /r  Vdq,Wdq'], meaning: interleave(8, true) },
  { ...SSE2, name: 'PUNPCKHWD',  text: 'high lanes in turn', encodings: ['66 0F 69 /r  Vdq,Wdq'], meaning: interleave(16, true) },
  { ...SSE2, name: 'PUNPCKHDQ',  text: 'high lanes in turn', encodings: ['66 0F 6A /r  Vdq,Wdq'], meaning: interleave(32, true) },
  { ...SSE2, name: 'PUNPCKHQDQ', text: 'high lanes in turn', encodings: ['66 0F 6D /r  Vdq,Wdq'], meaning: interleave(64, true) },
  { ...SSE,  name: 'SHUFPS',  text: 'lanes chosen by the immediate', byImmediate: true, encodings: ['NP 0F C6 /r  Vps,Wps,Ib'], meaning: shufps },
  { ...SSE2, name: 'SHUFPD',  text: 'lanes chosen by the immediate', byImmediate: true, encodings: ['66 0F C6 /r  Vpd,Wpd,Ib'], meaning: shufpd },
  { ...SSE2, name: 'PSHUFD',  text: 'lanes chosen by the immediate', byImmediate: true, encodings: ['66 0F 70 /r  Vdq,Wdq,Ib'], meaning: pshufd },
  { ...SSE2, name: 'PSHUFHW', text: 'high words chosen by the immediate', byImmediate: true, encodings: ['F3 0F 70 /r  Vdq,Wdq,Ib'], meaning: pshufw(true) },
  { ...SSE2, name: 'PSHUFLW', text: 'low words chosen by the immediate',  byImmediate: true, encodings: ['F2 0F 70 /r  Vdq,Wdq,Ib'], meaning: pshufw(false) },
  { ...SSE2, name: 'PINSRW',  text: 'one word ← src', byImmediate: true, encodings: ['66 0F C4 /r  Vdq,Rd,Ib', '66 0F C4 /r  Vdq,Mw,Ib'], meaning: pinsrw },
  { ...SSE2, name: 'PEXTRW',  text: 'dst ← one word', byImmediate: true, encodings: ['66 0F C5 /r  Gd,Udq,Ib'], meaning: pextrw },
  { ...SSE,  name: 'ANDPS',  text: 'dst ← dst & src',  encodings: ['NP 0F 54 /r  Vps,Wps'], meaning: ({ dst, src }) => ({ dst: dst.and(src) }) },
  { ...SSE2, name: 'ANDPD',  text: 'dst ← dst & src',  encodings: ['66 0F 54 /r  Vpd,Wpd'], meaning: ({ dst, src }) => ({ dst: dst.and(src) }) },
  { ...SSE,  name: 'ANDNPS', text: 'dst ← ~dst & src', encodings: ['NP 0F 55 /r  Vps,Wps'], meaning: ({ dst, src }) => ({ dst: dst.not.and(src) }) },
  { ...SSE2, name: 'ANDNPD', text: 'dst ← ~dst & src', encodings: ['66 0F 55 /r  Vpd,Wpd'], meaning: ({ dst, src }) => ({ dst: dst.not.and(src) }) },
  { ...SSE,  name: 'ORPS',   text: 'dst ← dst | src',  encodings: ['NP 0F 56 /r  Vps,Wps'], meaning: ({ dst, src }) => ({ dst: dst.or(src) }) },
  { ...SSE2, name: 'ORPD',   text: 'dst ← dst | src',  encodings: ['66 0F 56 /r  Vpd,Wpd'], meaning: ({ dst, src }) => ({ dst: dst.or(src) }) },
  { ...SSE,  name: 'XORPS',  text: 'dst ← dst ^ src',  encodings: ['NP 0F 57 /r  Vps,Wps'], meaning: ({ dst, src }) => ({ dst: dst.xor(src) }) },
  { ...SSE2, name: 'XORPD',  text: 'dst ← dst ^ src',  encodings: ['66 0F 57 /r  Vpd,Wpd'], meaning: ({ dst, src }) => ({ dst: dst.xor(src) }) },
  { ...SSE2, name: 'PAND',   text: 'dst ← dst & src',  encodings: ['66 0F DB /r  Vdq,Wdq'], meaning: ({ dst, src }) => ({ dst: dst.and(src) }) },
  { ...SSE2, name: 'PANDN',  text: 'dst ← ~dst & src', encodings: ['66 0F DF /r  Vdq,Wdq'], meaning: ({ dst, src }) => ({ dst: dst.not.and(src) }) },
  { ...SSE2, name: 'POR',    text: 'dst ← dst | src',  encodings: ['66 0F EB /r  Vdq,Wdq'], meaning: ({ dst, src }) => ({ dst: dst.or(src) }) },
  { ...SSE2, name: 'PXOR',   text: 'dst ← dst ^ src',  encodings: ['66 0F EF /r  Vdq,Wdq'], meaning: ({ dst, src }) => ({ dst: dst.xor(src) }) },
  { ...SSE,  name: 'LDMXCSR', text: 'MXCSR ← src; reserved bits #GP(0)', encodings: ['NP 0F AE /2  Md'], meaning: ldmxcsr },
  { ...SSE,  name: 'STMXCSR', text: 'dst ← MXCSR', encodings: ['NP 0F AE /3  Md'], meaning: (c) => ({ dst: c.special('mxcsr', 32) }) },
];
