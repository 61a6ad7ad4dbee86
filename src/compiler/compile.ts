/** Compiling: sources → IR → passes → machine code → image. The door is index.ts. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bug } from '../machine/isa/bug.ts';
import { type Code, type Diagnostic, diagnostic } from './diagnostics.ts';
import { lowerProgram, ParseCache, StartCache, VariableNotes } from './front/typescript/index.ts';
import { emptyLayouts, type Layouts } from './image/layouts.ts';
import { LinkError, type LinkedSymbol, link } from './image/link.ts';
import type { Location } from './ir/module.ts';
import { runPasses } from './pipeline.ts';
import { TargetError } from './target/options.ts';
import { generate } from './target/x64/generate.ts';
import { Learnt } from './target/x64/learnt.ts';

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
  /** Default true: DWARF, with lines, frames, variables and types. */
  readonly debug?: boolean;
  /** Run the IR verifier after every pass (slower; tests do). Default false. */
  readonly verify?: boolean;
  /** Gets the printed IR after each of these passes (`front`, or a name of pipeline.ts; `all`). */
  readonly dump?: { readonly after: string; readonly write: (pass: string, text: string) => void };
}

export interface Compilation {
  /** ELF64, or null if there are diagnostics. */
  readonly image: Uint8Array | null;
  /** The image without DWARF: what guests are given, so that what debuggers know changes no run. */
  readonly stripped: Uint8Array | null;
  readonly diagnostics: readonly Diagnostic[];
  readonly symbols: readonly LinkedSymbol[];
  readonly layouts: Layouts;
}

/** src/compiler/library of the checkout or of the installed package, near this module. */
function libraryFolder(): string {
  for (const up of ['.', '../../src/compiler', '../../../src/compiler']) {
    const folder = join(import.meta.dirname, up, 'library');
    if (existsSync(join(folder, 'program.ts'))) return folder;
  }
  return bug('the sources of the program library are not beside the compiler');
}

/** The result, or null if the recursion over the source goes deeper than the engine's stack. */
function withinStack<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError && error.message.includes('call stack')) return null;
    throw error;
  }
}

const LIBRARY = /^palindrome\/(program|runtime)$/;

/**
 * Compiles programs one after the other. What it keeps between them are pure functions of texts and of the instruction table: a program's bytes do
 * not depend on what was compiled before it, only the time does.
 */
export class Compiler {
  readonly #parsed = new ParseCache();
  readonly #starts = new StartCache();
  readonly #learnt = new Learnt();
  readonly #library = new Map<string, string>();

  compile(options: CompileOptions, files: Files): Compilation {
    const { entry, target = 'linux-program', trusted = () => false, optimise = 2, debug = true, verify = false } = options;
    const read = typeof files === 'function' ? files : (path: string) => files.get(path) ?? null;
    const failed = (diagnostics: readonly Diagnostic[]): Compilation => ({
      image: null,
      stripped: null,
      diagnostics,
      symbols: [],
      layouts: emptyLayouts,
    });
    const problem = (code: Code, location: Location | null, message: string): Diagnostic => {
      const at = location ?? { file: entry, line: 1, column: 1 };
      const source = (read(at.file) ?? '').split('\n')[at.line - 1] ?? '';
      return diagnostic(code, { ...at, source, width: 1 }, [message]);
    };
    if (read(entry) === null) return failed([problem('P1102', null, entry)]);

    const library = (specifier: string): { path: string; text: string } | null => {
      const name = LIBRARY.exec(specifier)?.[1];
      const text = name === undefined || (name === 'program' && target === 'keel-kernel') ? null : this.#libraryText(`${name}.ts`);
      return text === null ? null : { path: `palindrome/${name}.ts`, text };
    };
    const entries = target === 'linux-program' ? [entry, 'palindrome/program', 'palindrome/runtime'] : [entry, 'palindrome/runtime'];
    const starts = optimise === 0 ? this.#starts : null;
    const notes = debug ? new VariableNotes() : null;
    const lowered = withinStack(() => lowerProgram(entries, { read, library, trusted }, this.#parsed, starts, notes));
    if (lowered === null) return failed([problem('P1008', null, '')]);
    const { module, diagnostics } = lowered;
    if (diagnostics.length > 0) return failed(diagnostics);

    const { dump } = options;
    runPasses(module, { level: optimise, entries: [], verify, ...(dump === undefined ? {} : { dump }) });
    try {
      const objects = generate(module, { name: entry, target, debug, learnt: this.#learnt });
      const linked = link(objects, { target, layouts: module.layouts, name: entry, debug });
      return { image: linked.bytes, stripped: linked.stripped, diagnostics: [], symbols: linked.symbols, layouts: module.layouts };
    } catch (error) {
      if (error instanceof TargetError) return failed(error.problems.map((each) => problem('P1802', each.location, each.message)));
      if (error instanceof LinkError) return failed(error.problems.map((each) => problem('P1804', null, each)));
      throw error;
    }
  }

  /** The text of a file of the library, which is read once. */
  #libraryText(name: string): string | null {
    const known = this.#library.get(name);
    if (known !== undefined) return known;
    const path = join(libraryFolder(), name);
    if (!existsSync(path)) return null;
    const text = readFileSync(path, 'utf8');
    this.#library.set(name, text);
    return text;
  }
}

/** The process's own, for all who have none. */
const shared = new Compiler();

/** Compiles with the process's compiler. */
export function compile(options: CompileOptions, files: Files): Compilation {
  return shared.compile(options, files);
}
