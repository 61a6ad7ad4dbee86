/** Modules, linker symbols, intrinsics, layouts, and that the same source gives the same bytes. */

import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/compiler/compile.ts';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import { SYSCALLS } from '../../../src/kernel/abi/syscalls.ts';
import { compileOrThrow, runNatively } from './judge.ts';

function run(files: Record<string, string>, trusted: (path: string) => boolean = () => false): string {
  const image = compileOrThrow('main.ts', new Map(Object.entries(files)), { trusted });
  const { output, trap, status } = runNatively(image);
  expect({ trap, status }).toEqual({ trap: null, status: 0 });
  return output;
}

const IMPORT = "import { print, printNumber } from 'palindrome/program';\n";

describe('modules', () => {
  test('names, renamed names, namespaces, re-exports, types', () => {
    const output = run({
      'main.ts': `${IMPORT}
        import { a, b as renamed, three, type T } from './lib/one.ts';
        import * as two from './lib/two.ts';
        import type { Only } from './lib/two.ts';
        const t: T = a + 1;
        const o: Only = { x: 5 };
        printNumber(t + renamed(2) + two.twice(10) + two.LIMIT + o.x + three);
        const p: two.Only = { x: 1 };
        printNumber(p.x);`,
      'lib/one.ts': `export type T = i32; const hidden = 100; export const a = hidden; export { twice as b } from './two.ts'; export * from './three.ts';`,
      'lib/three.ts': 'export const three = 3;',
      'lib/two.ts': `export function twice(x: i32): i32 { return x * 2; }
        export const LIMIT = 1000;
        export interface Only { x: i32 }`,
    });
    expect(output).toBe('11331');
  });

  test('initialisers run once, imported modules first, in the order of the imports', () => {
    const say = (n: number): string => `${IMPORT} print('${n}');`;
    const output = run({
      'main.ts': `import './b.ts';\nimport './a.ts';\n${say(3)}`,
      'a.ts': `import './common.ts';\n${say(2)}`,
      'b.ts': `import './common.ts';\n${say(1)}`,
      'common.ts': say(0),
    });
    expect(output).toBe('0123');
  });

  test('functions and types may refer to each other in a circle of modules', () => {
    const output = run({
      'main.ts': `${IMPORT} import { isEven } from './even.ts'; print(isEven(10) ? 'even' : 'odd');`,
      'even.ts': `import { isOdd } from './odd.ts'; export function isEven(n: i32): boolean { return n === 0 || isOdd(n - 1); }`,
      'odd.ts': `import { isEven } from './even.ts'; export function isOdd(n: i32): boolean { return n !== 0 && isEven(n - 1); }`,
    });
    expect(output).toBe('even');
  });

  test('same names in different modules are different things', () => {
    const file = (n: number): string => `class C { x = ${n}; } let count = ${n}; const c = new C();
      function step(): i32 { count++; return count + c.x; } export function run${n}(): i32 { return step(); }`;
    const output = run({
      'main.ts': `${IMPORT} import { run1 } from './one.ts'; import { run2 } from './two.ts'; printNumber(run1() * 100 + run2() * 10 + run1());`,
      'one.ts': file(1),
      'two.ts': file(2),
    });
    expect(output).toBe('354');
  });
});

describe('trusted modules', () => {
  const trusted = (): boolean => true;

  test('memory, addresses, views', () => {
    const output = run(
      {
        'main.ts': `${IMPORT}
          import { addressOf, load8, load16, load32, load64, objectAt, offsetOf, sliceAt, store32, store8, stringAt, slice64At } from 'palindrome/intrinsics';
          class Pair { a: u32 = 1; b: u64 = 2n; c: u8 = 3; d: string = 'text'; }
          const bytes = new Uint8Array(16);
          const pair = new Pair();
          const at = addressOf(bytes);
          store8(at + 1n, 0x12);
          store32(at + 4n, 0xdeadbeef);
          printNumber(bytes[1] + bytes[4]); print(' ');
          printNumber(load32(at)); print(' ');
          printNumber(load64(at)); print(' ');
          printNumber(load16(at + 4n)); print(' ');
          printNumber(offsetOf<Pair>('b')); printNumber(offsetOf<Pair>('c')); printNumber(offsetOf<Pair>('d')); printNumber(sizeOf<Pair>()); print(' ');
          const same = objectAt<Pair>(addressOf(pair));
          same.b = 77n;
          printNumber(pair.b); print(' ');
          printNumber(load8(addressOf(pair.d))); print(stringAt(addressOf(pair.d), 2n)); print(' ');
          printNumber(sliceAt(at + 4n, 2n)[1]); print(' ');
          printNumber(slice64At(at, 2n).length);`,
      },
      trusted,
    );
    expect(output).toBe('257 4608 16045690981097411072 48879 8162440 77 116te 190 2');
  });

  test('assembly calls, and is called', () => {
    const output = run(
      {
        'main.ts': `${IMPORT}
          import { assembly, asm, symbol, load64, functionAt } from 'palindrome/intrinsics';
          assembly(\`
          .section .text
          .global add_in_assembly
          add_in_assembly:
            lea rax, [rdi + rsi]
            ret
          .global call_back
          call_back:
            sub rsp, 8
            mov rdi, 20
            call times_two
            add rsp, 8
            ret
          .section .data
          .global answer
          answer: .quad 42
          \`);
          /** @extern add_in_assembly */
          declare function add(a: u64, b: u64): u64;
          /** @extern call_back */
          declare function callBack(): u64;
          /** @export times_two */
          function timesTwo(x: u64): u64 { return x * 2n; }
          printNumber(add(40n, 2n)); print(' ');
          printNumber(callBack()); print(' ');
          printNumber(load64(symbol('answer'))); print(' ');
          printNumber(asm('lea rax, [rdi + rsi * 2]', { rdi: 1n, rsi: 5 }, 'rax')); print(' ');
          printNumber(asm(\`
            xor eax, eax
          again:
            add rax, rcx
            dec rcx
            jnz again\`, { rcx: 4 }, 'rax')); print(' ');
          const f = functionAt<(a: u64, b: u64) => u64>(symbol('add_in_assembly'));
          printNumber(f(1n, 2n));`,
      },
      trusted,
    );
    expect(output).toBe('42 40 42 11 10 3');
  });

  test('what asm clobbers is saved around it', () => {
    const output = run(
      {
        'main.ts': `${IMPORT}
          import { asm } from 'palindrome/intrinsics';
          function f(a: u64, b: u64, c: u64, d: u64, e: u64): u64 {
            const sum = a + b;
            asm('mov rdi, 0\\nmov rsi, 0\\nmov rdx, 0\\nmov rcx, 0\\nmov r8, 0\\nmov r9, 0\\nmov r10, 0\\nmov r11, 0\\nmov rax, 0');
            return sum + c * 10n + d * 100n + e * 1000n + a;
          }
          printNumber(f(1n, 2n, 3n, 4n, 5n));`,
      },
      trusted,
    );
    expect(output).toBe('5434');
  });
});

describe('layouts', () => {
  test('classes, module-level variables and constants by name', () => {
    const source = `
      class Point { x: i32 = 0; y: i32 = 0; }
      class Shape { readonly corner = new Point(); next: Shape | null = null; readonly bytes = new Uint8Array(8); name: string = ''; maybe: u64 | null = null; }
      const shape = new Shape();
      const all = array(3, () => new Point());
      let count: u32 = 5;
      const LIMIT = 12;
      count += u32(LIMIT) + u32(all.length);
      shape.next = shape;`;
    const { layouts } = compile({ entry: 'a.ts' }, new Map([['a.ts', source]]));
    expect(layouts.classes.find((c) => c.name === 'Shape')).toEqual({
      name: 'Shape',
      size: 56,
      alignment: 8,
      fields: [
        { name: 'corner', offset: 0, size: 8, type: { kind: 'class', name: 'Point' } },
        { name: 'next', offset: 8, size: 8, type: { kind: 'reference', to: 'Shape' } },
        { name: 'bytes', offset: 16, size: 8, type: { kind: 'array', element: { kind: 'int', width: 8, signed: false }, length: 8 } },
        { name: 'name', offset: 24, size: 16, type: { kind: 'string' } },
        { name: 'maybe', offset: 40, size: 16, type: { kind: 'int', width: 64, signed: false } },
      ],
    });
    expect(layouts.globals).toContainEqual({ symbol: 'shape', name: 'shape', type: { kind: 'class', name: 'Shape' } });
    expect(layouts.globals).toContainEqual({
      symbol: 'all',
      name: 'all',
      type: { kind: 'array', element: { kind: 'class', name: 'Point' }, length: 3 },
    });
    expect(layouts.globals).toContainEqual({ symbol: 'count', name: 'count', type: { kind: 'int', width: 32, signed: false } });
    expect(layouts.constants['LIMIT']).toBe('12');
  });
});

describe('images', () => {
  test('the same source gives the same bytes', () => {
    const files = new Map([['a.ts', `${IMPORT} class C { x = 1; } const c = new C(); print('x'); printNumber(c.x);`]]);
    const [first, second] = [1, 2].map(() => compile({ entry: 'a.ts' }, files).image);
    expect(first).toEqual(second);
  });

  test('constant tables are read-only, zero bytes take no room', () => {
    const files = new Map([
      [
        'a.ts',
        `${IMPORT} const T: readonly u32[] = [1, 2, 3]; const big = new Uint8Array(1 << 20); big[T[0]] = 1; printNumber(big.length);`,
      ],
    ]);
    const { image, symbols } = compile({ entry: 'a.ts' }, files);
    expect(symbols.find((s) => s.name === 'T')?.section).toBe('.rodata');
    expect(symbols.find((s) => s.name === 'big')?.section).toBe('.bss');
    expect(image === null ? 0 : image.length).toBeLessThan(40_000);
    expect(image === null ? null : readElf(image, 'a.ts').symbols.length).toBeGreaterThan(3);
  });

  test('system call numbers of the library are those of the table', () => {
    const numbers = new Map(SYSCALLS.map((s) => [s.name, s.number]));
    const text = compileNumbers();
    for (const [name, number] of text) if (numbers.has(name)) expect([name, number]).toEqual([name, numbers.get(name)]);
    expect(text.filter(([name]) => numbers.has(name)).length).toBeGreaterThan(15);
  });
});

/** `NR` of program.ts, and the numbers that its calls use. */
function compileNumbers(): [string, number][] {
  const source = readLibrary();
  const table = /export const NR = \{([^}]*)\}/.exec(source)?.[1] ?? '';
  return [...table.matchAll(/(\w+): (\d+)n/g)].map((m) => [m[1] ?? '', Number(m[2])]);
}

function readLibrary(): string {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  return readFileSync(new URL('../../../src/compiler/library/program.ts', import.meta.url), 'utf8');
}
