/** The judges of passes: what a module does before and after, by the IR interpreter. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { IrFunction } from '../../../src/compiler/ir/function.ts';
import { interpret } from '../../../src/compiler/ir/interpret.ts';
import type { Module } from '../../../src/compiler/ir/module.ts';
import { printModule } from '../../../src/compiler/ir/print.ts';
import { verifyModule } from '../../../src/compiler/ir/verify.ts';
import { mergeCommonSubexpressions } from '../../../src/compiler/passes/common-subexpressions.ts';
import { removeDeadCode } from '../../../src/compiler/passes/dead-code.ts';
import { eliminateChecks } from '../../../src/compiler/passes/eliminate-checks.ts';
import { foldConstants } from '../../../src/compiler/passes/fold-constants.ts';
import { inlineFunctions } from '../../../src/compiler/passes/inline-functions.ts';
import { removeRedundantParameters } from '../../../src/compiler/passes/redundant-parameters.ts';
import { threadJumps } from '../../../src/compiler/passes/thread-jumps.ts';
import { removeUnreachableFunctions } from '../../../src/compiler/passes/unreachable-functions.ts';
import { buildModule, generatedBodies } from './generated.ts';

type Pass = (module: Module) => void;
const each =
  (pass: (fn: IrFunction) => void): Pass =>
  (module) => {
    for (const fn of module.functions) pass(fn);
  };
export const passes: Readonly<Record<string, Pass>> = {
  foldConstants: each(foldConstants),
  removeDeadCode: each(removeDeadCode),
  mergeCommonSubexpressions: each(mergeCommonSubexpressions),
  threadJumps: each(threadJumps),
  removeRedundantParameters: each(removeRedundantParameters),
  eliminateChecks: each(eliminateChecks),
  inlineFunctions,
  inlineAll: (module) => inlineFunctions(module, { small: 10_000, once: 10_000, caller: 3000, slotBytes: 10_000 }),
  removeUnreachableFunctions,
};
const all = Object.entries(passes);

const argument = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(0, 1, 2, 3, 4, 5, -1, -2, 0x7fffffff, 0x7ffffffe, -0x80000000, -0x7fffffff) },
  fc.integer(),
);

function runsOf(module: Module, inputs: readonly (readonly [number, number])[]) {
  return inputs.map((input) => interpret(module, 'f2', input, { limit: 20_000 }));
}

/** Everything a pass must keep: what each run ends with. A run that hits the limit says nothing. */
function expectSame(before: ReturnType<typeof runsOf>, after: ReturnType<typeof runsOf>, text: () => string): void {
  for (const [k, outcome] of before.entries()) {
    if (outcome.kind === 'limit') continue;
    const now = after[k];
    if (JSON.stringify(now, bigints) !== JSON.stringify(outcome, bigints)) {
      throw new Error(`${JSON.stringify(outcome, bigints)} became ${JSON.stringify(now, bigints)}\n${text()}`);
    }
  }
}
const bigints = (_key: string, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value);

const inputs = fc.array(fc.tuple(argument, argument), { minLength: 6, maxLength: 6 });

/** A pass alone, on `runs` generated modules. */
export function judgePass(pass: Pass, runs: number, seed = 1): void {
  fc.assert(
    fc.property(generatedBodies, inputs, (bodies, args) => {
      const module = buildModule(bodies);
      const before = runsOf(module, args);
      const text = printModule(module);
      pass(module);
      expect(verifyModule(module)).toEqual([]);
      expectSame(before, runsOf(module, args), () => `${text}\nbecame\n${printModule(module)}`);
    }),
    { numRuns: runs, seed },
  );
}

/** All passes, several times, in any order. */
export function judgeOrders(runs: number, seed = 1): void {
  const order = fc.array(fc.nat(all.length - 1), { minLength: 4, maxLength: 14 });
  fc.assert(
    fc.property(generatedBodies, inputs, order, (bodies, args, numbers) => {
      const module = buildModule(bodies);
      const before = runsOf(module, args);
      for (const number of numbers) {
        const [name, pass] = all[number] ?? ['', () => undefined];
        const text = printModule(module);
        pass(module);
        const problems = verifyModule(module);
        if (problems.length > 0) throw new Error(`${name}: ${problems.join('\n')}\n${text}\nbecame\n${printModule(module)}`);
      }
      expectSame(before, runsOf(module, args), () => printModule(module));
    }),
    { numRuns: runs, seed },
  );
}
