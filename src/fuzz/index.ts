/**
 * The fuzzer's door: programs run and judged on keel, and campaigns of generated ones.
 *
 *     const { findings, checks, digest } = await campaign({ kernel, seed: '1', runs: 1000, workers: 2 });
 */
export { type CampaignOptions, type CampaignResult, campaign, type Finding } from './campaign/campaign.ts';
export { type Circumstances, circumstancesFrom, circumstancesOf, wordsOf } from './campaign/circumstances.ts';
export { saveFinding } from './campaign/findings.ts';
export { compileCase, type JudgedRun, Runner, takesInput } from './campaign/runner.ts';
export { type Edit, loadSaboteur, type Saboteur, saboteurNames } from './campaign/saboteur.ts';
export { INVARIANTS } from './invariants/all.ts';
export type { Invariant } from './invariants/invariant.ts';
export type { Failure, Verdict } from './invariants/judge.ts';
export { HarnessHost, type Outcome, type Reason, Testbed, type TestbedOptions, verdict } from './testbed.ts';
