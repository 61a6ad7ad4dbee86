/** Every diagnostic of the table, on its line. `// error: P1234` marks the guilty line; nothing else may be reported. */

import { describe, expect, test } from 'vitest';
import { compile } from '../../../src/compiler/compile.ts';
import { DIAGNOSTICS, formatDiagnostic } from '../../../src/compiler/diagnostics.ts';

interface Case {
  readonly name: string;
  /** Files by path; the entry is `main.ts`. */
  readonly files: ReadonlyMap<string, string>;
  readonly trusted: boolean;
}

/** A source, or several: a line `// file: other.ts` starts another. */
function source(name: string, text: string, trusted = false): Case {
  const files = new Map<string, string>();
  let path = 'main.ts';
  let lines: string[] = [];
  for (const line of text.replace(/^\n/, '').split('\n')) {
    const next = /^\s*\/\/ file: (\S+)/.exec(line)?.[1];
    if (next === undefined) {
      lines.push(line);
      continue;
    }
    files.set(path, lines.join('\n'));
    path = next;
    lines = [];
  }
  files.set(path, lines.join('\n'));
  return { name, files, trusted };
}

const trusted = (name: string, text: string): Case => source(name, text, true);

const CASES: readonly Case[] = [
  source('syntax', 'const x = ; // error: P1001'),
  source('enum', 'enum Colour { Red } // error: P1002'),
  source('namespace', 'namespace N {} // error: P1002'),
  source('throw', 'function f(): void {\n  throw 1; // error: P1002\n}'),
  source('try', 'function f(): void {\n  try { f(); } catch {} // error: P1002\n}'),
  source('array literal in a function', 'function f(): void {\n  const a = [1, 2]; // error: P1002\n}'),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the source has a template
  source('template with holes', 'function f(x: i32): string {\n  return `a${x}`; // error: P1002\n}'),
  source('async', 'async function f(): Promise<void> {} // error: P1002'),
  source('default export', 'export default 5; // error: P1002'),
  source('loose equality', 'function f(a: i32): boolean {\n  return a == 5; // error: P1003\n}'),
  source('loose inequality', 'function f(a: i32): boolean {\n  return a != 5; // error: P1003\n}'),
  source('var', 'function f(): void {\n  var x = 1; // error: P1004\n}'),
  source('no initialiser and no type', 'function f(): void {\n  let x; // error: P1005\n}'),
  source('destructuring', 'interface P { x: i32 }\nfunction f(p: P): i32 {\n  const { x } = p; // error: P1006\n  return 1;\n}'),
  source(
    'alignment',
    '/** @align 3 */ // error: P1007\nconst a = new Uint8Array(4);'
      .replace(' // error: P1007\nconst', '\nconst')
      .replace('(4);', '(4); // error: P1007'),
  ),

  source('unknown name', 'const x = y + 1; // error: P1101'),
  source('unknown type', 'function f(x: Foo): void {} // error: P1101'),
  source('unknown module', "import { a } from './none.ts'; // error: P1102"),
  source('not exported', "import { a } from './other.ts'; // error: P1103\nconst b = a;\n// file: other.ts\nconst a = 1;"),
  source('intrinsics', "import { load8 } from 'palindrome/intrinsics'; // error: P1104"),
  source('declared twice', 'const a = 1;\nconst a = 2; // error: P1105'),
  source('declared twice in a function', 'function f(): void {\n  const a = 1;\n  const a = 2; // error: P1105\n}'),
  source('before its initialiser', 'const a = f(b); // error: P1106\nconst b = f(1);\nfunction f(x: i32): i32 {\n  return x;\n}'),
  source('default import', "import x from './other.ts'; // error: P1002\n// file: other.ts\nexport const b = 1;"),
  source('parameter property', 'class C {\n  constructor(private x: i32) {} // error: P1002\n}'),
  source('this parameter', 'function f(this: i32): void {} // error: P1002'),
  source('dispose of something else', 'const Other = { dispose: 1 } as const;\nclass C {\n  [Other.dispose](): void {} // error: P1002\n}'),
  source('declared variable', 'declare const x: i32; // error: P1002'),
  source('unknown type in an interface', 'interface P {\n  x: Nope; // error: P1101\n}'),
  source('optional field', 'class C {\n  x?: i32; // error: P1002\n}'),
  source('generator method', 'class C {\n  *m(): void {} // error: P1002\n}'),
  source(
    'getter of an owned value',
    'class O {\n  x = 1;\n  [Symbol.dispose](): void {}\n}\nclass C {\n  x = 1;\n  get o(): O {\n    return new O();\n  }\n}\nfunction f(c: C): void {\n  using o = c.o; // error: P1002\n}',
  ),
  source('nested too deeply', `const x = ${'('.repeat(20_000)}1${')'.repeat(20_000)}; // error: P1008`),
  source('no body', 'declare function f(): void; // error: P1107'),
  source('symbol twice', '/** @export same */\nfunction a(): void {}\n/** @export same */\nfunction b(): void {} // error: P1108'),
  source('class as a value', 'class C {}\nconst x = C; // error: P1109'),
  source('value as a type', 'const x = 1;\nfunction f(a: x): void {} // error: P1110'),

  source('number', 'function f(x: number): void {} // error: P1201'),
  source('brand of null', "type Known = (u8 | null) & { readonly brand: 'known' }; // error: P1201"),
  source(
    'brand of a name for what may be null',
    "type Maybe = u8 | null;\ntype Known = Maybe & { readonly brand: 'known' }; // error: P1201\nfunction f(): Known | null {\n  return null;\n}\nf();",
  ),
  source('bigint', 'let x: bigint = 5n; // error: P1201'),
  source('union', 'function f(x: i32 | string): void {} // error: P1202'),
  source('type arguments', 'class Box<T> {\n  v: T | null = null;\n}\nfunction f(x: Box<i32, u8>): void {} // error: P1203'),
  source('inference', 'function f<T>(): void {}\nf(); // error: P1204'),
  source(
    'bound',
    'interface HasArea {\n  area(): i32;\n}\nclass C {}\nconst c = new C();\nfunction f<T extends HasArea>(x: T): i32 {\n  return x.area();\n}\nconst n = f(c); // error: P1205',
  ),
  source(
    'types without end',
    'class Box<T> {\n  v: T | null = null;\n}\nfunction f<T>(n: i32): i32 { // error: P1210\n  return n === 0 ? 0 : f<Box<T>>(n - 1);\n}\nconst x = f<i32>(3);',
  ),
  source('parameter without type', 'function f(x): void {} // error: P1206'),
  source('type of itself', 'const a = b; // error: P1207\nconst b = a; // error: P1207'),
  source('contains itself', 'class C { // error: P1208\n  readonly c: C = new C();\n}'),
  source(
    'interface with methods',
    'interface HasArea {\n  area(): i32;\n}\nfunction f(): void {\n  const x: HasArea = { area: 1 }; // error: P1209\n}',
  ),

  source('constant too large', 'const x: u8 = 256; // error: P1301'),
  source('negative constant', 'let x: u32 = -1; // error: P1301'),
  source('narrowing', 'function f(x: i32): u8 {\n  return x; // error: P1302\n}'),
  source('number for bigint', 'let x: u64 = 5; // error: P1302'),
  source('string for number', "function f(): i32 {\n  return 'a'; // error: P1302\n}"),
  source('null for a class', 'class C {}\nfunction f(): C {\n  return null; // error: P1302\n}'),
  source('mixed signs', 'function f(a: i32, b: u32): i32 {\n  return a + b; // error: P1303\n}'),
  source('mixed widths', 'function f(a: u64, b: i64): u64 {\n  return a * b; // error: P1303\n}'),
  source('joining strings', 'function f(a: string, b: string): string {\n  return a + b; // error: P1303\n}'),
  source('division', 'function f(a: i32, b: i32): i32 {\n  return a / b; // error: P1304\n}'),
  source('negating unsigned', 'function f(a: u64): u64 {\n  return -a; // error: P1304\n}'),
  source('condition', 'function f(a: i32): i32 {\n  if (a) return 1; // error: P1305\n  return 0;\n}'),
  source('constant division by zero', 'const x = 5 % 0; // error: P1306'),
  source('constant overflow', 'const A: u64 = 0xffffffffffffffffn;\nconst x = A + 1n; // error: P1306'),
  source('argument count', 'function f(a: i32): void {}\nf(1, 2); // error: P1307'),
  source('case', 'function f(a: i32, b: i32): void {\n  switch (a) {\n    case b: // error: P1308\n      return;\n  }\n}'),
  source('const', 'function f(): void {\n  const a = 1;\n  a = 2; // error: P1309\n}'),
  source('readonly field', 'class C {\n  readonly a: i32 = 1;\n}\nfunction f(c: C): void {\n  c.a = 2; // error: P1309\n}'),
  source('readonly element', 'function f(a: readonly i32[]): void {\n  a[0] = 2; // error: P1309\n}'),
  source('not a function', 'function f(a: i32): void {\n  a(); // error: P1310\n}'),
  source('as', 'function f(a: i32): u8 {\n  return a as u8; // error: P1311\n}'),
  source(
    'brand elsewhere',
    "import { type Page } from './page.ts';\nfunction f(a: u64): Page {\n  return a as Page; // error: P1312\n}\n// file: page.ts\nexport type Page = u64 & { readonly brand: 'Page' };",
  ),
  source('unused result', 'function f(a: i32): void {\n  a + 1; // error: P1313\n}'),

  source('may be null', 'class C {\n  x = 1;\n}\nfunction f(c: C | null): i32 {\n  return c.x; // error: P1401\n}'),
  source('null argument', 'class C {}\nfunction g(c: C): void {}\nfunction f(c: C | null): void {\n  g(c); // error: P1401\n}'),
  source(
    'null again behind assignment',
    'class C {\n  next: C | null = null;\n  x = 1;\n}\nfunction f(c: C | null): i32 {\n  let at = c;\n  if (at === null) return 0;\n  at = at.next;\n  return at.x; // error: P1401\n}',
  ),
  source(
    'null in a loop',
    'class C {\n  next: C | null = null;\n  x = 1;\n}\nfunction f(c: C): i32 {\n  let at: C | null = c;\n  for (let i = 0; i < 3; i++) {\n    at = at.next; // error: P1401\n  }\n  return 0;\n}',
  ),
  source('non-null assertion', 'class C {\n  x = 1;\n}\nfunction f(c: C | null): i32 {\n  return c!.x; // error: P1402\n}'),
  source(
    'never null',
    'class C {\n  self(): C {\n    return this;\n  }\n}\nfunction f(c: C): boolean {\n  return c.self() === null; // error: P1403\n}',
  ),

  source('no member', 'class C {\n  a = 1;\n}\nfunction f(c: C): i32 {\n  return c.b; // error: P1501\n}'),
  source('private', 'class C {\n  #a = 1;\n  private b = 2;\n}\nfunction f(c: C): i32 {\n  return c.b; // error: P1502\n}'),
  source('private method', 'class C {\n  private m(): void {}\n}\nfunction f(c: C): void {\n  c.m(); // error: P1502\n}'),
  source('inheritance', 'class A {}\nclass B extends A {} // error: P1503'),
  source(
    'private constructor',
    'class C {\n  a = 1;\n  private constructor() {}\n}\nfunction f(): void {\n  const c = new C(); // error: P1504\n}',
  ),
  source('this', 'function f(): i32 {\n  return this.x; // error: P1505\n}'),
  source('capture', 'function f(n: i32): void {\n  const g = (x: i32): i32 => x + n; // error: P1506\n}'),
  source('missing field', 'interface P { x: i32; y: i32 }\nconst p: P = { x: 1 }; // error: P1507'),
  source('literal without type', 'function f(): void {\n  const p = { x: 1 }; // error: P1508\n}'),
  source('in place without readonly', 'class D {\n  x = 1;\n}\nclass C {\n  d = new D(); // error: P1509\n}'),

  source('field without value', 'class D {\n  x = 1;\n}\nclass C {\n  d: D;\n}\nconst c = new C(); // error: P1510'),
  source('unused import that is not there', "import { a } from './other.ts'; // error: P1103\n// file: other.ts\nexport const b = 1;"),

  source('returning a frame object', 'class C {\n  x = 1;\n}\nfunction f(): C {\n  const c = new C();\n  return c; // error: P1601\n}'),
  source(
    'returning a frame slice',
    'function f(): Uint8Array {\n  const b = new Uint8Array(8);\n  return b.subarray(2); // error: P1601\n}',
  ),
  source(
    'storing a frame object',
    'class C {\n  next: C | null = null;\n}\nconst root = new C();\nfunction f(): void {\n  const c = new C();\n  root.next = c; // error: P1601\n}',
  ),
  source(
    'a frame object in a module variable',
    'class C {\n  x = 1;\n}\nlet kept: C | null = null;\nfunction f(): void {\n  kept = new C(); // error: P1601\n}',
  ),
  source(
    'a frame object kept by a callee',
    'class C {\n  x = 1;\n}\nlet kept: C | null = null;\nfunction keep(c: C): void {\n  kept = c;\n}\nfunction through(c: C): void {\n  keep(c);\n}\nfunction f(): void {\n  const c = new C();\n  through(c); // error: P1602\n}',
  ),
  source(
    'a frame object kept through a function value',
    'class C {\n  x = 1;\n}\nlet kept: C | null = null;\nfunction keep(c: C): void {\n  kept = c;\n}\nfunction f(g: (c: C) => void): void {\n  const c = new C();\n  g(c); // error: P1602\n}\nf(keep);',
  ),
  source(
    'a frame object kept through a function value of a wider type',
    'class C {\n  x = 1;\n}\nlet kept: C | null = null;\nfunction keep(c: C): void {\n  kept = c;\n}\ntype Two = (c: C, n: i32) => void;\nconst two: Two = keep;\nfunction f(g: Two): void {\n  const c = new C();\n  g(c, 1); // error: P1602\n}\nf(two);',
  ),
  source(
    'an owned value that is kept and moved',
    'class O {\n  x = 1;\n  [Symbol.dispose](): void {}\n}\nclass Holder {\n  o: O | null = null;\n}\nfunction make(h: Holder): O {\n  const o = new O();\n  h.o = o; // error: P1601\n  return o;\n}',
  ),
  source(
    'a frame object that goes out within an owned value',
    'class D {\n  x = 1;\n}\nclass O {\n  readonly d: D;\n  constructor(d: D) {\n    this.d = d;\n  }\n  [Symbol.dispose](): void {}\n}\nfunction make(): O {\n  const d = new D();\n  return new O(d); // error: P1602\n}\nfunction moved(): O {\n  const d = new D();\n  const o = new O(d); // error: P1602\n  return o;\n}',
  ),
  source(
    'a frame object returned by a callee',
    'class C {\n  x = 1;\n}\nfunction same(c: C): C {\n  return c;\n}\nfunction f(): C {\n  const c = new C();\n  return same(c); // error: P1601\n}',
  ),
  source(
    'an object of a turn of the loop',
    'class C {\n  x = 1;\n}\nfunction f(): i32 {\n  let last: C | null = null;\n  for (let i = 0; i < 3; i++) {\n    last = new C(); // error: P1601\n  }\n  return last === null ? 0 : last.x;\n}',
  ),
  source(
    'dropped owned value',
    'class O {\n  x = 1;\n  [Symbol.dispose](): void {}\n}\nfunction make(): O {\n  return new O();\n}\nfunction f(): void {\n  make(); // error: P1603\n}',
  ),
  source(
    'owned value as an argument',
    'class O {\n  x = 1;\n  [Symbol.dispose](): void {}\n}\nfunction make(): O {\n  return new O();\n}\nfunction g(o: O): void {}\nfunction f(): void {\n  g(make()); // error: P1603\n}',
  ),
  source(
    'reference to an owned class',
    'class O {\n  x = 1;\n  [Symbol.dispose](): void {}\n}\nfunction f(o: O): O {\n  return o; // error: P1604\n}',
  ),
  source('using what is not owned', 'class C {\n  x = 1;\n}\nfunction f(): void {\n  using c = new C(); // error: P1605\n}'),
  source(
    'returning what using binds',
    'class O {\n  x = 1;\n  [Symbol.dispose](): void {}\n}\nfunction f(): O {\n  using o = new O();\n  return o; // error: P1606\n}',
  ),
  source('size that is not constant', 'function f(n: i32): void {\n  const b = new Uint8Array(n); // error: P1607\n}'),
  source('large frame', 'function f(): void {\n  const b = new Uint8Array(100000); // error: P1608\n}'),

  source('no return', 'function f(x: i32): i32 { // error: P1701\n  if (x > 0) return 1;\n}'),
  source('break', 'function f(): void {\n  break; // error: P1702\n}'),
  source('label', 'function f(): void {\n  for (;;) {\n    break outer; // error: P1703\n  }\n}'),
  source(
    'case twice',
    'function f(x: i32): void {\n  switch (x) {\n    case 1:\n      return;\n    case 1: // error: P1704\n      return;\n  }\n}',
  ),
  source('read before assignment', 'function f(a: boolean): i32 {\n  let x: i32;\n  if (a) x = 1;\n  return x; // error: P1705\n}'),
  source('empty return', 'function f(): i32 {\n  return; // error: P1706\n}'),
  source('value of a void function', 'function f(): void {\n  return 5; // error: P1707\n}'),

  trusted(
    'intrinsic as a value',
    "import { load8 } from 'palindrome/intrinsics';\nfunction f(): void {\n  const g = load8; // error: P1801\n}",
  ),
  trusted(
    'bad assembly',
    "import { asm } from 'palindrome/intrinsics';\nfunction f(): void {\n  asm('frobnicate rax'); // error: P1802\n}\nf();",
  ),
  trusted(
    'bad register',
    "import { asm } from 'palindrome/intrinsics';\nfunction f(): void {\n  asm('nop', {}, 'eax'); // error: P1803\n}",
  ),
  source('assembly functions elsewhere', '/** @extern f */\ndeclare function f(): void; // error: P1806'),
  source('sections elsewhere', '/** @section .mine */\nconst x = new Uint8Array(8); // error: P1806'),
  trusted('undefined symbol', '/** @extern nowhere */ // error: P1804\ndeclare function f(): void;\nf();'),
];

/** Codes that no source shows yet, each with the reason. */
function expected({ files }: Case): string[] {
  const found: string[] = [];
  for (const [path, text] of files) {
    for (const [i, line] of text.split('\n').entries()) {
      const codes = /\/\/ error: ([P\d ]+)/.exec(line)?.[1]?.trim().split(' ') ?? [];
      for (const code of codes) found.push(`${path}:${i + 1} ${code}`);
    }
  }
  return found.sort();
}

describe('diagnostics', () => {
  for (const each of CASES) {
    test(each.name, () => {
      const { image, diagnostics } = compile({ entry: 'main.ts', trusted: () => each.trusted }, each.files);
      expect(diagnostics.map((d) => `${d.file}:${d.line} ${d.code}`).sort()).toEqual(expected(each));
      expect(image).toBeNull();
    });
  }

  test('every code of the table has a source here', () => {
    const shown = new Set(CASES.flatMap((each) => expected(each).map((e) => e.split(' ')[1])));
    const missing = Object.keys(DIAGNOSTICS).filter((code) => !shown.has(code));
    expect(missing).toEqual([]);
  });

  test('shows the line, a caret and what helps', () => {
    const text = 'function f(x: i32): u8 {\n\treturn x + 1;\n}\n';
    const { diagnostics } = compile({ entry: 'a/b.ts' }, new Map([['a/b.ts', text]]));
    expect(diagnostics.map((d) => formatDiagnostic(d)).join('')).toBe(
      [
        'a/b.ts:2:9: error P1302: a value of type i32 does not go where u8 is wanted',
        '  \treturn x + 1;',
        '  \t       ^^^^^',
        '  help: convert it: u8(…) traps if it does not fit, wrapping.u8(…) truncates',
        '',
      ].join('\n'),
    );
  });

  test('goes on behind an error: each is reported once', () => {
    const text = 'function f(a: i32): void {\n  const x = nope;\n  const y = x + 1;\n  const z: u8 = a;\n  print(z);\n}\n';
    const { diagnostics } = compile({ entry: 'a.ts' }, new Map([['a.ts', text]]));
    expect(diagnostics.map((d) => `${d.line} ${d.code}`)).toEqual(['2 P1101', '4 P1302', '5 P1101']);
  });
});
