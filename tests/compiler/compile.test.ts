/** A compiler that has compiled other programs before makes the same of a program as a new one: what it keeps changes nothing but the time. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CompileOptions, Compiler } from '../../src/compiler/compile.ts';
import { readElf } from '../../src/compiler/image/read-elf.ts';

/** Parts of programs; those that use the library, take its names, share constants with it, or are wrong. */
const PARTS = [
  "import { printLine } from 'palindrome/program';\nprintLine('said by the library');",
  "import { argumentCount, exit } from 'palindrome/program';\nif (argumentCount() > 9) exit(3);",
  'function exit(): void {}\nexit();',
  'let stack: u64 = 5n;\nstack = 6n;',
  'export const NR = { read: 1n } as const;\nsyscall(NR.read);',
  '/** @export palindrome_start */\nfunction mine(): void {}',
  '/** @export initialise */\nfunction first(): void {}',
  "function same(a: string, b: string): boolean {\n  return a === b;\n}\nsame('a', 'b');",
  'function textsAreEqual(): i32 {\n  return 1;\n}\ntextsAreEqual();',
  'function scaled(x: f64): f64 {\n  return x * 1.5;\n}\nscaled(2.0);',
  "asm('mov rax, rdi', { rdi: 7n }, 'rax');",
  "asm('mov rax, rdi\\nnop');",
  "asm('no such instruction');",
  'assembly(`\n.section .text\n.global helper\nhelper:\n  ret\n`);',
  'function chosen(x: i32): i32 {\n  switch (x) {\n    case 0: return 5;\n    case 1: return 3;\n    case 2: return 9;\n    case 3: return 1;\n    case 4: return 4;\n    default: return 0;\n  }\n}\nchosen(2);',
  'class Pair {\n  x: i32 = 1;\n  y: u64 = 2n;\n}\nconst pair = new Pair();\npair.x = 3;',
  'function twice(f: (x: u64) => u64): u64 {\n  return f(f(1n));\n}\ntwice((x: u64): u64 => x + 1n);',
  "const words: readonly string[] = ['one', 'two'];\nfunction word(i: i32): i32 {\n  return words[i].length;\n}\nword(1);",
  '/** @align 4096 */\nconst scratch = new Uint8Array(8192);\nscratch[1] = 2;',
  "const wrong: i32 = 'text';",
  '/** @extern nowhere */\ndeclare function nowhere(): void;\nnowhere();',
  'const unfinished = ;',
] as const;

const HEADER = "import { asm, assembly, syscall } from 'palindrome/intrinsics';\n";

interface Program {
  readonly text: string;
  readonly options: CompileOptions;
}

const programs: fc.Arbitrary<Program> = fc
  .record({
    parts: fc.uniqueArray(fc.constantFrom(...PARTS), { maxLength: 4 }),
    entry: fc.constantFrom('program.ts', 'other.ts'),
    optimise: fc.constantFrom(0 as const, 0 as const, 2 as const),
    debug: fc.boolean(),
    isTrusted: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  })
  .map(({ parts, entry, optimise, debug, isTrusted }) => ({
    text: HEADER + parts.join('\n'),
    options: { entry, optimise, debug, trusted: () => isTrusted },
  }));

const build = (compiler: Compiler, { text, options }: Program) => compiler.compile(options, new Map([[options.entry, text]]));

describe('a compiler that has compiled other programs', () => {
  const plain: Program = { text: HEADER, options: { entry: 'program.ts', optimise: 0, trusted: () => true } };

  test('makes the same bytes, symbols, layouts and diagnostics as a new one', () => {
    const used = new Compiler();
    const failed = new Set<boolean>();
    fc.assert(
      fc.property(programs, (program) => {
        const fresh = build(new Compiler(), program);
        failed.add(fresh.image === null);
        expect(build(used, program)).toEqual(fresh);
        expect(build(used, program)).toEqual(fresh);
      }),
      { seed: 7, numRuns: 60 },
    );
    expect(failed).toEqual(new Set([true, false]));
  });

  test('loads the same with and without DWARF', () => {
    const used = new Compiler();
    for (const part of PARTS) {
      const [withDwarf, without] = [true, false].map((debug) => {
        const { image } = build(used, { text: HEADER + part, options: { ...plain.options, debug } });
        return image === null ? null : readElf(image, part).sections.filter((section) => section.isLoaded);
      });
      expect(without).toEqual(withDwarf);
    }
  });

  test('strips DWARF off to what it makes without', () => {
    for (const part of PARTS) {
      const { stripped } = build(new Compiler(), { ...plain, text: HEADER + part });
      const without = build(new Compiler(), { text: HEADER + part, options: { ...plain.options, debug: false } });
      expect(stripped).toEqual(without.image);
    }
  });

  for (const part of PARTS) {
    test(`after a plain program: ${part.split('\n').find((line) => !line.startsWith('/**'))}`, () => {
      const program = { ...plain, text: HEADER + part };
      const used = new Compiler();
      build(used, plain);
      expect(build(used, program)).toEqual(build(new Compiler(), program));
      expect(build(used, plain)).toEqual(build(new Compiler(), plain));
    });
  }

  test('that program first, then a plain one', () => {
    for (const part of PARTS) {
      const used = new Compiler();
      build(used, { ...plain, text: HEADER + part });
      expect(build(used, plain)).toEqual(build(new Compiler(), plain));
    }
  });
});
