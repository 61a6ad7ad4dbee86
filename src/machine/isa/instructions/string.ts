/**
 * String instructions (SDM Vol. 2). A row is one iteration: the reader does the counting (see `dsl.ts`). rSI and rDI move by the operand's bytes,
 * backwards if DF = 1, at address size.
 */
import type { Context, Instruction } from '../dsl.ts';
import type { HelperName } from '../helpers.ts';
import type { Width } from '../ops.ts';
import { RAX, RDI, RSI } from '../registers.ts';
import { constant, type Term, zero } from '../term.ts';
import { subtraction } from './common.ts';

function advance(c: Context, register: number, width: Width): void {
  const bytes = constant(width / 8, c.addressSize);
  const step: Term = c.df.ite(bytes.neg, bytes);
  c.setGpr(register, c.gpr(register, c.addressSize).add(step));
}

function movs(c: Context): undefined {
  c.write(0, c.src);
  advance(c, RSI, c.width(0));
  advance(c, RDI, c.width(0));
}
function cmps(c: Context) {
  const first = c.dst;
  const second = c.src;
  advance(c, RSI, first.width);
  advance(c, RDI, first.width);
  return { flags: subtraction(first, second, zero).flags };
}
function stos(c: Context): undefined {
  const width = c.width(0);
  c.write(0, c.gpr(RAX, width));
  advance(c, RDI, width);
}
function lods(c: Context): undefined {
  c.setGpr(RAX, c.dst);
  advance(c, RSI, c.width(0));
}
function scas(c: Context) {
  const found = c.dst;
  advance(c, RDI, found.width);
  return { flags: subtraction(c.gpr(RAX, found.width), found, zero).flags };
}
const by = (name: HelperName) => (c: Context) => c.helper(name) as undefined;

/** B W D Q: the byte form on `opcode`, the others on `opcode` + 1 by operand size. */
function family(
  name: string,
  opcode: number,
  operands: (size: string) => string,
  text: string,
  rest: Pick<Instruction, 'meaning' | 'rep'>,
): Instruction[] {
  const at = (n: number) => n.toString(16).toUpperCase();
  const sizes = [['B', 'b', ''], ['W', 'w', '  os16'], ['D', 'd', '  os32'], ['Q', 'q', '  os64']] as const; // biome-ignore format: short
  return sizes.map(([suffix, size, mark]) => ({
    name: `${name}${suffix}`,
    text,
    ...rest,
    encodings: [`${at(size === 'b' ? opcode : opcode + 1)}  ${operands(size)}${mark}`],
  }));
}
/** INS, OUTS: with a 64-bit operand size they are the 32-bit form. */
function portFamily(name: string, opcode: number, operands: (size: string) => string, text: string, helper: HelperName): Instruction[] {
  const at = (n: number) => n.toString(16).toUpperCase();
  const row = { text, rep: 'count', privilege: 'io', raises: ['#GP'], meaning: by(helper) } as const;
  return [
    { ...row, name: `${name}B`, encodings: [`${at(opcode)}  ${operands('b')}`] },
    { ...row, name: `${name}W`, encodings: [`${at(opcode + 1)}  ${operands('w')}  os16`] },
    { ...row, name: `${name}D`, encodings: [`${at(opcode + 1)}  ${operands('d')}  os32`, `${at(opcode + 1)}  ${operands('d')}  os64`] },
  ];
}

export const instructions: readonly Instruction[] = [
  ...family('MOVS', 0xa4, (s) => `Y${s},X${s}`, 'es:[rDI] ← segment:[rSI]', { rep: 'count', meaning: movs }),
  ...family('CMPS', 0xa6, (s) => `X${s},Y${s}`, 'flags of segment:[rSI] − es:[rDI]', { rep: 'compare', meaning: cmps }),
  ...family('STOS', 0xaa, (s) => `Y${s}`, 'es:[rDI] ← accumulator', { rep: 'count', meaning: stos }),
  ...family('LODS', 0xac, (s) => `X${s}`, 'accumulator ← segment:[rSI]', { rep: 'count', meaning: lods }),
  ...family('SCAS', 0xae, (s) => `Y${s}`, 'flags of accumulator − es:[rDI]', { rep: 'compare', meaning: scas }),
  ...portFamily('INS', 0x6c, (s) => `Y${s},DX`, 'es:[rDI] ← port DX', 'INS'),
  ...portFamily('OUTS', 0x6e, (s) => `DX,X${s}`, 'port DX ← segment:[rSI]', 'OUTS'),
];
