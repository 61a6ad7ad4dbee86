/** `palindrome export TRACE --perfetto OUT`: a trace for other people's tools. */
import { statSync } from 'node:fs';
import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { exportPerfetto, openTrace, writePieces } from '../replay/index.ts';
import { outputFile } from './files.ts';
import { print } from './report.ts';
import { tierOption } from './tier.ts';
import { traceFile } from './trace-argument.ts';

interface Options {
  readonly perfetto: string;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const exportCommand = (): Command =>
  new Command('export')
    .description('write a trace for other tools: processes, system calls, interrupts, faults, scheduling, console')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .requiredOption('--perfetto <file>', 'for ui.perfetto.dev and trace_processor; a nanosecond is an instruction')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, { perfetto, tier, json }: Options) => {
      const file = traceFile(path);
      const trace = await openTrace(file);
      await writePieces(outputFile(perfetto, [file]), (write) => exportPerfetto(trace, { tier }, write));
      const { size } = statSync(perfetto);
      print({ perfetto, bytes: size }, json, `${size} bytes; perfetto ${perfetto}\n`);
    });
