/**
 * The `.cfi_…` directives, as GNU as has them: how debuggers find the caller from within hand-written code.
 *
 * `.cfi_startproc`, `.cfi_endproc`, `.cfi_signal_frame`, `.cfi_def_cfa R, N`, `.cfi_def_cfa_register R`, `.cfi_def_cfa_offset N`,
 * `.cfi_adjust_cfa_offset N`, `.cfi_offset R, N`, `.cfi_register R, R`, `.cfi_undefined R`, `.cfi_restore R`.
 */
import { type DwarfRegisterName, dwarfRegister, type FrameDescription, type FrameRow, type FrameRule } from '../image/object.ts';
import type { TokenReader } from './expression.ts';
import { AssemblyError } from './problem.ts';

export type FrameDirective =
  | { readonly kind: 'start' }
  | { readonly kind: 'end' }
  | { readonly kind: 'signal' }
  | { readonly kind: 'cfa'; readonly register: DwarfRegisterName | null; readonly offset: number | null }
  | { readonly kind: 'adjust'; readonly by: number }
  | { readonly kind: 'rule'; readonly register: DwarfRegisterName; readonly rule: FrameRule | null };

/** null: it is no directive of frames. @param constant reads a number that is known there */
export function frameDirective(name: string, reader: TokenReader, constant: () => number): FrameDirective | null {
  const register = (): DwarfRegisterName => {
    const token = reader.take();
    const text = token.kind === 'name' ? token.text.toLowerCase() : '';
    return Object.hasOwn(dwarfRegister, text) ? (text as DwarfRegisterName) : reader.fail('expected a 64-bit register', token.column);
  };
  const comma = (): void => reader.expect(',');
  switch (name) {
    case '.cfi_startproc':
      reader.acceptWord('simple');
      return { kind: 'start' };
    case '.cfi_endproc':
      return { kind: 'end' };
    case '.cfi_signal_frame':
      return { kind: 'signal' };
    case '.cfi_def_cfa': {
      const base = register();
      comma();
      return { kind: 'cfa', register: base, offset: constant() };
    }
    case '.cfi_def_cfa_register':
      return { kind: 'cfa', register: register(), offset: null };
    case '.cfi_def_cfa_offset':
      return { kind: 'cfa', register: null, offset: constant() };
    case '.cfi_adjust_cfa_offset':
      return { kind: 'adjust', by: constant() };
    case '.cfi_offset': {
      const saved = register();
      comma();
      const { column } = reader.peek();
      const offset = constant();
      if (offset > 0 || offset % 8 !== 0) reader.fail('registers are saved at multiples of 8 below the frame address', column);
      return { kind: 'rule', register: saved, rule: { kind: 'saved', offset } };
    }
    case '.cfi_register': {
      const copied = register();
      comma();
      return { kind: 'rule', register: copied, rule: { kind: 'register', register: register() } };
    }
    case '.cfi_undefined':
      return { kind: 'rule', register: register(), rule: { kind: 'undefined' } };
    case '.cfi_restore':
      return { kind: 'rule', register: register(), rule: null };
    default:
      return null;
  }
}

export interface PlacedDirective {
  readonly directive: FrameDirective;
  readonly offset: number;
  readonly line: number;
}

/** What the directives of a section say together. @throws AssemblyError */
export function frameDescriptions(directives: readonly PlacedDirective[]): FrameDescription[] {
  const list: FrameDescription[] = [];
  let open: { from: number; isSignal: boolean; rows: FrameRow[]; cfa: FrameRow['cfa']; rules: Map<DwarfRegisterName, FrameRule> } | null =
    null;
  for (const { directive, offset, line } of directives) {
    if (directive.kind === 'start') {
      if (open !== null) throw AssemblyError.at(line, 1, '.cfi_startproc within another');
      open = { from: offset, isSignal: false, rows: [], cfa: { register: 'rsp', offset: 8 }, rules: new Map() };
      continue;
    }
    if (open === null) throw AssemblyError.at(line, 1, 'there is no .cfi_startproc in front of this');
    if (directive.kind === 'end') {
      list.push({ from: open.from, to: offset, isSignal: open.isSignal, rows: open.rows });
      open = null;
      continue;
    }
    if (directive.kind === 'signal') open.isSignal = true;
    else if (directive.kind === 'adjust') open.cfa = { ...open.cfa, offset: open.cfa.offset + directive.by };
    else if (directive.kind === 'cfa')
      open.cfa = { register: directive.register ?? open.cfa.register, offset: directive.offset ?? open.cfa.offset };
    else if (directive.rule === null) open.rules.delete(directive.register);
    else open.rules.set(directive.register, directive.rule);
    if (open.rows.at(-1)?.offset === offset) open.rows.pop();
    open.rows.push({ offset, cfa: open.cfa, rules: [...open.rules] });
  }
  if (open !== null) throw AssemblyError.at(directives.at(-1)?.line ?? 1, 1, '.cfi_startproc without .cfi_endproc');
  return list;
}
