/**
 * Two of the four kinds of failure. Guest faults are values, exhaustion is a checked result; bad input is a `UserError`, and what cannot happen in
 * correct code ends in `bug()`, always on.
 */

/** Bad input: one line that says what, where, and what to do. A door (the command line) turns it into exit status 2. */
export class UserError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UserError';
  }
}

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
