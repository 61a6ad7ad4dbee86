/**
 * Runs programs under Node, one after the other in this process, and prints what each wrote and how it ended as JSON:
 * `node under-node.ts FILE…` → `[{ file, output, status, trap }]`. `palindrome/program` is the library's Node part.
 */

import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const library = pathToFileURL(resolve(import.meta.dirname, '../../../src/compiler/library/node.ts')).href;

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'palindrome/program' ? { url: library, shortCircuit: true } : next(specifier, context),
});

class Exit extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`exit ${status}`);
    this.status = status;
  }
}

const results: { file: string; output: string; status: number; trap: string | null }[] = [];
const { Trap } = await import(library);

const files = process.argv.splice(2);
for (const file of files) {
  const chunks: Buffer[] = [];
  Reflect.set(globalThis, Symbol.for('palindrome.host'), {
    write: (_fd: number, bytes: Uint8Array) => chunks.push(Buffer.from(bytes)),
    exit: (status: number) => {
      throw new Exit(status);
    },
  });
  let status = 0;
  let trap: string | null = null;
  try {
    await import(pathToFileURL(resolve(file)).href);
  } catch (error) {
    if (error instanceof Exit) status = error.status;
    else if (error instanceof Trap || error instanceof RangeError) trap = (error as Error).message;
    else throw new Error(`${file} under Node`, { cause: error });
  }
  results.push({ file, output: Buffer.concat(chunks).toString('latin1'), status, trap });
}
process.stdout.write(JSON.stringify(results));
