/**
 * Programs with a few tokens exchanged: whatever the text, the compiler answers with diagnostics or a valid image, never with a failure of its
 * own.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compile } from '../../../src/compiler/compile.ts';

const folder = join(import.meta.dirname, '../programs');
const texts = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
const TOKEN = /\s+|[A-Za-z_$#][\w$]*|\d[\w.]*|'[^'\n]*'|===|!==|=>|&&|\|\||\?\?|\?\.|>>>|>>|<<|[-+*/%&|^<>=!]=|\+\+|--|./gs;
const programs = texts.map((text) => text.match(TOKEN) ?? []);

/** Tokens of one class may stand for each other and the text still parses, mostly. */
function classOf(token: string): string {
  if (/^[A-Za-z_$#]/.test(token)) return /^[a-z]{2,11}$/.test(token) && KEYWORDS.has(token) ? token : 'name';
  if (/^\d/.test(token)) return token.endsWith('n') ? 'bigint' : 'number';
  if (token.startsWith("'")) return 'string';
  return OPERATORS.has(token) ? 'operator' : token;
}

const KEYWORDS = new Set(
  'if else for while const let function class return import export from of new switch case break readonly static this null true false interface type as private get set using constructor continue do default extends implements typeof keyof'.split(
    ' ',
  ),
);
const OPERATORS = new Set(['+', '-', '*', '/', '%', '&', '|', '^', '<<', '>>', '>>>', '===', '!==', '<', '>', '<=', '>=']);

function mutate(program: number, changes: readonly (readonly [at: number, by: number])[]): string {
  const tokens = [...(programs[program % programs.length] ?? [])];
  const solid = tokens.flatMap((token, i) => (token.trim() === '' ? [] : [i]));
  for (const [at, by] of changes) {
    const index = solid[at % solid.length] ?? 0;
    const alike = solid.filter((i) => classOf(tokens[i] ?? '') === classOf(tokens[index] ?? ''));
    tokens[index] = tokens[alike[by % alike.length] ?? index] ?? '';
  }
  return tokens.join('');
}

test('whatever the text, the compiler answers', () => {
  let accepted = 0;
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(fc.nat(), changes, (program, list) => {
      const { image, diagnostics } = compile({ entry: 'm.ts', verify: true, debug: false }, new Map([['m.ts', mutate(program, list)]]));
      expect(image === null).toBe(diagnostics.length > 0);
      if (image !== null) accepted++;
    }),
    { seed: 4, numRuns: 600, endOnFailure: true },
  );
  expect(accepted).toBeGreaterThan(100);
});
