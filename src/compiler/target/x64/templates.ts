/**
 * How each machine op is encoded, learnt once from the instruction table's encoder.
 *
 * For every (op, operand shape, width) that is met, one instance with known operands is encoded by `machine/isa`; from its bytes the
 * prefixes, the opcode and the use of the ModRM fields are read off. All further instances are written by `CodeBuffer` from the template.
 */

import { bug } from '../../../machine/isa/bug.ts';
import { encode } from '../../../machine/isa/encode.ts';
import { imm, mem, type Operand, reg, rel } from '../../../machine/isa/operands.ts';
import { CONDITIONS, IMMEDIATE, M, type MachineInstruction, type MachineOp, MEMORY, type Width } from './machine.ts';
import { isFloat, NONE, name64 } from './registers.ts';

/** ModRM.reg and, with `plus`, the opcode's low bits: which operand is there. */
export type Field = 'a' | 'b' | 'extension';

export interface Template {
  /** 66, F2, F3 or 0. */
  readonly prefix: number;
  readonly rexW: boolean;
  readonly opcode: readonly number[];
  /** `plus`: the register `a` in the opcode; `none`: no ModRM. */
  readonly form: 'modrm' | 'plus' | 'none';
  readonly reg: Field;
  /** ModRM.reg where it is an opcode extension. */
  readonly extension: number;
  readonly immediateBytes: number;
  /** Is the register operand an 8-bit one, whose numbers 4–7 need a REX prefix? */
  readonly byteA: boolean;
  readonly byteB: boolean;
}

/** The operands of the instance that is encoded: registers 1 and 2, memory at RBX. */
const SAMPLE_A = 1;
const SAMPLE_B = 2;
const SAMPLE_BASE = 3;

const SUFFIX: Readonly<Record<Width, number>> = { 8: 8, 16: 16, 32: 32, 64: 64 };

function sampleRegister(index: number, float: boolean, width: number): Operand {
  if (float) return reg(`xmm${index}`);
  const name = name64(index);
  const names: Readonly<Record<number, string>> = { 64: name, 32: `e${name.slice(1)}`, 16: name.slice(1), 8: `${name.slice(1, 2)}l` };
  return reg(names[width] ?? bug(`no register of ${width} bits`));
}

/** Widths of the operands in bits, where they are not the instruction's own. */
function operandWidths(op: MachineOp, width: Width): readonly [a: number, b: number] {
  switch (op) {
    case M.movzx8:
    case M.movsx8:
      return [width, 8];
    case M.movzx16:
    case M.movsx16:
      return [width, 16];
    case M.movsxd:
      return [64, 32];
    case M.movzx32:
    case M.movclear:
    case M.clear:
      return [32, 32];
    case M.cvtsi2sd:
      return [128, width];
    case M.cvttsd2si:
      return [width, 64];
    case M.xorpd:
    case M.andpd:
      return [128, 128];
    case M.lea:
      return [width, 0];
    default:
      return [SUFFIX[width], SUFFIX[width]];
  }
}

export class Templates {
  /** By `key`. */
  private readonly known: (Template | undefined)[] = [];

  /** @param immediateBytes 0, or the size of the immediate's field */
  get(i: MachineInstruction, immediateBytes: number): Template {
    const shape = (kind(i.a) * 4 + kind(i.b)) * 2 + (i.a >= 0 && isFloat(i.a) ? 1 : 0);
    const width = i.width === 8 ? 0 : i.width === 16 ? 1 : i.width === 32 ? 2 : 3;
    const size = immediateBytes === 8 ? 3 : immediateBytes >> (immediateBytes === 4 ? 1 : 0);
    const key = (((i.op.id * 32 + shape) * 4 + width) * 4 + size) * 16 + (i.op.conditional ? i.condition : 0);
    return (this.known[key] ??= learn(i, immediateBytes));
  }
}

/** 0 none, 1 register, 2 memory, 3 immediate. */
function kind(operand: number): number {
  return operand >= 0 ? 1 : operand === NONE ? 0 : operand === MEMORY ? 2 : 3;
}

function learn(i: MachineInstruction, immediateBytes: number): Template {
  const { op } = i;
  const [widthA, widthB] = operandWidths(op, i.width);
  const operands: Operand[] = [];
  const add = (operand: number, sample: number, width: number): void => {
    if (operand >= 0) operands.push(sampleRegister(sample, isFloat(operand), width));
    else if (operand === MEMORY) operands.push(mem({ base: 'rbx', width }));
  };
  add(i.a, SAMPLE_A, widthA);
  add(op === M.clear || op === M.clearpd ? i.a : i.b, SAMPLE_B, widthB);
  if (op === M.shlcl || op === M.shrcl || op === M.sarcl) operands.push(reg('cl'));
  if (immediateBytes > 0)
    operands.push(
      imm(immediateBytes === 1 ? 0x11 : immediateBytes === 2 ? 0x1122 : immediateBytes === 8 ? 0x1122334455667788n : 0x11223344, i.width),
    );
  const isString = op.name.startsWith('rep ');
  const isCopy = op === M.movsd && i.a >= 0 && i.b >= 0;
  const mnemonic = isCopy ? 'movapd' : isString ? op.name.slice(4) : op.conditional ? `${op.name}${CONDITIONS[i.condition]}` : op.name;
  const { bytes, immOffset } = encode({
    mnemonic,
    operands,
    mode: 64,
    ...(isString ? { rep: 'rep' } : {}),
    ...(immediateBytes > 0 ? { immBytes: checkedSize(immediateBytes) } : {}),
  });
  return dissect(i, bytes, immOffset < 0 ? bytes.length : immOffset, immediateBytes, widthA === 8, widthB === 8);
}

function checkedSize(bytes: number): 1 | 2 | 4 | 8 {
  return bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8 ? bytes : bug(`an immediate of ${bytes} bytes`);
}

function dissect(i: MachineInstruction, bytes: Uint8Array, end: number, immediateBytes: number, byteA: boolean, byteB: boolean): Template {
  let at = 0;
  let prefix = 0;
  const peek = (): number => bytes[at] ?? bug(`the encoding of ${i.op.name} ends too early`);
  while (peek() === 0x66 || peek() === 0xf2 || peek() === 0xf3) {
    if (prefix !== 0) bug(`${i.op.name} has two prefixes`);
    prefix = peek();
    at++;
  }
  const rex = (peek() & 0xf0) === 0x40 ? (bytes[at++] ?? 0) : 0;
  const opcode = [peek()];
  at++;
  if (opcode[0] === 0x0f) {
    opcode.push(peek());
    at++;
    if (opcode[1] === 0x38 || opcode[1] === 0x3a) {
      opcode.push(peek());
      at++;
    }
  }
  const common = { prefix, rexW: (rex & 8) !== 0, opcode, immediateBytes, byteA: byteA && i.a >= 0, byteB: byteB && i.b >= 0 };
  if (at === end) {
    if (i.a < 0) return { ...common, form: 'none', reg: 'extension', extension: 0 };
    const last = opcode.length - 1;
    if (((opcode[last] ?? 0) & 7) !== SAMPLE_A) bug(`${i.op.name}: register ${SAMPLE_A} is not in the opcode`);
    opcode[last] = (opcode[last] ?? 0) & ~7;
    return { ...common, form: 'plus', reg: 'a', extension: 0 };
  }
  if (at + 1 !== end) bug(`${i.op.name}: ${end - at} bytes where one ModRM byte was expected`);
  const modrm = peek();
  const field = (modrm >> 3) & 7;
  const rm = modrm & 7;
  const isTwo = i.b >= 0 || i.b === MEMORY || i.op === M.clear || i.op === M.clearpd;
  if (!isTwo || i.b === IMMEDIATE) return { ...common, form: 'modrm', reg: 'extension', extension: field };
  const rmOfA = i.a === MEMORY ? SAMPLE_BASE : SAMPLE_A;
  const rmOfB = i.b === MEMORY ? SAMPLE_BASE : SAMPLE_B;
  if (i.a >= 0 && field === SAMPLE_A && rm === rmOfB) return { ...common, form: 'modrm', reg: 'a', extension: 0 };
  if (i.b !== MEMORY && field === SAMPLE_B && rm === rmOfA) return { ...common, form: 'modrm', reg: 'b', extension: 0 };
  return bug(`${i.op.name}: the ModRM byte ${modrm.toString(16)} holds other operands than expected`);
}

/** Opcodes of relative jumps. */
export interface JumpOpcodes {
  readonly short: readonly number[];
  readonly long: readonly number[];
}

/** @param condition number of the condition, or -1 for JMP */
export function learnJump(condition: number): JumpOpcodes {
  const mnemonic = condition < 0 ? 'jmp' : `j${CONDITIONS[condition]}`;
  const opcode = (width: 8 | 32): number[] => {
    const { bytes, immOffset } = encode({ mnemonic, operands: [rel(0, width)], mode: 64 });
    return [...bytes.subarray(0, immOffset)];
  };
  return { short: opcode(8), long: opcode(32) };
}

/** The opcode of CALL rel32. */
export function learnCall(): readonly number[] {
  const { bytes, immOffset } = encode({ mnemonic: 'call', operands: [rel(0, 32)], mode: 64 });
  return [...bytes.subarray(0, immOffset)];
}
