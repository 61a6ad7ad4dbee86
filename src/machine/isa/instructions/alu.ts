/** ADD OR ADC SBB AND SUB XOR CMP (opcode group 1 and its short forms), INC DEC NEG NOT TEST, XADD CMPXCHG, ADCX ADOX (SDM Vol. 2). */
import type { Context, Instruction, Outcome } from '../dsl.ts';
import { RAX, RBX, RCX, RDX } from '../registers.ts';
import { concat, constant, one, type Term, zero } from '../term.ts';
import { addition, hex, subtraction, szp, undef } from './common.ts';

function sum(dst: Term, src: Term, carry: Term): Outcome {
  const { result, flags } = addition(dst, src, carry);
  return { dst: result, flags };
}
function difference(dst: Term, src: Term, borrow: Term): Outcome {
  const { result, flags } = subtraction(dst, src, borrow);
  return { dst: result, flags };
}
const logicFlags = (r: Term) => ({ cf: zero, of: zero, af: undef, ...szp(r) });
const logic = (r: Term): Outcome => ({ dst: r, flags: logicFlags(r) });

/** The encodings of group 1 number n: `81 /n` and its short forms. */
function alu(name: string, n: number, text: string, meaning: (c: Context) => Outcome): Instruction {
  const at = (k: number) => hex(n * 8 + k);
  return {
    name,
    text,
    meaning,
    lock: name !== 'CMP',
    encodings: [
      `${at(0)} /r  Eb,Gb`,
      `${at(1)} /r  Ev,Gv`,
      `${at(2)} /r  Gb,Eb`,
      `${at(3)} /r  Gv,Ev`,
      `${at(4)}  AL,Ib`,
      `${at(5)}  rAX,Iz`,
      `80 /${n}  Eb,Ib`,
      `83 /${n}  Ev,sIb`,
      `81 /${n}  Ev,Iz`,
      `82 /${n}  Eb,Ib  i64`,
    ],
  };
}

function compareExchange(c: Context): Outcome {
  const width = c.width(0);
  const old = c.dst;
  const accumulator = c.gpr(RAX, width);
  const equal = accumulator.eq(old);
  const { flags } = subtraction(accumulator, old, zero);
  if (c.isMemory(0)) c.write(0, equal.ite(c.src, old));
  else c.write(0, c.src, { when: equal });
  c.setGpr(RAX, old, { when: equal.not });
  return { flags };
}

/** CMPXCHG8B, CMPXCHG16B: two halves at once. */
function compareExchangePair(c: Context, half: 32 | 64): Outcome {
  const old = c.dst;
  const equal = old
    .extract(0, half)
    .eq(c.gpr(RAX, half))
    .and(old.extract(half, half).eq(c.gpr(RDX, half)));
  c.write(0, equal.ite(concat(c.gpr(RCX, half), c.gpr(RBX, half)), old));
  c.setGpr(RAX, old.extract(0, half), { when: equal.not });
  c.setGpr(RDX, old.extract(half, half), { when: equal.not });
  return { flags: { zf: equal } };
}

/** ADCX, ADOX: only the carry that they use changes. */
function carryOf(dst: Term, src: Term, carry: Term): { r: Term; out: Term } {
  const r = dst.add(src).add(carry.zext(dst.width));
  return { r, out: dst.and(src).or(dst.or(src).and(r.not)).sign };
}

// biome-ignore format: one instruction a line
export const instructions: readonly Instruction[] = [
  alu('ADD', 0, 'dst ← dst + src',          ({ dst, src })     => sum(dst, src, zero)),
  alu('OR',  1, 'dst ← dst | src',          ({ dst, src })     => logic(dst.or(src))),
  alu('ADC', 2, 'dst ← dst + src + CF',     ({ dst, src, cf }) => sum(dst, src, cf)),
  alu('SBB', 3, 'dst ← dst − (src + CF)',   ({ dst, src, cf }) => difference(dst, src, cf)),
  alu('AND', 4, 'dst ← dst & src',          ({ dst, src })     => logic(dst.and(src))),
  alu('SUB', 5, 'dst ← dst − src',          ({ dst, src })     => difference(dst, src, zero)),
  alu('XOR', 6, 'dst ← dst ^ src',          ({ dst, src })     => logic(dst.xor(src))),
  alu('CMP', 7, 'flags of dst − src',       ({ dst, src })     => ({ flags: subtraction(dst, src, zero).flags })),
  { name: 'INC',  lock: true, text: 'dst ← dst + 1; CF stays', encodings: ['40+r  Zv  i64', 'FE /0  Eb', 'FF /0  Ev'], meaning: (c) => {
    const { result, flags: { cf: _, ...flags } } = addition(c.dst, constant(1, c.width(0)), zero);
    return { dst: result, flags };
  } },
  { name: 'DEC',  lock: true, text: 'dst ← dst − 1; CF stays', encodings: ['48+r  Zv  i64', 'FE /1  Eb', 'FF /1  Ev'], meaning: (c) => {
    const { result, flags: { cf: _, ...flags } } = subtraction(c.dst, constant(1, c.width(0)), zero);
    return { dst: result, flags };
  } },
  { name: 'NEG',  lock: true, text: 'dst ← 0 − dst', encodings: ['F6 /3  Eb', 'F7 /3  Ev'], meaning: (c) => difference(constant(0, c.width(0)), c.dst, zero) },
  { name: 'NOT',  lock: true, text: 'dst ← ~dst; no flags', encodings: ['F6 /2  Eb', 'F7 /2  Ev'], meaning: ({ dst }) => ({ dst: dst.not }) },
  { name: 'TEST', text: 'flags of dst & src', meaning: ({ dst, src }) => ({ flags: logicFlags(dst.and(src)) }),
    encodings: ['84 /r  Eb,Gb', '85 /r  Ev,Gv', 'A8  AL,Ib', 'A9  rAX,Iz', 'F6 /0  Eb,Ib', 'F7 /0  Ev,Iz', 'F6 /1  Eb,Ib', 'F7 /1  Ev,Iz'] },
  { name: 'XADD', lock: true, text: 'src ← dst; dst ← dst + src', encodings: ['0F C0 /r  Eb,Gb', '0F C1 /r  Ev,Gv'], meaning: (c) => {
    const { result, flags } = addition(c.dst, c.src, zero);
    c.write(1, c.dst);
    c.write(0, result);
    return { flags };
  } },
  { name: 'CMPXCHG', lock: true, text: 'if accumulator = dst then dst ← src else accumulator ← dst', encodings: ['0F B0 /r  Eb,Gb', '0F B1 /r  Ev,Gv'], meaning: compareExchange },
  { name: 'CMPXCHG8B',  lock: true, text: 'if EDX:EAX = m64 then m64 ← ECX:EBX else EDX:EAX ← m64', feature: 'CX8', encodings: ['W0 0F C7 /1  Mq'], meaning: (c) => compareExchangePair(c, 32) },
  { name: 'CMPXCHG16B', lock: true, text: 'if RDX:RAX = m128 then m128 ← RCX:RBX else RDX:RAX ← m128', feature: 'CX16', encodings: ['REX.W 0F C7 /1  Mdq'], meaning: (c) => compareExchangePair(c, 64) },
  { name: 'ADCX', text: 'dst ← dst + src + CF; CF alone changes', feature: 'ADX', encodings: ['66 0F 38 F6 /r  Gy,Ey'], meaning: ({ dst, src, cf }) => {
    const { r, out } = carryOf(dst, src, cf);
    return { dst: r, flags: { cf: out } };
  } },
  { name: 'ADOX', text: 'dst ← dst + src + OF; OF alone changes', feature: 'ADX', encodings: ['F3 0F 38 F6 /r  Gy,Ey'], meaning: ({ dst, src, of }) => {
    const { r, out } = carryOf(dst, src, of);
    return { dst: r, flags: { of: out } };
  } },
  { name: 'UD2', text: '#UD, always', encodings: ['0F 0B'],              meaning: ud },
  { name: 'UD1', text: '#UD, always', encodings: ['0F B9 /r  Gv,Ev'],    meaning: ud },
  { name: 'UD0', text: '#UD, always', encodings: ['0F FF /r  Gv,Ev'],    meaning: ud },
];

function ud(c: Context): undefined {
  c.fault(one, 6);
}
