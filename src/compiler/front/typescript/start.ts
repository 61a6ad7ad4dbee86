/**
 * What the library adds to a program that uses nothing of it: `_start`, what that calls, their variables. It is the same for all such programs, and
 * most of what a small one consists of; so it is lowered once and kept.
 *
 * It may be kept because it depends on the library's texts alone, and on its names being free. Where a program imports from the library, compares
 * strings, or has a name that the library would take, the library is lowered for that program.
 */

import { FunctionBuilder } from '../../ir/builder.ts';
import type { IrFunction } from '../../ir/function.ts';
import type { AssemblyBlock, DataObject } from '../../ir/module.ts';
import type { Global, Program } from './context.ts';
import type { Declaration, ParsedFile } from './modules.ts';

interface Start {
  /** What it was made of. A file is parsed once for a text, so the object stands for it. */
  readonly library: readonly ParsedFile[];
  /** Its functions have notes for debug information. */
  readonly hasNotes: boolean;
  /** The names of its symbols. */
  readonly symbols: readonly string[];
  readonly functions: readonly IrFunction[];
  readonly data: readonly DataObject[];
  readonly assembly: readonly AssemblyBlock[];
  readonly globals: readonly (readonly [Declaration, Global])[];
  /** Symbols of the library's initialisers. */
  readonly initialisers: readonly string[];
}

/** Runs all initialisers: what `_start` or the kernel calls once. */
export const INITIALISE = 'palindrome_initialise';

/** Texts of the library for which a start is kept: one for programs, one for kernels, and some that were edited. */
const STARTS = 4;
/** Lists of initialisers for which the function that calls them is kept. */
const CALLERS = 100;

/** Kept starts. Their functions belong to several compilations: no pass may change them. */
export class StartCache {
  readonly #starts: Start[] = [];
  readonly #callers = new Map<string, IrFunction>();

  /** Adds the library's part to a program whose own part is lowered: the kept one, or what `lower` makes. @returns the symbols of its initialisers */
  add(p: Program, lower: () => readonly string[]): readonly string[] {
    if (p.problems.any || usesLibrary(p)) return lower();
    const library = p.modules.filter((m) => m.library).map((m) => m.parsed);
    const hasNotes = p.notes !== null;
    const known = this.#starts.find(
      (s) => s.hasNotes === hasNotes && s.library.length === library.length && s.library.every((file, k) => file === library[k]),
    );
    if (known === undefined) return this.#note(p, library, lower);
    if (known.symbols.some((symbol) => p.symbols.has(symbol))) return lower();
    p.ir.functions.push(...known.functions);
    p.ir.data.push(...known.data);
    p.ir.assembly.push(...known.assembly);
    for (const [declaration, global] of known.globals) p.globals.set(declaration, global);
    return known.initialisers;
  }

  /** Lowers, and keeps what came of it if it depends on nothing else. */
  #note(p: Program, library: readonly ParsedFile[], lower: () => readonly string[]): readonly string[] {
    const { functions, data, assembly } = p.ir;
    const before = { functions: functions.length, data: data.length, assembly: assembly.length, globals: p.globals.size };
    const taken = new Set(p.symbols);
    const shared = sharedState(p);
    const initialisers = lower();
    const symbols = [...p.symbols].slice(taken.size);
    // A library module's initialiser is named anew in each round, so one may be `…~2`.
    const areFree = symbols.every((symbol) => !taken.has(symbol.replace(/~\d+$/, '')));
    if (p.problems.any || !areFree || sharedState(p) !== shared) return initialisers;
    const start: Start = {
      library,
      hasNotes: p.notes !== null,
      symbols,
      functions: functions.slice(before.functions),
      data: data.slice(before.data),
      assembly: assembly.slice(before.assembly),
      globals: [...p.globals].slice(before.globals).flatMap(([d, global]) => (global === 'being made' ? [] : [[d, global] as const])),
      initialisers,
    };
    for (const fn of start.functions) fn.isShared = true;
    p.notes?.sayTypes(p);
    this.#starts.push(start);
    if (this.#starts.length > STARTS) this.#starts.shift();
    return initialisers;
  }

  /** The function that calls initialisers in order. */
  caller(symbols: readonly string[]): IrFunction {
    const key = symbols.join('\n');
    const known = this.#callers.get(key);
    if (known !== undefined) return known;
    const fn = callerOf(symbols);
    fn.isShared = true;
    if (this.#callers.size >= CALLERS) this.#callers.clear();
    this.#callers.set(key, fn);
    return fn;
  }
}

/** A function that calls initialisers in order. */
export function callerOf(symbols: readonly string[]): IrFunction {
  const b = new FunctionBuilder(INITIALISE, [], []);
  for (const symbol of symbols) b.call(symbol, [], []);
  b.return([]);
  b.fn.exported = true;
  return b.finish();
}

/** A module imports from the library, or the compiler itself called a function of it. */
function usesLibrary(p: Program): boolean {
  for (const module of p.modules) {
    if (module.library) continue;
    for (const imported of module.imports.values()) if (imported !== 'intrinsics' && imported.library) return true;
  }
  for (const { scope } of p.instances.values()) if (scope.module.library) return true;
  return false;
}

/** What the parts of a program number or join in common: a start that adds to it is not the same for all. */
function sharedState(p: Program): string {
  const taken = [...p.addressTaken.values()].map((instances) => instances.length);
  const converted = [...p.functionConversions.values()].map((types) => types.size);
  return [p.stringCount, p.types.classes.length, p.anonymousObjects, taken, converted].join(' ');
}
