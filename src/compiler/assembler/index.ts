/**
 * Intel-syntax assembly text → atoms (bytes, symbols, relocations), through the instruction table's encoder.
 * {@link assemble} makes a whole object from a text with sections; {@link assembleInline} the bytes of an `asm('…')` within a function.
 */
import type { ObjectFile, Relocation } from '../image/object.ts';

/** One line of what is wrong, where: `line` and `column` count from 1 within the text. */
export interface AssemblyProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export class AssemblyError extends Error {
  readonly problems: readonly AssemblyProblem[];
  constructor(problems: readonly AssemblyProblem[]) {
    super(problems.map((p) => `${p.line}:${p.column}: ${p.message}`).join('\n'));
    this.name = 'AssemblyError';
    this.problems = problems;
  }
}

export interface AssembleOptions {
  /** Name of the object and file of its line rows. */
  readonly name: string;
  /** Line of the source on which the text starts (for line rows and messages of the whole file); default 1. */
  readonly firstLine?: number;
  /** Mode before any `.code16/32/64`; default 64. */
  readonly mode?: 16 | 32 | 64;
  /** Section before any `.section`; default `.text`. */
  readonly section?: string;
  /** Write a line row per instruction; default true. */
  readonly lines?: boolean;
}

/** @throws AssemblyError with every problem of the text */
export function assemble(_text: string, _options: AssembleOptions): ObjectFile {
  throw new Error('assemble: being written');
}

export interface InlineCode {
  readonly bytes: Uint8Array;
  /** Offsets are relative to `bytes`; labels of the text itself are resolved. */
  readonly relocations: readonly Relocation[];
}

/** 64-bit code without sections or directives other than data ones; labels are the text's own. @throws AssemblyError */
export function assembleInline(_text: string): InlineCode {
  throw new Error('assembleInline: being written');
}
