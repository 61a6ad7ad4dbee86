/** MOV and its relatives: extensions, exchanges, conditional moves, LEA, XLAT, BSWAP, MOVBE, flag moves (SDM Vol. 2). */
import type { Context, Instruction } from '../dsl.ts';
import type { Width } from '../ops.ts';
import { RAX, RBX, RDX } from '../registers.ts';
import { concat, constant, one, type Term, zero } from '../term.ts';
import { CONDITIONS, hex } from './common.ts';

/** CBW CWDE CDQE: the accumulator's lower half into the whole. */
const widen = (half: Width, whole: Width) => (c: Context) => {
  c.setGpr(RAX, c.gpr(RAX, half).sext(whole));
  return undefined;
};
/** CWD CDQ CQO: the accumulator's sign into rDX. */
const signToRdx = (width: Width) => (c: Context) => {
  c.setGpr(RDX, c.gpr(RAX, width).ashr(constant(width - 1, width)));
  return undefined;
};

const segmentToGpr = (c: Context) => ({ dst: c.src.resize(c.width(0)) });

function lahf(c: Context): undefined {
  const image: Term = concat(c.sf, c.zf, zero, c.af, zero, c.pf, one, c.cf);
  c.setGpr(RAX, concat(image, c.gpr(RAX, 8)));
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  { name: 'MOV', text: 'dst ← src', meaning: ({ src }) => ({ dst: src }),
    encodings: ['88 /r  Eb,Gb', '89 /r  Ev,Gv', '8A /r  Gb,Eb', '8B /r  Gv,Ev', 'B0+r  Zb,Ib', 'C6 /0  Eb,Ib', 'C7 /0  Ev,Iz', 'B8+r  Zv,Iv', 'A0  AL,Ob', 'A1  rAX,Ov', 'A2  Ob,AL', 'A3  Ov,rAX'] },
  { name: 'MOV', text: 'dst ← segment register', meaning: segmentToGpr, encodings: ['8C /r  Rv,Sw', '8C /r  Mw,Sw'] },
  { name: 'MOV', text: 'segment register ← src', meaning: (c) => { c.helper('MOV_SEG'); return undefined; }, raises: ['#GP', '#SS', '#NP'], encodings: ['8E /r  Sw,Ew'] },
  { name: 'MOVZX',  text: 'dst ← src, zero-extended', meaning: (c) => ({ dst: c.src.zext(c.width(0)) }), encodings: ['0F B6 /r  Gv,Eb', '0F B7 /r  Gv,Ew'] },
  { name: 'MOVSX',  text: 'dst ← src, sign-extended', meaning: (c) => ({ dst: c.src.sext(c.width(0)) }), encodings: ['0F BE /r  Gv,Eb', '0F BF /r  Gv,Ew'] },
  { name: 'MOVSXD', text: 'dst ← src, sign-extended', meaning: (c) => ({ dst: c.src.sext(c.width(0)) }), encodings: ['63 /r  Gv,Ed  o64 os64', '63 /r  Gd,Ed  o64 os32', '63 /r  Gw,Ew  o64 os16'] },
  { name: 'LEA',    text: 'dst ← the offset of src', meaning: (c) => ({ dst: c.offset(1).resize(c.width(0)) }), encodings: ['8D /r  Gv,M'] },
  { name: 'XCHG', lock: true, text: 'dst ↔ src', encodings: ['86 /r  Eb,Gb', '87 /r  Ev,Gv', '90+r  Zv,rAX  b1'], meaning: (c) => {
    const { dst, src } = c;
    c.write(1, dst);
    c.write(0, src);
    return undefined;
  } },
  { name: 'CBW',  text: 'AX ← sign of AL',    meaning: widen(8, 16),    encodings: ['98  -  os16'] },
  { name: 'CWDE', text: 'EAX ← sign of AX',   meaning: widen(16, 32),   encodings: ['98  -  os32'] },
  { name: 'CDQE', text: 'RAX ← sign of EAX',  meaning: widen(32, 64),   encodings: ['98  -  os64'] },
  { name: 'CWD',  text: 'DX ← sign of AX',    meaning: signToRdx(16),   encodings: ['99  -  os16'] },
  { name: 'CDQ',  text: 'EDX ← sign of EAX',  meaning: signToRdx(32),   encodings: ['99  -  os32'] },
  { name: 'CQO',  text: 'RDX ← sign of RAX',  meaning: signToRdx(64),   encodings: ['99  -  os64'] },
  { name: 'XLATB', text: 'AL ← segment:[rBX + AL]', encodings: ['D7'], meaning: (c) => {
    const offset = c.wrap(c.gpr(RBX, 64).add(c.gpr(RAX, 8).zext(64)));
    c.setGpr(RAX, c.load(c.segment, offset, 8));
    return undefined;
  } },
  { name: 'BSWAP', text: 'bytes of dst reversed', encodings: ['0F C8+r  Zv'], meaning: (c) => {
    if (c.width(0) === 16) c.write(0, constant(0, 16), { undefinedIf: one });
    else c.write(0, c.dst.bswap);
    return undefined;
  } },
  { name: 'MOVBE', text: 'dst ← bytes of src reversed', feature: 'MOVBE', meaning: (c) => ({ dst: c.src.bswap }), encodings: ['NFx 0F 38 F0 /r  Gv,Mv', 'NFx 0F 38 F1 /r  Mv,Gv'] },
  { name: 'MOVNTI', text: 'dst ← src, past the caches', feature: 'SSE2', meaning: ({ src }) => ({ dst: src }), encodings: ['NP 0F C3 /r  My,Gy'] },
  { name: 'LAHF', text: 'AH ← SF ZF 0 AF 0 PF 1 CF', meaning: lahf, encodings: ['9F'] },
  { name: 'SAHF', text: 'SF ZF AF PF CF ← AH', encodings: ['9E'], meaning: (c) => {
    const ah = c.highByte(RAX);
    return { flags: { cf: ah.bit(0), pf: ah.bit(2), af: ah.bit(4), zf: ah.bit(6), sf: ah.bit(7) } };
  } },
  { name: 'SALC', text: 'AL ← CF ? FF : 0', meaning: (c) => { c.setGpr(RAX, c.cf.sext(8)); return undefined; }, encodings: ['D6  -  i64'] },
  { name: 'CLC', text: 'CF ← 0',   meaning: () => ({ flags: { cf: zero } }),        encodings: ['F8'] },
  { name: 'STC', text: 'CF ← 1',   meaning: () => ({ flags: { cf: one } }),         encodings: ['F9'] },
  { name: 'CMC', text: 'CF ← ~CF', meaning: ({ cf }) => ({ flags: { cf: cf.not } }), encodings: ['F5'] },
  { name: 'CLD', text: 'DF ← 0',   meaning: () => ({ flags: { df: zero } }),        encodings: ['FC'] },
  { name: 'STD', text: 'DF ← 1',   meaning: () => ({ flags: { df: one } }),         encodings: ['FD'] },
  ...CONDITIONS.map((condition, n): Instruction => ({
    name: `CMOV${condition.name}`, text: `if ${condition.text} then dst ← src`, feature: 'CMOV', encodings: [`0F ${hex(0x40 + n)} /r  Gv,Ev`],
    meaning: (c) => { const { src } = c; return { dst: condition.when(c).ite(src, c.dst) }; },
  })),
  ...CONDITIONS.map((condition, n): Instruction => ({
    name: `SET${condition.name}`, text: `dst ← ${condition.text} ? 1 : 0`, encodings: [`0F ${hex(0x90 + n)} /r  Eb`], meaning: (c) => ({ dst: condition.when(c).zext(8) }),
  })),
];
