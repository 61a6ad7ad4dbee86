/** What must trap, traps: behind what it printed before, with its cause and place in the trap table. */

import { describe, expect, test } from 'vitest';
import { readElf } from '../../../src/compiler/image/read-elf.ts';
import type { TrapCode } from '../../../src/compiler/ir/trap-codes.ts';
import { compileOrThrow, runNatively } from './judge.ts';

interface Case {
  readonly name: string;
  /** As the trap table says. */
  readonly kind: TrapCode;
  /** Declarations. */
  readonly context?: string;
  /** Statements of a function with the parameters below; one of them traps. */
  readonly body: string;
}

const PARAMETERS = 'zero: i32, one: i32, big: i32, least: i32, wide: u64, signed: i64, bytes: Uint8Array';
const ARGUMENTS = '0, 1, 2147483647, -2147483648, 18446744073709551615n, -9223372036854775808n, new Uint8Array(4)';

const CASES: readonly Case[] = [
  { name: 'i32 +', kind: 'overflow', body: 'show(big + one);' },
  { name: 'i32 -', kind: 'overflow', body: 'show(least - one);' },
  { name: 'i32 *', kind: 'overflow', body: 'show(big * big);' },
  { name: 'i32 negation', kind: 'overflow', body: 'show(-least);' },
  { name: 'i32 ++', kind: 'overflow', body: 'let x = big;\n  x++;\n  show(x);' },
  { name: 'i32 +=', kind: 'overflow', body: 'let x = big;\n  x += one;\n  show(x);' },
  { name: 'u32 -', kind: 'overflow', body: 'show(u32(zero) - u32(one));' },
  { name: 'u32 *', kind: 'overflow', body: 'show(u32(big) * u32(big));' },
  { name: 'u64 +', kind: 'overflow', body: 'show(wide + u64(one));' },
  { name: 'u64 -', kind: 'overflow', body: 'show(u64(zero) - u64(one));' },
  { name: 'u64 *', kind: 'overflow', body: 'show(wide * (wide - 1n));' },
  { name: 'i64 -', kind: 'overflow', body: 'show(signed - i64(one));' },
  { name: 'i64 negation', kind: 'overflow', body: 'show(-signed);' },
  { name: 'i64 *', kind: 'overflow', body: 'show(signed * i64(big));' },
  {
    name: 'u8 ++ of a field',
    kind: 'conversion',
    context: 'class C {\n  x: u8 = 255;\n}\nconst c = new C();',
    body: 'c.x++;\n  show(c.x);',
  },
  {
    name: 'i16 -= of an element',
    kind: 'conversion',
    context: 'const a = new Int16Array(2);',
    body: 'a[1] = -32768;\n  a[1] -= one;\n  show(a[1]);',
  },
  { name: 'div by zero', kind: 'divide', body: 'show(div(big, zero));' },
  { name: 'div overflow', kind: 'overflow', body: 'show(div(least, zero - one));' },
  { name: '% zero', kind: 'divide', body: 'show(big % zero);' },
  { name: 'u64 / zero', kind: 'divide', body: 'show(wide / u64(zero));' },
  { name: 'i64 % zero', kind: 'divide', body: 'show(signed % i64(zero));' },
  { name: 'i64 / overflow', kind: 'overflow', body: 'show(signed / i64(zero - one));' },
  { name: 'index at the length', kind: 'bounds', body: 'show(bytes[one * 4]);' },
  { name: 'negative index', kind: 'bounds', body: 'show(bytes[zero - one]);' },
  { name: 'store out of bounds', kind: 'bounds', body: 'bytes[big] = 1;' },
  { name: 'idx', kind: 'conversion', body: 'show(bytes[idx(wide)]);' },
  {
    name: 'index into objects',
    kind: 'bounds',
    context: 'class C {\n  x = 1;\n}\nconst all = array(3, () => new C());',
    body: 'show(all[one * 3].x);',
  },
  { name: 'charCodeAt', kind: 'bounds', body: "show('abc'.charCodeAt(one * 3));" },
  { name: 'subarray end', kind: 'bounds', body: 'show(bytes.subarray(zero, one * 5).length);' },
  { name: 'subarray backwards', kind: 'bounds', body: 'show(bytes.subarray(one * 3, one).length);' },
  { name: 'set too long', kind: 'bounds', body: 'bytes.set(bytes.subarray(0, 3), one * 2);' },
  { name: 'fill out of range', kind: 'bounds', body: 'bytes.fill(1, zero, one * 5);' },
  { name: 'u8 of 256', kind: 'conversion', body: 'show(u8(one * 256));' },
  { name: 'u8 of -1', kind: 'conversion', body: 'show(u8(zero - one));' },
  { name: 'i32 of a large u64', kind: 'conversion', body: 'show(i32(wide));' },
  { name: 'u64 of a negative', kind: 'conversion', body: 'show(u64(signed));' },
  { name: 'i64 of a large u64', kind: 'conversion', body: 'show(i64(wide));' },
  { name: 'i32 of a large double', kind: 'conversion', body: 'show(i32(f64(big) * 2.0));' },
  { name: 'u8 of a negative double', kind: 'conversion', body: 'show(u8(f64(least)));' },
  { name: 'i32 of NaN', kind: 'conversion', body: 'show(i32(f64(zero) / f64(zero)));' },
  { name: 'u64 <<', kind: 'shift', body: 'show(wide << u64(one));' },
  { name: 'u64 << 64', kind: 'shift', body: 'show(u64(one) << 64n + u64(zero));' },
  { name: 'i64 <<', kind: 'shift', body: 'show(i64(big) << 40n);' },
  { name: 'assert', kind: 'assertion', body: 'assert(one === zero);' },
  { name: 'unreachable', kind: 'unreachable', body: 'if (one > zero) unreachable();' },
  {
    name: 'a path that has become null',
    kind: 'null',
    context: 'class C {\n  next: C | null = null;\n  x = 1;\n}\nconst c = new C();\nfunction clear(): void {\n  c.next = null;\n}',
    body: 'c.next = c;\n  if (c.next !== null) {\n    clear();\n    show(c.next.x);\n  }',
  },
];

describe('traps', () => {
  for (const { name, kind, context = '', body } of CASES) {
    test(name, () => {
      const head = [
        "import { print, printNumber } from 'palindrome/program';",
        'function show<T extends integer>(x: T): void {\n  printNumber(x);\n  print(" not trapped");\n}',
        context,
        `function run(${PARAMETERS}): void {`,
        `  print('before');`,
      ].join('\n');
      const tail = [`  if (bytes[0] === 200) print('x');`, '}', `run(${ARGUMENTS});`, "print(' behind');"].join('\n');
      const image = compileOrThrow('trap.ts', new Map([['trap.ts', `${head}\n  ${body}\n${tail}`]]));
      const first = head.split('\n').length + 1;
      const last = first + body.split('\n').length - 1;
      const traps = readElf(image, name)
        .traps()
        .filter((t) => t.file === 'trap.ts' && t.line >= first && t.line <= last);
      expect(traps.map((t) => t.kind)).toContain(kind);
      const { output, trap } = runNatively(image);
      expect({ output, trap }).toEqual({ output: 'before', trap: 'SIGILL' });
    });
  }
});
