import { expect, it } from 'vitest';
import { buildKeel } from '../../src/compiler/index.ts';
import { campaign } from '../../src/fuzz/campaign/campaign.ts';
import { loadSaboteur, saboteurNames } from '../../src/fuzz/campaign/saboteur.ts';

/** A saboteur must be caught within so many programs. */
const RUNS = 320;

it.each(saboteurNames().map((name) => [name, loadSaboteur(name).breaks[0]]))('%s is caught by %s', async (name, invariant) => {
  const { edits } = loadSaboteur(name);
  const { findings } = await campaign({ kernel: buildKeel({ edits }).image, seed: 'saboteurs', runs: RUNS, workers: 2 });
  expect(findings.map((finding) => finding.invariant)).toContain(invariant);
});
