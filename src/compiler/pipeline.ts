/**
 * The passes over the IR, in the order in which they run. Each is a file of passes/ whose header says what it needs and keeps.
 *
 * `dump` prints the IR behind the pass of that name; with `verify` the verifier looks at the module behind each.
 */

import type { IrFunction } from './ir/function.ts';
import type { Module } from './ir/module.ts';
import { printModule } from './ir/print.ts';
import { assertValid } from './ir/verify.ts';
import { mergeCommonSubexpressions } from './passes/common-subexpressions.ts';
import { removeDeadCode } from './passes/dead-code.ts';
import { eliminateChecks } from './passes/eliminate-checks.ts';
import { foldConstants } from './passes/fold-constants.ts';
import { inlineFunctions } from './passes/inline-functions.ts';
import { removeRedundantParameters } from './passes/redundant-parameters.ts';
import { threadJumps } from './passes/thread-jumps.ts';
import { removeUnreachableFunctions } from './passes/unreachable-functions.ts';

export interface Pass {
  readonly name: string;
  readonly run: (module: Module) => void;
}

/** A pass that looks at one function at a time. */
function each(name: string, pass: (fn: IrFunction) => void): Pass {
  return {
    name,
    run: (module) => {
      for (const fn of module.functions) pass(fn);
    },
  };
}

/** What runs even without optimisation: what nothing reaches is not compiled. */
export function passesOf(level: 0 | 2, entries: readonly string[]): readonly Pass[] {
  const unreachable = (name: string): Pass => ({ name, run: (module) => removeUnreachableFunctions(module, entries) });
  if (level === 0) return [unreachable('unreachable-functions')];
  return [
    unreachable('unreachable-functions'),
    each('fold-constants', foldConstants),
    each('thread-jumps', threadJumps),
    each('dead-code', removeDeadCode),
    { name: 'inline-functions', run: (module) => inlineFunctions(module) },
    unreachable('unreachable-functions-2'),
    each('fold-constants-2', foldConstants),
    each('thread-jumps-2', threadJumps),
    each('redundant-parameters', removeRedundantParameters),
    each('common-subexpressions', mergeCommonSubexpressions),
    each('eliminate-checks', eliminateChecks),
    each('fold-constants-3', foldConstants),
    each('thread-jumps-3', threadJumps),
    each('dead-code-2', removeDeadCode),
  ];
}

export interface PipelineOptions {
  readonly level: 0 | 2;
  /** Symbols that the linker or others refer to. */
  readonly entries: readonly string[];
  readonly verify: boolean;
  readonly dump?: { readonly after: string; readonly write: (pass: string, text: string) => void };
}

/** Runs all passes. `front` names the IR before the first. */
export function runPasses(module: Module, options: PipelineOptions): void {
  const look = (name: string): void => {
    if (options.verify) assertValid(module, name);
    if (options.dump !== undefined && (options.dump.after === name || options.dump.after === 'all'))
      options.dump.write(name, printModule(module));
  };
  look('front');
  for (const pass of passesOf(options.level, options.entries)) {
    pass.run(module);
    look(pass.name);
  }
}
