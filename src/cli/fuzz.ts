/** `palindrome fuzz`: a campaign of hostile programs against keel, or one program judged again. */
import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { buildKeel } from '../compiler/index.ts';
import { campaign, circumstancesFrom, compileCase, INVARIANTS, loadSaboteur, Runner, saveFinding, takesInput } from '../fuzz/index.ts';
import { type Tier, UserError } from '../machine/index.ts';
import { readInput } from './files.ts';
import { Interruption } from './interruption.ts';
import { describeMemory, MemoryLog } from './memory-log.ts';
import { grouped, print, progress, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';

interface Options {
  readonly seed: string;
  readonly runs?: number;
  readonly seconds?: number;
  readonly workers: number;
  readonly saboteur?: string;
  readonly out: string;
  readonly variants: number;
  readonly reproduce?: string;
  readonly circumstances?: string;
  readonly tier: Tier;
  readonly json?: boolean;
}

const RUNS = 1000;
const MOST_RUNS = 1_000_000_000;

export const fuzzCommand = (): Command =>
  new Command('fuzz')
    .description('run generated hostile programs on keel beside a victim, judge each by the isolation invariants')
    .option('-s, --seed <text>', 'all choices come from it', '1')
    .option('-n, --runs <count>', `how many programs (default: ${RUNS}, or as many as --seconds allows)`, wholeNumber('runs', 1, MOST_RUNS))
    .option('--variants <count>', 'runs of each program, with other inputs, turns and refused memory', wholeNumber('variants', 1, 1000), 1)
    .option('--seconds <count>', 'end after so many seconds', wholeNumber('seconds', 1, 10_000_000))
    .option('-w, --workers <count>', 'threads', wholeNumber('workers', 1, 256), Math.min(availableParallelism(), 8))
    .option('--saboteur <file|name>', 'plant a defect in keel first')
    .option('-o, --out <dir>', 'where findings are written, one directory each', 'findings')
    .option('--reproduce <program>', 'judge this program instead of generated ones')
    .option('--circumstances <words>', 'with --reproduce: input=0xN quantum=N fail-frame=N')
    .addOption(tierOption(0))
    .option('--json', 'print one JSON object as the last line')
    .action(async (options: Options) => {
      const saboteur = options.saboteur === undefined ? null : loadSaboteur(options.saboteur);
      const build = (debug: boolean) => buildKeel({ debug, ...(saboteur && { edits: saboteur.edits }) }).image;
      if (options.reproduce !== undefined) await reproduce(options.reproduce, build(false), options);
      else await fuzz(build, options);
    });

/** @param build makes the kernel: with debug information for findings alone, which people look at */
async function fuzz(build: (debug: boolean) => Uint8Array, options: Options): Promise<void> {
  const { seed, variants, seconds, workers, tier, out, saboteur, runs = seconds === undefined ? RUNS : MOST_RUNS } = options;
  const line = progress();
  const memoryLog = new MemoryLog();
  const interruption = new Interruption();
  const findings: { readonly invariant: string; readonly programs: number; readonly path: string; readonly message: string }[] = [];
  const result = await campaign({
    kernel: build(false),
    seed,
    runs,
    variants,
    workers,
    tier,
    ...(seconds !== undefined && { seconds }),
    progress: (programs, findings, perSecond) =>
      line.show(() => `${programs} programs, ${perSecond.toFixed(0)} a second, ${findings} with findings, ${memoryLog.now} MiB`),
    found: async (finding) => {
      line.show(() => `shrinking and writing findings: ${findings.length + 1}`);
      const path = await saveFinding(finding, { kernel: build(true), seed, ...(saboteur !== undefined && { saboteur }) }, out);
      findings.push({ invariant: finding.invariant, programs: finding.programs, path, message: finding.failure.message });
    },
    signal: interruption.signal,
  }).catch((error: unknown) => {
    line.done();
    for (const { invariant, message, path } of findings) process.stderr.write(`${invariant}: ${message}\n    ${path}/report.md\n`);
    throw error;
  });
  const memory = memoryLog.stop();
  interruption.end();
  line.done();

  const { programs, checks, digest } = result;
  const instructions = Number(result.instructions);
  const programsPerSecond = Math.round(result.programsPerSecond * 10) / 10;
  const text = [
    `${programs} programs from seed ${seed}${variants === 1 ? '' : `, ${result.runs} runs`}, ${grouped(instructions)} instructions, ${programsPerSecond} programs a second`,
    `${grouped(Object.values(checks).reduce((sum, count) => sum + count, 0))} judgements by ${Object.keys(checks).length} invariants; ${result.coverage} different results of calls and exceptions reached`,
    ...(findings.length === 0
      ? ['no invariant was broken']
      : findings.map((finding) => `${finding.invariant}: ${finding.message}\n    ${finding.programs} programs; ${finding.path}/report.md`)),
    describeMemory(memory),
    ...(interruption.status === null
      ? []
      : [`interrupted: of ${runs} programs the first ${programs} were run, and what they showed is written`]),
    `digest ${digest}`,
  ];
  print(
    {
      programs,
      runs: result.runs,
      instructions,
      programsPerSecond,
      checks,
      findings: findings.map(({ invariant, programs, path }) => ({ invariant, programs, path })),
      digest,
      memory,
      interrupted: interruption.status !== null,
    },
    options.json,
    `${text.join('\n')}\n`,
  );
  process.exitCode = interruption.status ?? (findings.length === 0 ? STATUS.done : STATUS.finding);
}

async function reproduce(path: string, kernel: Uint8Array, options: Options): Promise<void> {
  const program = compileCase(path, new TextDecoder().decode(readInput(path)));
  const circumstances = circumstancesFrom(options.circumstances ?? '');
  if (circumstances.input !== null && !takesInput(program))
    throw new UserError(`${path} does not look at its input (the constant that stands for it is not in the program): leave out input=`);
  const runner = await Runner.create({ kernel, seed: options.seed, tier: options.tier });
  const { outcome, failures, judged } = runner.run(program, circumstances);
  const findings = failures.map(({ invariant, message }) => ({ invariant, message }));
  const titles = new Map(INVARIANTS.map(({ id, title }) => [id, title]));
  const text =
    findings.length === 0
      ? 'no invariant was broken\n'
      : findings.map(({ invariant, message }) => `${invariant}: ${titles.get(invariant)}\n    ${message}\n`).join('');
  print(
    { reason: outcome.reason, instructions: Number(outcome.instructions), checks: Object.fromEntries(judged), findings },
    options.json,
    text,
  );
  process.exitCode = findings.length === 0 ? STATUS.done : STATUS.finding;
}
