/** Assembly within a function: one run of 64-bit code. */
import type { Relocation } from '../image/object.ts';
import { TextAssembler } from './assemble.ts';
import { AssemblyError } from './problem.ts';

export interface InlineCode {
  readonly bytes: Uint8Array;
  /** Offsets are relative to `bytes`; labels of the text itself are resolved. */
  readonly relocations: readonly Relocation[];
}

/** Labels are the text's own, and only reached by branches and RIP-relative operands. Of directives, those for data. @throws AssemblyError */
export function assembleInline(text: string): InlineCode {
  const assembler = new TextAssembler(64, '.text');
  assembler.run(text);
  if (assembler.sections.length > 1) throw AssemblyError.at(1, 1, 'inline assembly stays in its function: no other sections');
  const { atoms } = assembler.object({ name: 'asm', lines: false });
  const [atom] = atoms;
  if (atom === undefined) return { bytes: new Uint8Array(0), relocations: [] };
  const own = new Set(atom.symbols.map((s) => s.name));
  const { bytes, relocations } = atom;
  const absolute = relocations.find((r) => own.has(r.symbol) || (r.minus !== undefined && own.has(r.minus)));
  if (absolute !== undefined)
    throw AssemblyError.at(1, 1, 'the absolute address of a label of inline assembly is unknown: use lea reg, [rip + label]');
  return { bytes, relocations };
}
