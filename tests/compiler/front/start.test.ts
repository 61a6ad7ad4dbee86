/** The kept part of the library: what a program gets with it is what it gets without, whatever the library's start does. */

import { describe, expect, test } from 'vitest';
import { lowerProgram, ParseCache, StartCache } from '../../../src/compiler/front/typescript/index.ts';
import { printModule } from '../../../src/compiler/ir/print.ts';

const LIBRARIES = {
  'calls and variables': `
    let at: u64 = 5n;
    /** @extern palindrome_initialise */
    declare function initialise(): void;
    /** @export palindrome_start */
    function start(): void { at = 6n; initialise(); leave(); }
    function leave(): void { at++; }`,
  text: "let said: string = 'nothing';\n/** @export palindrome_start */\nfunction start(): void { said = 'library'; }",
  'a function value': `
    let chosen: (x: u64) => u64 = more;
    function more(x: u64): u64 { return x + 1n; }
    /** @export palindrome_start */
    function start(): void { chosen(1n); }`,
  'a class': 'class Row { x: u64 = 1n; }\nconst row = new Row();\n/** @export palindrome_start */\nfunction start(): void { row.x = 2n; }',
  'an initialiser': `
    let now: u64 = first();
    function first(): u64 { return 4n; }
    /** @export palindrome_start */
    function start(): void { now = 1n; }`,
};

const PROGRAMS = [
  'let x: u64 = 1n;\nx = 2n;',
  "const words: readonly string[] = ['one', 'library'];\nfunction word(i: i32): i32 { return words[i].length; }\nword(1);",
  'function twice(f: (x: u64) => u64): u64 { return f(f(1n)); }\ntwice((x: u64): u64 => x + 1n);',
  'class Row { y: i32 = 1; }\nconst own = new Row();\nown.y = 3;',
  'function leave(): void {}\nlet at: i32 = 1;\nat = 2;\nleave();',
];

describe('a start that', () => {
  for (const [name, library] of Object.entries(LIBRARIES)) {
    test(`has ${name}`, () => {
      const starts = new StartCache();
      const parsed = new ParseCache();
      const printed = (program: string, cache: StartCache | null): string => {
        const sources = {
          read: () => program,
          library: () => ({ path: 'palindrome/program.ts', text: library }),
          trusted: () => true,
        };
        const { module, diagnostics } = lowerProgram(['program.ts', 'palindrome/program'], sources, parsed, cache, null);
        expect(diagnostics).toEqual([]);
        return `${printModule(module)}\n${JSON.stringify(module.layouts)}`;
      };
      for (const program of [...PROGRAMS, ...PROGRAMS.toReversed()]) expect(printed(program, starts)).toBe(printed(program, null));
    });
  }
});
