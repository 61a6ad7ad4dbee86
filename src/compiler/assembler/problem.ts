/** One line of what is wrong, where: `line` and `column` count from 1 within the text. */
export interface AssemblyProblem {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

export class AssemblyError extends Error {
  readonly problems: readonly AssemblyProblem[];
  constructor(problems: readonly AssemblyProblem[]) {
    super(problems.map((p) => `${p.line}:${p.column}: ${p.message}`).join('\n'));
    this.name = 'AssemblyError';
    this.problems = problems;
  }

  static at(line: number, column: number, message: string): AssemblyError {
    return new AssemblyError([{ line, column, message }]);
  }
}
