/**
 * A campaign: programs 0 … N-1 of a seed, each run under one or more circumstances by workers, judged, and what was found shrunk. Findings, their order
 * and the digest are a function of kernel, seed and the numbers of programs and variants: not of the number of workers, nor of time.
 */
import type { Tier } from '../../machine/index.ts';
import { type Act, render } from '../grammar/act.ts';
import type { Failure } from '../invariants/judge.ts';
import type { ReadyTestbed } from '../testbed.ts';
import type { Circumstances } from './circumstances.ts';
import { CrewMember } from './crew.ts';
import { shrink } from './generate.ts';
import type { PastEvent } from './history.ts';
import type { WorkerRequest } from './messages.ts';
import { compileHostile, Runner, takesInput } from './runner.ts';
import { type Group, signature, Tally } from './tally.ts';

export interface CampaignOptions {
  /** keel's ELF64. */
  readonly kernel: Uint8Array;
  readonly seed: string;
  /** How many programs at most. */
  readonly runs: number;
  /** Runs of each program, from 1 (the default): the first under the usual circumstances, the others under drawn ones. */
  readonly variants?: number;
  /** Ends after the batch in which so many seconds have passed. The programs that were run are then still 0 … N-1. */
  readonly seconds?: number;
  /** Threads, from 1. */
  readonly workers: number;
  /** How the machines execute; the result is the same in each. */
  readonly tier?: Tier | undefined;
  readonly progress?: (programs: number, findings: number, programsPerSecond: number) => void;
  /** Told of each finding once it is shrunk, and waited for. Of a campaign that fails (a worker that hangs) these are what it has found until then. */
  readonly found?: (finding: Finding) => Promise<void>;
  /**
   * Ends it after the batches that are on their way: the programs that were run are still 0 … N-1, and what they found is shrunk as ever. Where all have run
   * by then, it is shrunk no further.
   */
  readonly signal?: AbortSignal;
}

/** An invariant that did not hold, with the smallest program that shows it. */
export interface Finding {
  readonly invariant: string;
  /** Index of the first program that showed it, and of how many programs. */
  readonly index: number;
  readonly programs: number;
  readonly circumstances: Circumstances;
  readonly failure: Failure;
  readonly acts: readonly Act[];
  readonly source: string;
  readonly image: Uint8Array;
  /** What happened in its run before the failure, the last events of it. */
  readonly history: readonly PastEvent[];
}

export interface CampaignResult {
  readonly programs: number;
  /** Judged runs: of each program one for each variant. */
  readonly runs: number;
  readonly instructions: bigint;
  readonly programsPerSecond: number;
  /** How often each invariant was judged. */
  readonly checks: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
  /** How many different things were reached (see coverage.ts). */
  readonly coverage: number;
  /** SHA-256 over all that was found and reached, in hexadecimal. */
  readonly digest: string;
}

/** Programs of one message to a worker. */
const BATCH = 8;
/** Messages on their way to a worker: while one is answered it has another. */
const AHEAD = 2;

export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const { kernel, seed } = options;
  const tally = new Tally();
  const { programs, programsPerSecond, ready, failure } = await runBatches(options, tally);
  const findings: Finding[] = [];
  const groups = [...tally.groups];
  if (groups.length > 0) {
    const runner = await Runner.create({ kernel, seed, ready });
    const signal = options.signal?.aborted === true ? undefined : options.signal;
    for (const group of groups) {
      const finding = await shrinkGroup(runner, group, seed, signal);
      findings.push(finding);
      await options.found?.(finding);
    }
  }
  if (failure !== null) throw failure.error;
  const { runs, instructions, checks, coverage } = tally;
  return { programs, runs, instructions, programsPerSecond, checks, findings, coverage, digest: tally.digest(findings) };
}

interface BatchesRun {
  readonly programs: number;
  readonly programsPerSecond: number;
  readonly ready: ReadyTestbed;
  /** Why not all were run: a worker failed once the first stood ready. */
  readonly failure: { readonly error: unknown } | null;
}

/** Has workers run all batches. The first boots keel, for all. */
async function runBatches(options: CampaignOptions, tally: Tally): Promise<BatchesRun> {
  const { kernel, seed, runs, variants = 1, seconds, workers, tier, progress, signal } = options;
  const file = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
  const member = () => new CrewMember(file, { kernel, seed, variants, tier });
  const first = member();
  const others = Array.from({ length: Math.min(workers, Math.ceil(runs / BATCH)) - 1 }, member);
  try {
    const ready = await first.boot();
    const start = performance.now();
    const elapsed = () => (performance.now() - start) / 1000;
    let next = 0;
    let programs = 0;
    let failures = 0;
    const serve = async (member: CrewMember) => {
      while (next < runs && !signal?.aborted && (seconds === undefined || elapsed() < seconds)) {
        const request: WorkerRequest = { from: next, to: Math.min(next + BATCH, runs) };
        next = request.to;
        const result = await member.run(request);
        tally.add(result);
        programs += request.to - request.from;
        failures += new Set(result.runs.filter((run) => run.failures.length > 0).map(({ index }) => index)).size;
        progress?.(programs, failures, programs / elapsed());
      }
    };
    const serveAhead = (member: CrewMember) => Promise.all(Array.from({ length: AHEAD }, () => serve(member)));
    const all = Promise.all([serveAhead(first), ...others.map((member) => member.takeOver(ready).then(() => serveAhead(member)))]);
    const failure = await all.then(
      () => null,
      (error: unknown) => ({ error }),
    );
    return { programs, programsPerSecond: programs / elapsed(), ready, failure };
  } finally {
    await Promise.all([first, ...others].map((member) => member.end()));
  }
}

async function shrinkGroup(
  runner: Runner,
  { key, index, circumstances: found, failure, programs }: Group,
  seed: string,
  signal: AbortSignal | undefined,
): Promise<Finding> {
  const failureOf = (source: string) => runner.run(compileHostile(source), found).failures.find((each) => signature(each) === key);
  const { acts } = await shrink(seed, index, (source) => failureOf(source) !== undefined, signal);
  const source = render(acts);
  const image = compileHostile(source);
  const shrunk = failureOf(source) ?? failure;
  // A smaller program may no longer look at its input.
  const circumstances = takesInput(image) ? found : { ...found, input: null };
  const history = runner.history(image, shrunk.at, circumstances);
  return { invariant: failure.invariant, index, programs, circumstances, failure: shrunk, acts, source, image, history };
}
