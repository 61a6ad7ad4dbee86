/**
 * The command line: one file a command, this one only lists them.
 * Exit status: 0 done, 1 a finding or a difference, 2 wrong use or bad input, 3 a bug of our own.
 */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { bootCommand } from './boot.ts';
import { compileCommand } from './compile.ts';
import { demoCommand } from './demo.ts';
import { fuzzCommand } from './fuzz.ts';
import { inspectCommand } from './inspect.ts';
import { replayCommand } from './replay.ts';
import { report } from './report.ts';
import { runCommand } from './run.ts';

const { version } = JSON.parse(
  readFileSync(new URL(import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json', import.meta.url), 'utf8'),
) as {
  version: string;
};

const program = new Command('palindrome')
  .description('A deterministic record/replay testbed for kernels.')
  .version(version)
  .showHelpAfterError('(palindrome --help lists the commands)')
  .exitOverride()
  .configureHelp({ sortSubcommands: false });

for (const command of [compileCommand, runCommand, bootCommand, replayCommand, inspectCommand, fuzzCommand, demoCommand])
  program.addCommand(command().exitOverride());

try {
  await program.parseAsync();
} catch (error) {
  report(error);
}
