/** Programs by number: the program of a seed and an index is the same whoever asks for it, in whatever order. */
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import seedrandom from 'seedrandom';
import { type Act, render } from '../grammar/act.ts';
import { hostileProgram } from '../grammar/program.ts';

/** The 32-bit seed of program `index` of a campaign. */
export const programSeed = (seed: string, index: number): number => seedrandom.alea(`${seed}/${index}`).int32();

/** The acts of program `index`. */
export function generate(seed: string, index: number): readonly Act[] {
  const [acts] = fc.sample(hostileProgram, { seed: programSeed(seed, index), numRuns: 1 });
  return acts ?? [];
}

/** How many programs a search for a smaller one may try. A count, not a time: the result must not depend on the machine's speed. */
const MOST_TRIALS = 300;

/**
 * The smallest program found that still does what `fails` looks for, by fast-check's own shrinking of program `index`: first without
 * acts, then with simpler values; at the end each act is left out once more, for those that simpler values made needless. It takes seconds: signals of the
 * process are handled meanwhile, and once `signal` is aborted it ends with the smallest until then.
 */
export async function shrink(
  seed: string,
  index: number,
  fails: (source: string) => boolean,
  signal?: AbortSignal,
): Promise<{ readonly acts: readonly Act[]; readonly trials: number }> {
  let trials = 0;
  let smallest = generate(seed, index);
  const breath = new Breath();
  await fc.check(
    fc.asyncProperty(hostileProgram, async (acts) => {
      await breath.take();
      if (trials >= MOST_TRIALS || signal?.aborted) return true;
      trials++;
      if (!fails(render(acts))) return true;
      smallest = acts;
      return false;
    }),
    { seed: programSeed(seed, index), numRuns: 1, verbose: 0 },
  );
  for (let at = smallest.length - 1; at >= 0 && smallest.length > 1; at--) {
    await breath.take();
    if (signal?.aborted) break;
    const without = smallest.filter((_, other) => other !== at);
    trials++;
    if (fails(render(without))) smallest = without;
  }
  return { acts: smallest, trials };
}

const BREATH_MS = 50;

/** Lets the event loop turn, now and then. */
class Breath {
  #last = performance.now();

  async take(): Promise<void> {
    if (performance.now() - this.#last < BREATH_MS) return;
    await setImmediate();
    this.#last = performance.now();
  }
}
