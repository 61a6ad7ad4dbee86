import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { loadSaboteur, saboteurNames } from '../../src/fuzz/campaign/saboteur.ts';
import { INVARIANTS } from '../../src/fuzz/invariants/all.ts';

const folder = mkdtempSync(join(tmpdir(), 'palindrome-saboteur-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (text: string): string => {
  const path = join(folder, 'one.json');
  writeFileSync(path, text);
  return path;
};

it.each(saboteurNames())('%s is well-formed and breaks invariants that are judged', (name) => {
  const saboteur = loadSaboteur(name);
  expect(saboteur.name).toBe(name);
  for (const id of saboteur.breaks) expect(INVARIANTS.map((invariant) => invariant.id)).toContain(id);
});

it('every invariant has a saboteur', () => {
  const broken = new Set(saboteurNames().flatMap((name) => loadSaboteur(name).breaks));
  expect(INVARIANTS.filter(({ id }) => !broken.has(id)).map(({ id }) => id)).toEqual([]);
});

it.each([
  ['no such file', 'nowhere', /no such file or name; names: /],
  ['no JSON', file('{'), /not JSON/],
])('%s is one line for the user', (_what, path, message) => {
  expect(() => loadSaboteur(path)).toThrow(message);
});

it.each([
  ['[]', /the file must be an object/],
  ['{"name":"x","because":"y","breaks":[],"edits":[]}', /"edits" must be a list/],
  ['{"name":"x","because":"y","breaks":[],"edits":[{"file":"a","text":"t","replacement":[]}]}', /"text" of edit 1 must be a list of texts/],
  ['{"because":"y","breaks":[],"edits":[{}]}', /"name" must be a text/],
])('%s names what is missing', (text, message) => {
  expect(() => loadSaboteur(file(text))).toThrow(message);
});
