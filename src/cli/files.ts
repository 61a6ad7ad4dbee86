/** Files of the command line: read with a limit, written whole or not at all. */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { UserError } from '../machine/index.ts';

const MOST_BYTES = 256 << 20;

/** A file's bytes; UserError where it is too large to be what it should. */
export function readInput(path: string): Uint8Array {
  const { size } = statSync(path);
  if (size > MOST_BYTES) throw new UserError(`${path}: ${size} bytes are more than the ${MOST_BYTES} that are read; is it the right file?`);
  return readFileSync(path);
}

/** Writes a file whole or not at all: to a temporary name first, then renamed. */
export function writeOutput(path: string, bytes: Uint8Array, mode: number): void {
  const temporary = `${path}.${process.pid}.partial`;
  writeFileSync(temporary, bytes, { mode });
  renameSync(temporary, path);
}
