/** What code is made for. */
import type { Location } from '../ir/module.ts';

/** `keel-kernel`: no vector registers, small frames (kernel stacks have one guard page). `linux-program`: a static ELF64 executable. */
export type Target = 'keel-kernel' | 'linux-program';

export interface TargetProblem {
  readonly message: string;
  readonly location: Location | null;
}

/** The program asks for what the target cannot do: the user's error. */
export class TargetError extends Error {
  readonly problems: readonly TargetProblem[];
  constructor(problems: readonly TargetProblem[]) {
    super(
      problems.map(({ message, location: at }) => (at === null ? message : `${at.file}:${at.line}:${at.column}: ${message}`)).join('\n'),
    );
    this.name = 'TargetError';
    this.problems = problems;
  }
}
