/** `palindrome replay TRACE`: executes a trace again and compares; `--to N` stops at a position and shows the machine there. */
import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { type Difference, instructionText, replay } from '../replay/index.ts';
import { grouped, plain, print, progress, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { traceFile } from './trace-argument.ts';

interface Options {
  readonly to?: number;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const replayCommand = (): Command =>
  new Command('replay')
    .description('execute a trace again and compare every instruction, event and state hash')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .option('--to <count>', 'only up to this position', wholeNumber('to', 0, Number.MAX_SAFE_INTEGER))
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, options: Options) => {
      const trace = traceFile(path);
      const line = progress();
      const report = await replay(trace, {
        ...(options.to !== undefined && { to: BigInt(options.to) }),
        tier: options.tier,
        progress: (instructions) => line.show(() => `replaying: ${grouped(instructions)} instructions`),
      });
      line.done();
      const { identical, hash, difference } = report;
      const instructions = Number(report.instructions);
      const text = identical
        ? `identical: ${grouped(instructions)} instructions; hash ${hash}${report.complete ? '' : '\nthe trace is cut off: this is all of it up to its last whole block'}\n`
        : describe(difference);
      print({ identical, instructions, hash, difference: difference && plain(difference) }, options.json, text);
      process.exitCode = identical ? STATUS.done : STATUS.finding;
    });

function describe(difference: Difference | null): string {
  if (difference === null) return 'different\n';
  const { at, message, instruction, recorded, replayed } = difference;
  return [
    `different at instruction ${at}: ${message}`,
    ...(instruction ? [`  ${instructionText(instruction)}`] : []),
    'recorded:',
    ...recorded.map((line) => `  ${line}`),
    'replayed:',
    ...replayed.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
