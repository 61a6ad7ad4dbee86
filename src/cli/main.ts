/**
 * The command line: one file a command, this one only lists them.
 * Exit status: 0 done, 1 a finding or a difference, 2 wrong use or bad input, 3 a bug of our own; 130 (128 and the signal) interrupted.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { report } from './report.ts';

/** Each in a module of its own, so that a command loads what it needs and no more: `boot` needs no compiler. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  compile: async () => (await import('./compile.ts')).compileCommand(),
  run: async () => (await import('./run.ts')).runCommand(),
  boot: async () => (await import('./boot.ts')).bootCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
  inspect: async () => (await import('./inspect.ts')).inspectCommand(),
  timeline: async () => (await import('./timeline.ts')).timelineCommand(),
  branch: async () => (await import('./branch.ts')).branchCommand(),
  diff: async () => (await import('./diff.ts')).diffCommand(),
  export: async () => (await import('./export.ts')).exportCommand(),
  who: async () => (await import('./who.ts')).whoCommand(),
  index: async () => (await import('./index-trace.ts')).indexCommand(),
  explore: async () => (await import('./explore.ts')).exploreCommand(),
  gdb: async () => (await import('./gdb.ts')).gdbCommand(),
  lockstep: async () => (await import('./lockstep.ts')).lockstepCommand(),
  fuzz: async () => (await import('./fuzz.ts')).fuzzCommand(),
  demo: async () => (await import('./demo.ts')).demoCommand(),
};

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

const program = new Command('palindrome')
  .description('A deterministic record/replay testbed for kernels.')
  .version(version)
  .showHelpAfterError('(palindrome --help lists the commands)')
  .showSuggestionAfterError(false)
  .exitOverride()
  .configureHelp({ sortSubcommands: false });

// What is not called by its name (help, a name that is wrong) shows them all.
const named = Object.entries(COMMANDS).find(([name]) => name === process.argv[2]);
for (const make of named === undefined ? Object.values(COMMANDS) : [named[1]]) program.addCommand((await make()).exitOverride());

// Whoever reads the output may have had enough (`| head`): that is no error, and there is nobody left to tell.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

try {
  await program.parseAsync();
} catch (error) {
  report(error);
}
