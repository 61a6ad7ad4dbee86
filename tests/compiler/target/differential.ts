/** Random modules natively and by the interpreter: the same results and traps. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { Interpreter, type Outcome } from '../../../src/compiler/ir/interpret.ts';
import type { Module } from '../../../src/compiler/ir/module.ts';
import { argumentsFor, randomModules } from '../ir/random-ir.ts';
import { type Case, type NativeOutcome, runNative } from './native.ts';

const CALLS_PER_FUNCTION = 4;
const ARGUMENT_CHOICES = 60;

interface Variation {
  /** Done to the module before it is compiled. */
  readonly prepare?: (module: Module) => void;
  /** How many registers of each class values may be in. */
  readonly registers?: number;
}

export function differential(runs: number, seed: number, { prepare, registers }: Variation = {}): void {
  const lists = fc.array(fc.nat({ max: 0xffff }), { minLength: ARGUMENT_CHOICES, maxLength: ARGUMENT_CHOICES });
  fc.assert(
    fc.property(randomModules, lists, (module, choices) => {
      const cases = module.functions.flatMap((fn, k) =>
        Array.from({ length: CALLS_PER_FUNCTION }, (_, n): Case => ({ fn, args: argumentsFor(fn.params, choices.slice(k * 4 + n * 9)) })),
      );
      const interpreter = new Interpreter(module, { limit: 3_000_000 });
      const expected = cases.map((c) => interpreter.run(c.fn.symbol, c.args));
      fc.pre(expected.every((outcome) => outcome.kind !== 'limit'));
      prepare?.(module);
      const found = runNative(module, cases, registers);
      expect(found.map(comparable)).toEqual(expected.map(comparable));
    }),
    // Each attempt runs a program: a failure is reported as it was found, with its seed; shrink it by hand.
    { numRuns: runs, seed, endOnFailure: true },
  );
}

/** Without the line of a trap, which the interpreter does not know. */
function comparable(outcome: Outcome | NativeOutcome): unknown {
  return outcome.kind === 'trapped' ? { kind: outcome.kind, trap: outcome.trap } : outcome;
}
