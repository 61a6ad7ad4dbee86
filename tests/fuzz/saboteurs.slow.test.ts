import { expect, it } from 'vitest';
import { buildKeel } from '../../src/compiler/index.ts';
import { generate } from '../../src/fuzz/campaign/generate.ts';
import { compileHostile, Runner } from '../../src/fuzz/campaign/runner.ts';
import { loadSaboteur, saboteurNames } from '../../src/fuzz/campaign/saboteur.ts';
import { render } from '../../src/fuzz/grammar/act.ts';

const SEED = 'saboteurs';
/** A saboteur must be caught, by every invariant that it names, within so many programs. */
const PROGRAMS = 300;

const compiled = new Map<number, Uint8Array>();
function program(index: number): Uint8Array {
  const image = compiled.get(index) ?? compileHostile(render(generate(SEED, index)));
  compiled.set(index, image);
  return image;
}

it.each(saboteurNames().map((name) => [name, loadSaboteur(name).breaks.join(' and ')]))('%s is caught by %s', async (name) => {
  const { edits, breaks } = loadSaboteur(name);
  const runner = await Runner.create({ kernel: buildKeel({ edits }).image, seed: SEED });
  const missing = new Set(breaks);
  for (let index = 0; index < PROGRAMS && missing.size > 0; index++)
    for (const { invariant } of runner.run(program(index)).failures) missing.delete(invariant);
  expect([...missing]).toEqual([]);
});
