/**
 * The grammar's words: an *act* is a few statements of bare TypeScript that try one thing; a *program* is a list of acts, run one after
 * the other by one process beside the victim. Acts are fast-check arbitraries, so that a program shrinks to the acts, and the acts to the
 * values, that a finding needs.
 */
import fc from 'fast-check';

export interface Act {
  /** What it tries, in a few words; stands as a comment above it. */
  readonly tries: string;
  /** Statements of one block. They may use INTRINSICS and DECLARATIONS. */
  readonly lines: readonly string[];
}

export type ActArbitrary = fc.Arbitrary<Act>;

/** How many results of calls a program keeps, by name `r0` … */
export const RESULTS = 6;

/** The 64 bits that a program picks operands from, where its circumstances give no others: a pattern that stands nowhere else in it. */
export const USUAL_INPUT = 0x9e3d_5c0b_a7f1_6284n;

/** What a program may use of the trusted intrinsics; it imports those that it names. */
const INTRINSICS = ['addressOf', 'asm', 'load64', 'load8', 'store64', 'store8', 'syscall'];

/**
 * What acts may use without declaring it; a program declares what it names. `scratch` is its memory to play with (four pages, the first
 * page-aligned), `base` its address, `ALL` the argument -1, `put` stores a NUL-ended text, `r0` … are the latest results. `input` is what a run may have
 * in another form than the last.
 */
const DECLARATIONS: readonly { readonly name: string; readonly needs: readonly string[]; readonly text: string }[] = [
  { name: 'scratch', needs: ['base'], text: '/** @align 4096 */\nconst scratch = new Uint8Array(16384);\n' },
  { name: 'base', needs: ['put'], text: 'const base: u64 = addressOf(scratch);\n' },
  { name: 'input', needs: [], text: `let input: u64 = ${literal(USUAL_INPUT)};\n` },
  { name: 'ALL', needs: [], text: 'const ALL: u64 = 0xffffffffffffffffn;\n' },
  {
    name: 'put',
    needs: [],
    text: `function put(offset: u64, text: string): u64 {
  for (let n: i32 = 0; n < text.length; n++) store8(base + offset + u64(n), text.charCodeAt(n));
  store8(base + offset + u64(text.length), 0);
  return base + offset;
}
`,
  },
];

/** An act without choices. */
export const act = (tries: string, ...lines: string[]): Act => ({ tries, lines });

/** A program's source text: no more of it than its acts need, so that people read it at a glance. */
export function render(acts: readonly Act[]): string {
  const body = acts
    .map(({ tries, lines }, n) => `  { // ${n + 1}: ${tries}\n${lines.map((line) => `    ${line}\n`).join('')}  }\n`)
    .join('');
  const names = (text: string, name: string) => new RegExp(`\\b${name}\\b`).test(text);
  const used = new Set(DECLARATIONS.map(({ name }) => name).filter((name) => names(body, name)));
  for (const { name, needs } of [...DECLARATIONS].reverse()) if (needs.some((other) => used.has(other))) used.add(name);
  const declarations = DECLARATIONS.filter(({ name }) => used.has(name))
    .map(({ text }) => text)
    .join('');
  const results = Array.from({ length: RESULTS }, (_, n) => `r${n}`).filter((name) => names(body, name));
  const imports = INTRINSICS.filter((name) => name === 'syscall' || names(declarations + body, name));
  return `import { ${imports.join(', ')} } from 'palindrome/intrinsics';

${declarations === '' ? '' : `${declarations}\n`}function attack(): void {
${results.map((name) => `  let ${name}: i64 = 0n;\n`).join('')}${body}}
attack();
syscall(231n, 0n);
`;
}

/** The act in a child process of its own, which the parent waits for: what kills the child leaves the program going. */
export const inChild = (inner: ActArbitrary): ActArbitrary =>
  inner.map(({ tries, lines }) => ({
    tries: `in a child: ${tries}`,
    lines: [
      'if (syscall(57n) === 0n) {',
      ...lines.map((line) => `  ${line}`),
      '  syscall(231n, 7n);',
      '}',
      'syscall(61n, ALL, 0n, 0n, 0n);',
    ],
  }));

/** A 64-bit constant as a literal. */
export function literal(value: bigint): string {
  return `0x${BigInt.asUintN(64, value).toString(16)}n`;
}

/** One of several, with weights. */
export const weighted = <T>(...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
