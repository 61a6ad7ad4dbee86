/** Instruction → bytes, the shortest encoding. */
import { bug } from './bug.ts';
import type { Mode, Operand } from './operands.ts';

export interface EncodeRequest {
  /** Upper or lower case; the manual's aliases (JZ, SETC, CMOVNAE, SAL …) are known. */
  readonly mnemonic: string;
  readonly operands: readonly Operand[];
  readonly mode: Mode;
  readonly lock?: boolean;
  readonly rep?: 'rep' | 'repe' | 'repne';
}

/** The operands do not fit any encoding: the user's error, with what there is. */
export class EncodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EncodeError';
  }
}

export interface Encoded {
  readonly bytes: Uint8Array;
  /** Offset in `bytes` of the displacement field (for RIP-relative fix-ups), -1: none. Its value is relative to the end of the instruction. */
  readonly dispOffset: number;
  readonly dispBytes: number;
  /** Offset of the immediate or branch distance, -1: none. */
  readonly immOffset: number;
  readonly immBytes: number;
}

export function encode(_request: EncodeRequest): Encoded {
  return bug('encode is being written');
}

/** Where the fields of the instruction encoded last by `encodeInto` lie; offsets relative to the instruction's start. */
export interface Fields {
  dispOffset: number;
  dispBytes: number;
  immOffset: number;
  immBytes: number;
}

/** The fast path: writes at `out[at]` (needs 15 bytes of room), returns the length, fills `fields`. Throws EncodeError. */
export function encodeInto(_out: Uint8Array, _at: number, _request: EncodeRequest, _fields: Fields): number {
  return bug('encode is being written');
}
