/** SSE2: packed integers (SDM Vol. 2). Lanes are written as terms of their own. */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import type { Width } from '../ops.ts';
import { concat, constant, join, type Term } from '../term.ts';
import { hex } from './common.ts';

const SSE2 = { guard: 'sse', feature: 'SSE2' } as const;

/** dst ← f(dst, src) in every lane. */
const lanewise =
  (width: Width, f: (a: Term, b: Term) => Term) =>
  (c: Context): Outcome => {
    const b = c.src.lanes(width);
    return { dst: join(c.dst.lanes(width).map((a, i) => f(a, b[i] ?? a))) };
  };
function packed(name: string, opcode: number, text: string, width: Width, f: (a: Term, b: Term) => Term): Instruction {
  return { ...SSE2, name, text, encodings: [`66 0F ${hex(opcode)} /r  Vdq,Wdq`], meaning: lanewise(width, f) };
}

const ones = (width: Width): Term => constant(-1, width);
const limit = (width: Width, least: boolean): Term => constant(least ? -(2 ** (width - 1)) : 2 ** (width - 1) - 1, width);
const min = (less: Term, a: Term, b: Term): Term => less.ite(a, b);

/** Clamps a value to the signed range of `to` bits. */
function signedSaturate(value: Term, to: Width): Term {
  const least = limit(to, true).sext(value.width);
  const most = limit(to, false).sext(value.width);
  return value.slt(least).ite(least, most.slt(value).ite(most, value)).trunc(to);
}
function unsignedSaturate(value: Term, to: Width): Term {
  const most = ones(to).zext(value.width);
  return value.sign.ite(constant(0, value.width), most.slt(value).ite(most, value)).trunc(to);
}
const signedSum =
  (subtract: boolean) =>
  (a: Term, b: Term): Term => {
    const wide = a.width === 8 ? 16 : 32;
    const r = subtract ? a.sext(wide).sub(b.sext(wide)) : a.sext(wide).add(b.sext(wide));
    return signedSaturate(r, a.width);
  };
const unsignedSum = (a: Term, b: Term): Term => {
  const r = a.add(b);
  return r.ult(a).ite(ones(a.width), r);
};
const unsignedDifference = (a: Term, b: Term): Term => a.ult(b).ite(constant(0, a.width), a.sub(b));
const average = (a: Term, b: Term): Term => {
  const wide = a.width === 8 ? 16 : 32;
  return a.zext(wide).add(b.zext(wide)).add(constant(1, wide)).lshr(constant(1, wide)).trunc(a.width);
};

/** Both operands' lanes, narrowed with saturation: dst's in the low half. */
const pack =
  (from: Width, to: Width, saturate: (value: Term, to: Width) => Term) =>
  (c: Context): Outcome => {
    const lanes = [...c.dst.lanes(from), ...c.src.lanes(from)];
    return { dst: join(lanes.map((lane) => saturate(lane, to))) };
  };

type Shift = (value: Term, count: Term) => Term;
const left: Shift = (v, n) => v.shl(n);
const right: Shift = (v, n) => v.lshr(n);
const arithmetic: Shift = (v, n) => v.ashr(n);

/** By the low 64 bits of src. */
const shiftBySource =
  (width: Width, shift: Shift) =>
  (c: Context): Outcome => {
    const count = c.src.extract(0, 64);
    const bounded = count.ult(constant(width, 64)).ite(count, constant(width, 64)).resize(width);
    return { dst: join(c.dst.lanes(width).map((lane) => shift(lane, bounded))) };
  };
const shiftByImmediate =
  (width: Width, shift: Shift) =>
  (c: Context): Outcome => {
    const count = c.immediate(1);
    const bounded = constant(count < BigInt(width) ? count : width, width);
    return { dst: join(c.dst.lanes(width).map((lane) => shift(lane, bounded))) };
  };
function shifts(name: string, width: Width, opcode: number, group: number, digit: number, text: string, shift: Shift): Instruction[] {
  return [
    { ...SSE2, name, text, encodings: [`66 0F ${hex(opcode)} /r  Vdq,Wdq`], meaning: shiftBySource(width, shift) },
    {
      ...SSE2,
      name,
      text,
      byImmediate: true,
      encodings: [`66 0F ${hex(group)} /${digit}  Udq,Ib`],
      meaning: shiftByImmediate(width, shift),
    },
  ];
}
/** PSLLDQ, PSRLDQ: the whole register by bytes. */
const shiftBytes =
  (toLeft: boolean) =>
  (c: Context): Outcome => {
    const n = Number(c.immediate(1) > 15n ? 16n : c.immediate(1));
    const bytes = c.dst.lanes(8);
    const empty = Array.from({ length: n }, () => constant(0, 8));
    return { dst: join(toLeft ? [...empty, ...bytes.slice(0, 16 - n)] : [...bytes.slice(n), ...empty]) };
  };

/** PMADDWD: pairs of products of signed words, added. */
function multiplyAdd(c: Context): Outcome {
  const b = c.src.lanes(16);
  const products = c.dst.lanes(16).map((a, i) => a.sext(32).mul((b[i] ?? a).sext(32)));
  return { dst: join([0, 2, 4, 6].map((i) => (products[i] as Term).add(products[i + 1] as Term))) };
}
/** PSADBW: the sum of absolute differences of the bytes of each half. */
function sumOfDifferences(c: Context): Outcome {
  const b = c.src.lanes(8);
  const differences = c.dst.lanes(8).map((a, i) => {
    const other = b[i] ?? a;
    return a.ult(other).ite(other.sub(a), a.sub(other)).zext(64);
  });
  const sum = (from: number): Term => differences.slice(from, from + 8).reduce((x, y) => x.add(y));
  return { dst: concat(sum(8), sum(0)) };
}
const mulLow = (a: Term): Term => a.extract(0, 32).zext(64);

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  packed('PADDB', 0xfc, 'dst ← dst + src', 8,  (a, b) => a.add(b)),
  packed('PADDW', 0xfd, 'dst ← dst + src', 16, (a, b) => a.add(b)),
  packed('PADDD', 0xfe, 'dst ← dst + src', 32, (a, b) => a.add(b)),
  packed('PADDQ', 0xd4, 'dst ← dst + src', 64, (a, b) => a.add(b)),
  packed('PSUBB', 0xf8, 'dst ← dst − src', 8,  (a, b) => a.sub(b)),
  packed('PSUBW', 0xf9, 'dst ← dst − src', 16, (a, b) => a.sub(b)),
  packed('PSUBD', 0xfa, 'dst ← dst − src', 32, (a, b) => a.sub(b)),
  packed('PSUBQ', 0xfb, 'dst ← dst − src', 64, (a, b) => a.sub(b)),
  packed('PADDSB',  0xec, 'dst ← dst + src, signed saturation',   8,  signedSum(false)),
  packed('PADDSW',  0xed, 'dst ← dst + src, signed saturation',   16, signedSum(false)),
  packed('PSUBSB',  0xe8, 'dst ← dst − src, signed saturation',   8,  signedSum(true)),
  packed('PSUBSW',  0xe9, 'dst ← dst − src, signed saturation',   16, signedSum(true)),
  packed('PADDUSB', 0xdc, 'dst ← dst + src, unsigned saturation', 8,  unsignedSum),
  packed('PADDUSW', 0xdd, 'dst ← dst + src, unsigned saturation', 16, unsignedSum),
  packed('PSUBUSB', 0xd8, 'dst ← dst − src, unsigned saturation', 8,  unsignedDifference),
  packed('PSUBUSW', 0xd9, 'dst ← dst − src, unsigned saturation', 16, unsignedDifference),
  packed('PCMPEQB', 0x74, 'ones where equal', 8,  (a, b) => a.eq(b).sext(8)),
  packed('PCMPEQW', 0x75, 'ones where equal', 16, (a, b) => a.eq(b).sext(16)),
  packed('PCMPEQD', 0x76, 'ones where equal', 32, (a, b) => a.eq(b).sext(32)),
  packed('PCMPGTB', 0x64, 'ones where dst > src, signed', 8,  (a, b) => b.slt(a).sext(8)),
  packed('PCMPGTW', 0x65, 'ones where dst > src, signed', 16, (a, b) => b.slt(a).sext(16)),
  packed('PCMPGTD', 0x66, 'ones where dst > src, signed', 32, (a, b) => b.slt(a).sext(32)),
  packed('PMINUB', 0xda, 'the lesser, unsigned',  8,  (a, b) => min(a.ult(b), a, b)),
  packed('PMAXUB', 0xde, 'the greater, unsigned', 8,  (a, b) => min(b.ult(a), a, b)),
  packed('PMINSW', 0xea, 'the lesser, signed',    16, (a, b) => min(a.slt(b), a, b)),
  packed('PMAXSW', 0xee, 'the greater, signed',   16, (a, b) => min(b.slt(a), a, b)),
  packed('PAVGB',  0xe0, 'the average, rounded up', 8,  average),
  packed('PAVGW',  0xe3, 'the average, rounded up', 16, average),
  packed('PMULLW',  0xd5, 'low half of the product',            16, (a, b) => a.mul(b)),
  packed('PMULHW',  0xe5, 'high half of the product, signed',   16, (a, b) => a.smulh(b)),
  packed('PMULHUW', 0xe4, 'high half of the product, unsigned', 16, (a, b) => a.umulh(b)),
  packed('PMULUDQ', 0xf4, 'product of the low 32 bits of each half', 64, (a, b) => mulLow(a).mul(mulLow(b))),
  { ...SSE2, name: 'PMADDWD', text: 'products of words, added in pairs', encodings: ['66 0F F5 /r  Vdq,Wdq'], meaning: multiplyAdd },
  { ...SSE2, name: 'PSADBW',  text: 'sums of absolute differences',      encodings: ['66 0F F6 /r  Vdq,Wdq'], meaning: sumOfDifferences },
  { ...SSE2, name: 'PACKSSWB', text: 'words to bytes, signed saturation',        encodings: ['66 0F 63 /r  Vdq,Wdq'], meaning: pack(16, 8, signedSaturate) },
  { ...SSE2, name: 'PACKSSDW', text: 'doublewords to words, signed saturation',  encodings: ['66 0F 6B /r  Vdq,Wdq'], meaning: pack(32, 16, signedSaturate) },
  { ...SSE2, name: 'PACKUSWB', text: 'words to bytes, unsigned saturation',      encodings: ['66 0F 67 /r  Vdq,Wdq'], meaning: pack(16, 8, unsignedSaturate) },
  ...shifts('PSRLW', 16, 0xd1, 0x71, 2, 'words >> count, zeros in',       right),
  ...shifts('PSRLD', 32, 0xd2, 0x72, 2, 'doublewords >> count, zeros in', right),
  ...shifts('PSRLQ', 64, 0xd3, 0x73, 2, 'quadwords >> count, zeros in',   right),
  ...shifts('PSRAW', 16, 0xe1, 0x71, 4, 'words >> count, sign in',        arithmetic),
  ...shifts('PSRAD', 32, 0xe2, 0x72, 4, 'doublewords >> count, sign in',  arithmetic),
  ...shifts('PSLLW', 16, 0xf1, 0x71, 6, 'words << count',                 left),
  ...shifts('PSLLD', 32, 0xf2, 0x72, 6, 'doublewords << count',           left),
  ...shifts('PSLLQ', 64, 0xf3, 0x73, 6, 'quadwords << count',             left),
  { ...SSE2, name: 'PSRLDQ', text: 'dst >> count bytes', byImmediate: true, encodings: ['66 0F 73 /3  Udq,Ib'], meaning: shiftBytes(false) },
  { ...SSE2, name: 'PSLLDQ', text: 'dst << count bytes', byImmediate: true, encodings: ['66 0F 73 /7  Udq,Ib'], meaning: shiftBytes(true) },
];
