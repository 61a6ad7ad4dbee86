/**
 * The grammar's words: an *act* is a few statements of bare TypeScript that try one thing; a *program* is a list of acts, run one after
 * the other by one process beside the victim. Acts are fast-check arbitraries, so that a program shrinks to the acts, and the acts to the
 * values, that a finding needs.
 */
import fc from 'fast-check';

export interface Act {
  /** What it tries, in a few words; stands as a comment above it. */
  readonly tries: string;
  /** Statements. They may use what PRELUDE declares. */
  readonly lines: readonly string[];
}

export type ActArbitrary = fc.Arbitrary<Act>;

/** How many results of calls a program keeps, by name `r0` … */
export const RESULTS = 6;

/**
 * What every program begins with. `scratch` is its memory to play with (four pages, the first page-aligned), `r0` … the latest results,
 * `ALL` the argument -1.
 */
const PRELUDE = `import { addressOf, asm, load64, load8, store64, store8, syscall } from 'palindrome/intrinsics';

/** @align 4096 */
const scratch = new Uint8Array(16384);
const base: u64 = addressOf(scratch);
const ALL: u64 = 0xffffffffffffffffn;
${Array.from({ length: RESULTS }, (_, n) => `let r${n}: i64 = 0n;`).join('\n')}

function touch(address: u64): u64 {
  return load64(address);
}
function poke(address: u64, value: u64): void {
  store64(address, value);
}
function peekByte(address: u64): u8 {
  return load8(address);
}
function pokeByte(address: u64, value: u8): void {
  store8(address, value);
}
/** What user mode can see of a change: everything that the acts do not use is used here. */
function use(value: u64): void {
  poke(base + 16376n, value);
}
use(u64(peekByte(base)) + touch(base) + wrapping.u64(asm('mov rax, rdi', { rdi: ALL }, 'rax')));
pokeByte(base, 0);
`;

/** An act without choices. */
export const act = (tries: string, ...lines: string[]): Act => ({ tries, lines });

/** A program's source text. */
export function render(acts: readonly Act[]): string {
  const bodies = acts.map(
    ({ tries, lines }, n) =>
      `\n// ${n + 1}: ${tries}\nfunction act${n + 1}(): void {\n${lines.map((line) => `  ${line}\n`).join('')}}\nact${n + 1}();\n`,
  );
  return `${PRELUDE}${bodies.join('')}\nsyscall(231n, 0n);\n`;
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
export const literal = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}n`;

/** One of several, with weights. */
export const weighted = <T>(...choices: readonly (readonly [weight: number, arbitrary: fc.Arbitrary<T>])[]): fc.Arbitrary<T> =>
  fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));
