/**
 * Operands of one instruction, as the decoder gives them and the encoder takes them.
 *
 *     decode(…).operands       → [reg('eax'), mem({ base: 'rbx', disp: 8n, width: 32 })]
 *     encode('MOV', [reg('eax'), mem({ base: 'rbx', disp: 8n, width: 32 })])
 */
import { bug } from './bug.ts';
import { DS, REGISTERS, type RegisterName, SEGMENTS, type SegmentIndex, SS } from './registers.ts';

/** 16: real mode and 16-bit segments · 32: protected mode and compatibility mode · 64: 64-bit mode. */
export type Mode = 16 | 32 | 64;
export type OperandSize = 16 | 32 | 64;
export type AddressSize = 16 | 32 | 64;

/** A register. `index` is the register's number, `high` marks AH CH DH BH (index 0–3). */
export interface RegisterOperand extends RegisterName {
  readonly kind: 'reg';
}

/** segment:[base + index*scale + disp]. The offset wraps at `addressSize`. */
export interface MemoryOperand {
  readonly kind: 'mem';
  /** GPR number, -1: none. */
  readonly base: number;
  /** GPR number, -1: none. */
  readonly index: number;
  readonly scale: 1 | 2 | 4 | 8;
  /** Sign-extended displacement. Relative to the next instruction if `ripRelative`. Of a moffs operand: the whole offset, unsigned. */
  readonly disp: bigint;
  /** The segment in effect (override or default). In 64-bit mode ES CS SS DS have base zero, and SS decides between #SS and #GP alone. */
  readonly segment: SegmentIndex;
  readonly ripRelative: boolean;
  readonly addressSize: AddressSize;
  /** Bits accessed; 0: none (LEA, INVLPG) or not a plain value (FXSAVE). Far pointers 32, 48, 80. */
  readonly width: number;
}

/** An immediate. `value` is sign-extended where the instruction sign-extends it, else unsigned; it always fits the operand's `width` bits in one of the two readings. */
export interface ImmediateOperand {
  readonly kind: 'imm';
  readonly value: bigint;
  /** Bits of the operand after extension. Not the bits of the field. */
  readonly width: number;
}

/** A branch distance from the next instruction. */
export interface RelativeOperand {
  readonly kind: 'rel';
  readonly value: bigint;
  /** Bits of the field: 8, 16, 32. The encoder takes 0 as "the shortest". */
  readonly width: number;
}

/** A far pointer in the instruction (not in 64-bit mode). */
export interface FarOperand {
  readonly kind: 'far';
  readonly selector: number;
  readonly offset: bigint;
  /** Bits of the offset: 16 or 32. */
  readonly width: number;
}

export type Operand = RegisterOperand | MemoryOperand | ImmediateOperand | RelativeOperand | FarOperand;

const registerOperands: ReadonlyMap<string, RegisterOperand> = new Map([...REGISTERS].map(([name, r]) => [name, { kind: 'reg', ...r }]));

/** A register operand by its name: `reg('r10d')`. */
export function reg(name: string): RegisterOperand {
  return registerOperands.get(name) ?? bug(`no register is called '${name}'`);
}

export function imm(value: bigint | number, width = 64): ImmediateOperand {
  return { kind: 'imm', value: BigInt(value), width };
}

/** A branch distance; width 0 asks the encoder for the shortest form. */
export function rel(value: bigint | number, width: 0 | 8 | 16 | 32 = 0): RelativeOperand {
  return { kind: 'rel', value: BigInt(value), width };
}

export interface MemorySpec {
  /** A register's name, 'rip', or nothing. The registers' width gives the address size. */
  readonly base?: string;
  readonly index?: string;
  readonly scale?: 1 | 2 | 4 | 8;
  readonly disp?: bigint | number;
  readonly segment?: 'es' | 'cs' | 'ss' | 'ds' | 'fs' | 'gs';
  readonly width: number;
  /** Needed where no register says it. Default 64. */
  readonly addressSize?: AddressSize;
}

/** A memory operand by names: `mem({ base: 'rax', index: 'rcx', scale: 4, disp: 8, width: 32 })`. */
export function mem(spec: MemorySpec): MemoryOperand {
  const ripRelative = spec.base === 'rip' || spec.base === 'eip';
  const base = spec.base === undefined || ripRelative ? null : reg(spec.base);
  const index = spec.index === undefined ? null : reg(spec.index);
  const size = base?.width ?? index?.width ?? spec.addressSize ?? (spec.base === 'eip' ? 32 : 64);
  if (size !== 16 && size !== 32 && size !== 64) return bug(`${spec.base ?? spec.index} cannot be in an address`);
  const stack = base !== null && (base.index === 4 || base.index === 5);
  const segment = spec.segment === undefined ? (stack ? SS : DS) : (SEGMENTS.indexOf(spec.segment) as SegmentIndex);
  return {
    kind: 'mem',
    base: base?.index ?? -1,
    index: index?.index ?? -1,
    scale: spec.scale ?? 1,
    disp: BigInt(spec.disp ?? 0),
    segment,
    ripRelative,
    addressSize: size,
    width: spec.width,
  };
}
