/**
 * The fourth kind of failure: our own bugs. Guest faults are values, user errors are diagnostics, exhaustion is a checked result;
 * what cannot happen in correct code ends here, always on.
 */

/** Thrown by `bug()` alone. A door (the command line) turns it into exit status 3. */
export class Bug extends Error {
  constructor(message: string) {
    super(`internal error: ${message}`);
    this.name = 'Bug';
  }
}

/** Ends the run: `message` says which rule of ours was broken, with the values that show it. */
export function bug(message: string): never {
  throw new Bug(message);
}
