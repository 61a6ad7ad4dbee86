/** What a command says at its end: results for people or machines, and failures by kind. */
import { CommanderError, InvalidArgumentError } from 'commander';
import { UserError } from '../machine/index.ts';

/** Exit statuses, the same for every command. */
export const STATUS = { done: 0, finding: 1, wrongUse: 2, ownBug: 3 } as const;

/** Ends the process with the status of its kind of failure; one line for the user's, the stack for ours. */
export function report(error: unknown): void {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? STATUS.done : STATUS.wrongUse;
  } else if (error instanceof UserError) {
    process.stderr.write(`palindrome: ${error.message}\n`);
    process.exitCode = STATUS.wrongUse;
  } else if (isSystemError(error)) {
    process.stderr.write(`palindrome: ${describeSystemError(error)}\n`);
    process.exitCode = STATUS.wrongUse;
  } else {
    process.stderr.write(
      `palindrome: a bug of our own; please report it with this text:\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = STATUS.ownBug;
  }
}

/** Prints the result: with `--json` exactly one object as the last line of standard output, else the text. */
export function print(result: object, json: boolean | undefined, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : text);
}

/** Values as JSON takes them: 64-bit integers in hexadecimal, bytes likewise. */
export const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, inner) =>
      typeof inner === 'bigint' ? `0x${inner.toString(16)}` : inner instanceof Uint8Array ? Buffer.from(inner).toString('hex') : inner,
    ),
  );

/** A whole number with a comma before each three digits. Not by `toLocaleString`: Node's first use of that takes some 15 ms. */
export const grouped = (n: number | bigint): string => String(n).replace(/\B(?=(\d{3})+$)/g, ',');

/** A progress line for people: on a terminal only, on standard error, overwritten in place. `done()` removes it. */
export function progress(): { show(line: () => string): void; done(): void } {
  const { isTTY, columns } = process.stderr;
  return {
    show: (line) => isTTY && process.stderr.write(`\r\x1b[2K${line().slice(0, (columns ?? 80) - 1)}`),
    done: () => isTTY && process.stderr.write('\r\x1b[2K'),
  };
}

/** A parser for an option that is a whole number within a range; units K, M, G (powers of 1024) where `units`. */
export function wholeNumber(what: string, least: number, most: number, units = false): (text: string) => number {
  return (text) => {
    const match = /^(\d+|0x[0-9a-f]+)([KMG]?)$/i.exec(text);
    const value = match ? Number(match[1]) * 1024 ** ' KMG'.indexOf((match[2] || ' ').toUpperCase()) : Number.NaN;
    if (!match || (match[2] && !units) || !Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`${what} is a whole number from ${least} to ${most}${units ? ', with K, M or G' : ''}.`);
    return value;
  };
}

const isSystemError = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && 'syscall' in error && 'code' in error;

function describeSystemError(error: NodeJS.ErrnoException): string {
  const where = error.path ?? 'a file';
  switch (error.code) {
    case 'ENOENT':
      return `${where}: there is no such file; check the path`;
    case 'EACCES':
    case 'EPERM':
      return `${where}: no permission to ${error.syscall} it`;
    case 'EISDIR':
      return `${where}: is a directory, a file is wanted`;
    case 'ENOSPC':
      return `${where}: the disk is full; free some space and run again`;
    default:
      return `${where}: ${error.message}`;
  }
}
