/** All shapes of an encoding: what `effectOf` can be asked about it. For readers that look at every row (facts, manual, laws). */
import type { OperandShape, Shape } from './dsl.ts';
import { bitsOf, type Encoding, type OperandCode } from './notation.ts';
import type { AddressSize, Mode, OperandSize } from './operands.ts';
import { DS } from './registers.ts';

/** Values of immediates that rows with `byImmediate` tell apart coarsely: the shape list samples them. */
const SAMPLES = [0n, 1n, 2n, 3n, 0x1bn, 0xe4n, 0xffn];

function operandShape(code: OperandCode, inMemory: boolean, operandSize: OperandSize, wide: boolean, value: bigint): OperandShape {
  const width = bitsOf(code.size, operandSize, wide);
  const gpr = (w: number): OperandShape => ({ kind: 'reg', class: 'gpr', width: w, high: false });
  switch (code.what) {
    case 'E':
      return inMemory ? { kind: 'mem', width, base: 0 } : gpr(width);
    case 'W':
      return inMemory ? { kind: 'mem', width, base: 0 } : { kind: 'reg', class: 'xmm', width, high: false };
    case 'M':
    case 'O':
    case 'X':
    case 'Y':
      return { kind: 'mem', width, base: 0 };
    case 'V':
    case 'U':
      return { kind: 'reg', class: 'xmm', width, high: false };
    case 'S':
      return { kind: 'reg', class: 'seg', width: 16, high: false };
    case 'C':
      return { kind: 'reg', class: 'cr', width, high: false };
    case 'D':
      return { kind: 'reg', class: 'dr', width, high: false };
    case 'I':
    case 'sI':
      return {
        kind: 'imm',
        width: code.size === 'b' ? (code.what === 'I' ? 8 : operandSize) : code.size === 'z' && operandSize === 64 ? 64 : width,
        value,
      };
    case 'one':
      return { kind: 'imm', width: 8, value: 1n };
    case 'J':
      return { kind: 'rel', width: code.size === 'b' ? 8 : operandSize === 16 ? 16 : 32 };
    case 'A':
      return { kind: 'far', width: operandSize === 16 ? 16 : 32 };
    case 'fixed':
      return fixedShape(code.register, code.size === 'v' ? operandSize : 0);
    case 'G':
    case 'R':
    case 'Z':
    case 'B':
      return gpr(width);
  }
}

const FIXED_WIDTH: Readonly<Record<string, number>> = { al: 8, cl: 8, ax: 16, dx: 16, eax: 32 };
function fixedShape(register: string, size: number): OperandShape {
  const width = size === 0 ? FIXED_WIDTH[register] : size;
  return width === undefined ? { kind: 'reg', class: 'seg', width: 16, high: false } : { kind: 'reg', class: 'gpr', width, high: false };
}

function sizesOf(e: Encoding, mode: Mode): readonly OperandSize[] {
  if (e.operandSize !== 0) return e.operandSize === 64 && mode !== 64 ? [] : [e.operandSize];
  if (mode !== 64) return e.mandatory === '66' ? [mode] : [16, 32];
  if (e.force64) return [64];
  if (e.w === 1) return [64];
  if (e.default64) return [16, 64];
  const sizes: OperandSize[] = e.mandatory === '66' ? [32] : [16, 32];
  return e.w === 0 ? sizes : [...sizes, 64];
}

/** Shapes in one mode: every operand size, register and memory forms, sampled immediates where they matter. */
export function shapesOf(e: Encoding, mode: Mode): readonly Shape[] {
  if (mode === 64 ? e.not64 : e.only64 || e.w === 1 || (e.vex && mode === 16)) return [];
  const addressSize: AddressSize = e.addressSize === 0 ? mode : e.addressSize;
  if (mode === 64 ? addressSize === 16 : addressSize === 64) return [];
  const hasRm = e.operands.some((o) => o.what === 'E' || o.what === 'W');
  const forms = !hasRm ? [false] : e.modrm === 'mem' ? [true] : e.modrm === 'reg' ? [false] : [false, true];
  const values = e.row.byImmediate === true ? SAMPLES : [0n];
  return sizesOf(e, mode).flatMap((operandSize) =>
    forms.flatMap((inMemory) =>
      values.map((value) => ({
        row: e.row,
        mode,
        operandSize,
        addressSize,
        rep: 'none' as const,
        lock: false,
        segment: DS,
        operands: e.operands.map((o) => operandShape(o, inMemory, operandSize, operandSize === 64, value)),
      })),
    ),
  );
}
