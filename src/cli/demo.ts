/** `palindrome demo` (npm start): the main job once, small: compile, boot, fuzz, record, replay; what happened, in words. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildKeel, packPrograms } from '../compiler/index.ts';
import { campaign, HarnessHost, INVARIANTS, saveFinding } from '../fuzz/index.ts';
import type { Tier } from '../machine/index.ts';
import { record, replay } from '../replay/index.ts';
import { Interruption } from './interruption.ts';
import { loadProgram } from './program.ts';
import { grouped, print, progress, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';

const SEED = 'palindrome';
const PROGRAM = join(import.meta.dirname, '../../examples/hello.ts');

export const demoCommand = (): Command =>
  new Command('demo')
    .description('the main job, small: compile keel, run a short campaign, record one run and replay it')
    .option('-n, --runs <count>', 'programs of the campaign', wholeNumber('runs', 1, 1_000_000), 1500)
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async ({ runs, tier, json }: { runs: number; tier: Tier; json?: boolean }) => {
      const say = (line: string) => json || process.stdout.write(`${line}\n`);
      const line = progress();
      const begin = performance.now();
      const seconds = () => ((performance.now() - begin) / 1000).toFixed(1);

      say('Palindrome: an emulated PC, a kernel (keel) on it, hostile programs against the kernel, and a judge.\n');
      const kernel = buildKeel({ debug: false }).image;
      say(`1. keel compiled from source to a bootable ELF64 of ${(kernel.length / 1024).toFixed(0)} KiB.`);

      const interruption = new Interruption();
      const folder = mkdtempSync(join(tmpdir(), 'palindrome-demo-'));
      const trace = join(folder, 'hello.mpk');
      try {
        const host = new HarnessHost();
        const program = loadProgram(PROGRAM);
        host.begin(packPrograms([{ path: '/bin/hello', bytes: program.stripped }], [['/bin/hello']]));
        const symbols = [{ name: 'hello', bytes: program.bytes }];
        const machine = { memoryBytes: 64 << 20, seed: SEED, tier, harness: true };
        const recording = await record({ machine, image: { name: 'keel.elf', bytes: kernel }, symbols, host, to: trace });
        const bytes = statSync(trace).size;
        say(`2. keel booted on the machine and ran examples/hello.ts, which printed: ${JSON.stringify(host.text.trim())}`);
        say(`   Recorded: every one of ${grouped(recording.instructions)} instructions, in ${(bytes / 1024).toFixed(0)} KiB.`);

        const again = await replay(trace, { tier });
        say(`3. Replayed from the trace alone: ${again.identical ? 'identical' : 'DIFFERENT'}, state hash ${again.hash}.`);

        const result = await campaign({
          kernel,
          seed: SEED,
          runs,
          workers: Math.min(availableParallelism(), 8),
          tier,
          signal: interruption.signal,
          progress: (programs, findings, perSecond) =>
            line.show(() => `   ${programs} of ${runs} programs, ${perSecond.toFixed(0)} a second, ${findings} with findings`),
        });
        line.done();
        say(`4. A campaign: ${result.programs} hostile programs, generated, compiled, run beside a victim and judged;`);
        say(`   ${grouped(result.instructions)} instructions, ${result.programsPerSecond.toFixed(0)} programs a second.\n`);
        say('   invariant   judged      what holds always');
        for (const { id, title } of INVARIANTS) say(`   ${id.padEnd(10)} ${grouped(result.checks[id] ?? 0).padStart(9)}   ${title}`);

        const findings: { invariant: string; programs: number; path: string }[] = [];
        for (const finding of result.findings)
          findings.push({
            invariant: finding.invariant,
            programs: finding.programs,
            path: await saveFinding(finding, { kernel: buildKeel().image, seed: SEED }, 'findings'),
          });
        say('');
        for (const { invariant, path } of findings) say(`   BROKEN: ${invariant}, see ${path}/report.md`);
        const good = findings.length === 0 && again.identical;
        say(
          `Verdict: ${good ? 'no invariant was broken, and the replay was identical' : 'see above'} (${seconds()} s). The same seed gives the same digest everywhere: ${result.digest.slice(0, 16)}.`,
        );
        if (interruption.status !== null) say(`Interrupted: of ${runs} programs the first ${result.programs} were run.`);
        say('Next: palindrome --help; or plant a defect and see it found: palindrome fuzz --saboteur no-smap');
        print(
          {
            replay: again.identical,
            programs: result.programs,
            instructions: Number(result.instructions),
            checks: result.checks,
            findings,
            digest: result.digest,
            interrupted: interruption.status !== null,
          },
          json,
          '',
        );
        process.exitCode = interruption.status ?? (good ? STATUS.done : STATUS.finding);
      } finally {
        interruption.end();
        rmSync(folder, { recursive: true, force: true });
      }
    });
