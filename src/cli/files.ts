/** Files of the command line: inputs are read with a limit, and outputs do not replace them. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '../machine/index.ts';

const MOST_BYTES = 256 << 20;
const CHUNK_BYTES = 64 << 10;

/** A file's bytes, a pipe's as well; UserError where it is a directory, or too large to be what it should. */
export function readInput(path: string): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const stats = fstatSync(descriptor);
    if (stats.isDirectory()) throw new UserError(`${path}: is a directory, a file is wanted`);
    const chunks: Uint8Array[] = [];
    // What is no file has no size: /dev/zero would have no end.
    for (let length = 0; ; ) {
      const chunk = Buffer.allocUnsafe(Math.min(Math.max(stats.size - length, CHUNK_BYTES), MOST_BYTES + 1));
      const count = readSync(descriptor, chunk);
      if (count === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > MOST_BYTES) throw new UserError(`${path}: more than the ${MOST_BYTES} bytes that are read; is it the right file?`);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** The path of an output; UserError where it is one of the files that the output is made from, which would be lost. */
export function outputFile(path: string, sources: readonly string[]): string {
  const identity = (file: string): string | null => {
    const stats = statSync(file, { bigint: true, throwIfNoEntry: false });
    return stats === undefined ? null : `${stats.dev} ${stats.ino}`;
  };
  const output = identity(path);
  const lost = output === null ? undefined : sources.find((source) => identity(source) === output);
  if (lost !== undefined) throw new UserError(`${path}: this would replace ${lost}, from which it is made; give another name`);
  return path;
}
