/** Bytes → instruction. `decode(bytes, offset, mode, available)`. */
import { bug } from './bug.ts';
import type { Instruction, Rep, Shape } from './dsl.ts';
import type { Encoding } from './notation.ts';
import type { AddressSize, Mode, Operand, OperandSize } from './operands.ts';
import type { SegmentIndex } from './registers.ts';

/** One instruction. It is also the `Shape` that `effectOf` takes. */
export interface Decoded extends Shape {
  readonly row: Instruction;
  readonly encoding: Encoding;
  /** Bytes, 1–15. */
  readonly length: number;
  readonly mode: Mode;
  readonly operandSize: OperandSize;
  readonly addressSize: AddressSize;
  readonly rep: Rep;
  readonly lock: boolean;
  readonly segment: SegmentIndex;
  readonly operands: readonly Operand[];
}

/** `need-more`: the instruction goes on after `available` bytes. `invalid`: #UD. `too-long`: more than 15 bytes, #GP(0). */
export type DecodeResult = Decoded | 'need-more' | 'invalid' | 'too-long';

/** Decodes the instruction at `bytes[offset]`, of which `available` bytes may be read. */
export function decode(_bytes: Uint8Array, _offset: number, _mode: Mode, _available: number): DecodeResult {
  return bug('decode is being written');
}
