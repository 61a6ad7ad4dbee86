import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { buildKeel } from '../../src/compiler/index.ts';
import { type CampaignResult, campaign } from '../../src/fuzz/campaign/campaign.ts';
import { saveFinding } from '../../src/fuzz/campaign/findings.ts';
import { loadSaboteur } from '../../src/fuzz/campaign/saboteur.ts';
import type { Tier } from '../../src/machine/index.ts';
import { replay } from '../../src/replay/index.ts';

const facts = ({ programs, instructions, checks, findings, coverage, digest }: CampaignResult) => ({
  programs,
  instructions,
  checks,
  coverage,
  digest,
  findings: findings.map(({ invariant, index, source }) => ({ invariant, index, source })),
});

it('raises no alarm on the good kernel', async () => {
  const { findings, programs, runs } = await campaign({ kernel: buildKeel().image, seed: 'good', runs: 1000, variants: 2, workers: 2 });
  expect(findings.map(({ invariant, failure, source }) => `${invariant}: ${failure.message}\n${source}`)).toEqual([]);
  expect({ programs, runs }).toEqual({ programs: 1000, runs: 2000 });
});

it('is a function of seed and runs: not of the number of workers, the tier, nor the time zone', async () => {
  const run = (workers: number, tier?: Tier) => campaign({ kernel: buildKeel().image, seed: 'same', runs: 48, variants: 2, workers, tier });
  const one = facts(await run(1));
  expect(facts(await run(1))).toEqual(one);
  expect(facts(await run(2, 1))).toEqual(one);
  expect(facts(await run(2, 'auto'))).toEqual(one);
  const { TZ, LC_ALL } = process.env;
  try {
    Object.assign(process.env, { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8' });
    expect(facts(await run(3))).toEqual(one);
  } finally {
    if (TZ === undefined) delete process.env['TZ'];
    else process.env['TZ'] = TZ;
    if (LC_ALL === undefined) delete process.env['LC_ALL'];
    else process.env['LC_ALL'] = LC_ALL;
  }
});

it('keeps what it found where it is ended early, or fails', async () => {
  const { edits } = loadSaboteur('no-umip');
  const kernel = buildKeel({ edits }).image;
  const run = async (runs: number, progress: (programs: number) => void, signal?: AbortSignal) => {
    const found: string[] = [];
    const options = { kernel, seed: 'defect', runs, workers: 2, progress, ...(signal && { signal }) };
    const result = await campaign({ ...options, found: async ({ invariant }) => void found.push(invariant) }).catch(String);
    return { found, result };
  };
  const abort = new AbortController();
  const { found, result: ended } = await run(1_000_000, (programs) => programs >= 16 && abort.abort(), abort.signal);
  if (typeof ended === 'string') throw new Error(ended);
  expect(found).toEqual(['INV-16']);
  expect(ended.programs).toBeLessThan(100);
  expect(facts(ended)).toEqual(facts(await campaign({ kernel, seed: 'defect', runs: ended.programs, workers: 2 })));

  const fail = (programs: number) => {
    if (programs >= 16) throw new RangeError('a worker failed');
  };
  expect(await run(1_000_000, fail)).toEqual({ found: ['INV-16'], result: 'RangeError: a worker failed' });
});

it('leaves nothing behind of a finding that cannot be written', async () => {
  const { edits } = loadSaboteur('no-umip');
  const { findings } = await campaign({ kernel: buildKeel({ edits }).image, seed: 'whole', runs: 1, workers: 1 });
  const [finding] = findings;
  if (!finding) throw new Error('no finding');
  const out = mkdtempSync(join(tmpdir(), 'palindrome-finding-'));
  try {
    await expect(saveFinding(finding, { kernel: new Uint8Array(64), seed: 'whole' }, out)).rejects.toThrow();
    expect(readdirSync(out)).toEqual([]);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

it('finds a defect, shrinks it the same way each time, and saves what replays', async () => {
  const { edits } = loadSaboteur('no-umip');
  const kernel = buildKeel({ edits }).image;
  const run = () => campaign({ kernel, seed: 'defect', runs: 16, workers: 2 });
  const result = await run();
  expect(facts(await run())).toEqual(facts(result));
  const [finding] = result.findings;
  if (!finding) throw new Error('no finding');
  const out = mkdtempSync(join(tmpdir(), 'palindrome-finding-'));
  try {
    const path = await saveFinding(finding, { kernel, seed: 'defect', saboteur: 'no-umip' }, out);
    expect(readFileSync(join(path, 'report.md'), 'utf8')).toContain(finding.failure.message);
    expect((await replay(join(path, 'trace.mpk'))).identical).toBe(true);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
