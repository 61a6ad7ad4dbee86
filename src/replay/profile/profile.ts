/**
 * How a run spent its instructions: exact counts by process, function and call, from the recorded path.
 *
 *     const profile = await profileOf(trace);
 *     profile.functions[0];                                    // { process: 'pid 1 hello', name: 'main', self, total, calls, … }
 *     for (const line of profile.folded()) …                   // for flame graphs
 */
import { Keel } from '../keel.ts';
import { bootOf, type PlayerOptions, symbolsOf } from '../player.ts';
import type { CodeFunction } from '../symbols.ts';
import type { Trace } from '../trace/reader.ts';
import { Walker } from '../walk/walker.ts';
import { type FunctionCount, foldedStacks, functionCounts } from './call-tree.ts';
import { ProcessLook } from './process-look.ts';
import { CallStacks } from './stacks.ts';

export interface ProfileOptions extends PlayerOptions {
  /** First position; default 0. */
  readonly from?: bigint;
  /** First position that is left out; default: the end. */
  readonly to?: bigint;
  readonly progress?: (position: bigint) => void;
}

export interface Profile {
  readonly instructions: number;
  /** Of them at CPL 3. */
  readonly user: number;
  readonly processes: readonly { readonly name: string; readonly kernel: number; readonly user: number }[];
  readonly functions: readonly FunctionCount[];
  folded(): Iterable<string>;
}

/** Code that no symbol covers. */
const UNKNOWN: CodeFunction = { image: '', name: '[unknown]' };

export async function profileOf(trace: Trace, options: ProfileOptions = {}): Promise<Profile> {
  const symbols = symbolsOf(trace, options);
  const image = bootOf(trace, options).image;
  let look: ProcessLook | null = null;
  const stacks = new CallStacks((machine) => look?.beginning(machine) ?? null);
  const walker = await Walker.open(
    trace,
    {
      ownerOf: (rip, bytes) => symbols.functionAt(rip, bytes) ?? UNKNOWN,
      sink: stacks,
      watchesStack: true,
      look: { wants: (event) => look?.wants(event) ?? false, at: (event, machine) => look?.at(event, machine) ?? null },
    },
    options,
  );
  look = new ProcessLook(Keel.of(walker.player.machine, image));
  for (const position of walker.blockwise(options.from ?? 0n, options.to ?? trace.instructions)) options.progress?.(position);
  const functions = functionCounts(stacks.root);
  const sum = (of: (row: FunctionCount) => boolean) => functions.filter(of).reduce((total, { self }) => total + self, 0);
  const processes = [...stacks.root.children].map(({ name }) => ({
    name,
    kernel: sum((row) => row.process === name && !row.isUser),
    user: sum((row) => row.process === name && row.isUser),
  }));
  return {
    instructions: sum(() => true),
    user: sum(({ isUser }) => isUser),
    processes: processes.filter(({ kernel, user }) => kernel + user > 0),
    functions,
    folded: () => foldedStacks(stacks.root),
  };
}
