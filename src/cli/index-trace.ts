/** `palindrome index TRACE`: builds the index beside a trace, `TRACE.idx`, which other commands otherwise do at their first question. */
import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { indexPath, openIndex, openTrace } from '../replay/index.ts';
import { grouped, print, progress } from './report.ts';
import { tierOption } from './tier.ts';

interface Options {
  readonly anew?: boolean;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const indexCommand = (): Command =>
  new Command('index')
    .description('note beside a trace which memory was written, and which code executed, when (TRACE.idx): for questions about the past')
    .argument('<trace>', 'a trace (*.mpk)')
    .option('--anew', 'build it although there is one')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, { anew, tier, json }: Options) => {
      const trace = await openTrace(path);
      const line = progress();
      const opened = await openIndex(trace, path, {
        tier,
        anew: anew === true,
        progress: (instructions) => line.show(() => `indexing: ${grouped(instructions)} of ${grouped(trace.instructions)} instructions`),
      });
      line.done();
      const { size, isBuilt, notKept, index } = opened;
      const { sliceInstructions } = index;
      const what = `${grouped(size)} bytes beside ${grouped(trace.size)} of the trace, slices of ${grouped(sliceInstructions)} instructions`;
      print(
        { index: notKept === null ? indexPath(path) : null, size, traceSize: trace.size, sliceInstructions, isBuilt, notKept },
        json,
        notKept === null ? `${isBuilt ? 'built' : 'is there'}: ${indexPath(path)}, ${what}\n` : `built, but not kept: ${notKept}\n`,
      );
    });
