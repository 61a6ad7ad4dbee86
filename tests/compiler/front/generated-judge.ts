/** Judges one generated program: natively, at both levels, against Node. */

import { stripTypeScriptTypes } from 'node:module';
import * as library from '../../../src/compiler/library/node.ts';
import { compileOrThrow, runNatively } from './judge.ts';

/** What the program prints under Node, in this process. */
export function outputUnderNode(text: string): string {
  const chunks: Buffer[] = [];
  const key = Symbol.for('palindrome.host');
  const exit = (): never => {
    throw new Error('a generated program does not exit');
  };
  Reflect.set(globalThis, key, { write: (_fd: number, bytes: Uint8Array) => chunks.push(Buffer.from(bytes)), exit });
  try {
    const code = stripTypeScriptTypes(text.replace(/^import.*$/m, ''));
    new Function('print', 'printNumber', code)(library.print, library.printNumber);
  } finally {
    Reflect.deleteProperty(globalThis, key);
  }
  return Buffer.concat(chunks).toString('latin1');
}

/** Null if both agree; else what differs. */
export function judge(text: string): string | null {
  const expected = outputUnderNode(text);
  for (const optimise of [2, 0] as const) {
    const native = runNatively(compileOrThrow('generated.ts', new Map([['generated.ts', text]]), { optimise }));
    if (native.output !== expected || native.trap !== null) {
      return `optimise ${optimise}: ${native.trap ?? 'ended'}\nnative ${native.output}\nnode   ${expected}\n${text}`;
    }
  }
  return null;
}
