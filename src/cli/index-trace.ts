/**
 * `palindrome index TRACE`: builds the index beside a trace, `TRACE.idx`, which other commands otherwise do at their first question; with `--page` it answers out
 * of it when a page was written and executed, without executing anything.
 */
import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { indexPath, openIndex, openTrace, type Touch, type TouchIndex } from '../replay/index.ts';
import { grouped, print, progress, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { traceFile } from './trace-argument.ts';

interface Options {
  readonly page?: number;
  readonly at?: number;
  readonly anew?: boolean;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const indexCommand = (): Command =>
  new Command('index')
    .description('note beside a trace which memory was written, and which code executed, when (TRACE.idx): for questions about the past')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .option('--page <physical address>', 'when was this page written, and code executed from it?', wholeNumber('page', 0, 3 * 2 ** 30))
    .option('--at <count>', 'before and after this position (default: the end)', wholeNumber('at', 0, Number.MAX_SAFE_INTEGER))
    .option('--anew', 'build it although there is one')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (argument: string, { page, at, anew, tier, json }: Options) => {
      const path = traceFile(argument);
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
      if (page !== undefined) {
        const position = at === undefined ? trace.instructions : BigInt(at);
        const answers = touchesOf(index, Math.floor(page / 4096), position);
        return print({ page, at: Number(position), ...answers }, json, touchesText(answers));
      }
      const what = `${grouped(size)} bytes beside ${grouped(trace.size)} of the trace, slices of ${grouped(sliceInstructions)} instructions`;
      print(
        { index: notKept === null ? indexPath(path) : null, size, traceSize: trace.size, sliceInstructions, isBuilt, notKept },
        json,
        notKept === null ? `${isBuilt ? 'built' : 'is there'}: ${indexPath(path)}, ${what}\n` : `built, but not kept: ${notKept}\n`,
      );
    });

interface Slice {
  readonly from: number;
  readonly to: number;
}

/** The slices before and after a position in which a frame was touched. */
function touchesOf(
  index: TouchIndex,
  frame: number,
  at: bigint,
): Record<Touch, { readonly previous: Slice | null; readonly next: Slice | null }> {
  const plainly = (range: ReturnType<TouchIndex['next']>): Slice | null => range && { from: Number(range.from), to: Number(range.to) };
  const answer = (touch: Touch) => ({
    previous: plainly(index.previous(touch, frame, at)),
    next: plainly(index.next(touch, frame, at)),
  });
  return { written: answer('written'), executed: answer('executed') };
}

function touchesText(answers: ReturnType<typeof touchesOf>): string {
  const text = (slice: Slice | null): string => (slice === null ? 'never' : `within ${grouped(slice.from)} to ${grouped(slice.to)}`);
  return Object.entries(answers)
    .map(([touch, { previous, next }]) => `${touch.padEnd(8)}  before: ${text(previous)}; from there on: ${text(next)}\n`)
    .join('');
}
