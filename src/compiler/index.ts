/**
 * The compiler's door: bare TypeScript → ELF64, in this process, synchronously, without reading files or a clock.
 *
 *     const { image, diagnostics } = compile({ entry: 'hello.ts' }, new Map([['hello.ts', source]]));
 *     if (image === null) for (const d of diagnostics) process.stderr.write(formatDiagnostic(d));
 *
 * Same files and options, same bytes.
 */

import type { Diagnostic } from './diagnostics.ts';
import type { Layouts } from './image/layouts.ts';
import type { LinkedSymbol } from './image/link.ts';

export { type Diagnostic, formatDiagnostic } from './diagnostics.ts';
export type { Layouts } from './image/layouts.ts';
export type { LinkedSymbol } from './image/link.ts';

/** Sources by path: a map, or a function that gives a file's text, or null if there is none. Paths are relative, with `/`. */
export type Files = ReadonlyMap<string, string> | ((path: string) => string | null);

export interface CompileOptions {
  /** The module that is the program; what it imports is found through `files`. */
  readonly entry: string;
  /** Default `linux-program`. A kernel gets no program library; its `_start` is its own assembly. */
  readonly target?: 'linux-program' | 'keel-kernel';
  /** Which paths may import `palindrome/intrinsics`. Default: none. */
  readonly trusted?: (path: string) => boolean;
  /** 0: as written; 2 (default): all passes. */
  readonly optimise?: 0 | 2;
  /** Default true: DWARF. */
  readonly debug?: boolean;
  /** Run the IR verifier after every pass (slower; tests do). Default false. */
  readonly verify?: boolean;
  /** Gets the printed IR after each of these passes (`front`, or a name of pipeline.ts; `all`). */
  readonly dump?: { readonly after: string; readonly write: (pass: string, text: string) => void };
}

export interface Compilation {
  /** ELF64, or null if there are diagnostics. */
  readonly image: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly symbols: readonly LinkedSymbol[];
  readonly layouts: Layouts;
}

export function compile(_options: CompileOptions, _files: Files): Compilation {
  throw new Error('compile: being written');
}
