/** Instructions as text, for people: by iced-x86, which is no part of the machine. */
import { createRequire } from 'node:module';
import type * as Iced from 'iced-x86';

const load = createRequire(import.meta.url);

/** Loaded when it is first asked for: a replay that finds no difference shows no instruction. */
const iced = (): typeof Iced => load('iced-x86');

/** The instruction at the front of `bytes`, in Intel syntax, and its length. Bytes that are none give `(bad)` and what there is of them, at most one byte. */
export function disassemble(bytes: Uint8Array, rip: bigint, bits: 16 | 32 | 64): { readonly length: number; readonly text: string } {
  if (bytes.length === 0) return { length: 0, text: '(not mapped)' };
  const { Decoder, DecoderOptions, Formatter, FormatterSyntax } = iced();
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  const formatter = new Formatter(FormatterSyntax.Intel);
  formatter.hexPrefix = '0x';
  formatter.hexSuffix = '';
  formatter.uppercaseHex = false;
  formatter.branchLeadingZeros = false;
  formatter.showBranchSize = false;
  formatter.spaceAfterOperandSeparator = true;
  try {
    decoder.ip = rip;
    const instruction = decoder.decode();
    try {
      return instruction.isInvalid ? { length: 1, text: '(bad)' } : { length: instruction.length, text: formatter.format(instruction) };
    } finally {
      instruction.free();
    }
  } finally {
    decoder.free();
    formatter.free();
  }
}
