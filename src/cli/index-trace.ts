/**
 * `palindrome index TRACE`: builds the index beside a trace, `TRACE.idx`, which other commands otherwise do at their first question; with `--page` it answers out
 * of it in which slices a page was written and executed, without executing anything, or with `--exact` at which positions; with `--execution` at which an
 * instruction was executed, by it and the recorded path.
 */
import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { UserError } from '../machine/index.ts';
import { Executions, indexPath, openIndex, openTrace, Timeline, type Touch, type TouchIndex, type Trace, Who } from '../replay/index.ts';
import { grouped, print, progress, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { positionOf, traceFile } from './trace-argument.ts';

interface Options {
  readonly page?: number;
  readonly exact?: boolean;
  readonly execution?: string;
  readonly at?: string;
  readonly process?: string;
  readonly anew?: boolean;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const indexCommand = (): Command =>
  new Command('index')
    .description('note beside a trace which memory was written, and which code executed, when (TRACE.idx): for questions about the past')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .option('--page <physical address>', 'when was this page written, and code executed from it?', wholeNumber('page', 0, 3 * 2 ** 30))
    .option('--exact', 'with --page: positions instead of slices; what writes is found by executing the slices')
    .option(
      '--execution <address>',
      'when was the instruction at this address executed? A linear address, phys:0x…, a symbol (keel:scheduler+8) or FILE:LINE',
    )
    .option('--at <position>', 'before and after this position: a count, or any that `palindrome timeline` knows (default: the end)')
    .option('-p, --process <process>', 'the address is one of this process, as it is there (default: whose page tables are in use)')
    .option('--anew', 'build it although there is one')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, options: Options) => {
      const { page, exact, execution, at, anew, tier, json } = options;
      const file = traceFile(path);
      const trace = await openTrace(file);
      const line = progress();
      const opened = await openIndex(trace, file, {
        tier,
        anew: anew === true,
        progress: (instructions) => line.show(() => `indexing: ${grouped(instructions)} of ${grouped(trace.instructions)} instructions`),
      });
      line.done();
      const { size, isBuilt, notKept, index } = opened;
      const { sliceInstructions } = index;
      if (page !== undefined && execution !== undefined) throw new UserError('index: --page and --execution are two questions: give one');
      if (page !== undefined || execution !== undefined) {
        const position = at === undefined ? trace.instructions : await positionOf(path, trace, at);
        if (position > trace.instructions)
          throw new UserError(`index: position ${position} lies behind the end of the trace, which has ${trace.instructions} instructions`);
        if (execution !== undefined) return showExecutions(trace, index, execution, position, options);
        const frame = Math.floor((page ?? 0) / 4096);
        const answers = exact ? await positionsOf(trace, index, frame, position, tier) : touchesOf(index, frame, position);
        return print({ page, at: Number(position), ...answers }, json, touchesText(answers));
      }
      const what = `${grouped(size)} bytes beside ${grouped(trace.size)} of the trace, slices of ${grouped(sliceInstructions)} instructions`;
      print(
        { index: notKept === null ? indexPath(file) : null, size, traceSize: trace.size, sliceInstructions, isBuilt, notKept },
        json,
        notKept === null ? `${isBuilt ? 'built' : 'is there'}: ${indexPath(file)}, ${what}\n` : `built, but not kept: ${notKept}\n`,
      );
    });

/** The exact positions before and after a position at which an instruction was executed. */
async function showExecutions(
  trace: Trace,
  index: TouchIndex,
  execution: string,
  at: bigint,
  { process = null, tier, json }: { readonly process?: string | null; readonly tier: Tier; readonly json?: boolean },
): Promise<void> {
  const who = await Who.open(trace, { path: null, index, tier });
  const { pieces } = who.code(execution, { at, process });
  const executions = await Executions.open(trace, index, { tier });
  const executed = { previous: numberOf(executions.previousExecution(pieces, at)), next: numberOf(executions.nextExecution(pieces, at)) };
  print(
    { execution, physical: pieces.map(({ physical }) => `0x${physical.toString(16)}`), at: Number(at), ...executed },
    json,
    touchesText({ executed }),
  );
}

const numberOf = (position: bigint | null): number | null => (position === null ? null : Number(position));

interface Slice {
  readonly from: number;
  readonly to: number;
}

/** What is before a position, and what at or after it: a slice, or the exact position. */
interface Answer {
  readonly previous: Slice | number | null;
  readonly next: Slice | number | null;
}

/** The slices before and after a position in which a frame was touched. */
function touchesOf(index: TouchIndex, frame: number, at: bigint): Record<Touch, Answer> {
  const plainly = (range: ReturnType<TouchIndex['next']>): Slice | null => range && { from: Number(range.from), to: Number(range.to) };
  const answer = (touch: Touch) => ({
    previous: plainly(index.previous(touch, frame, at)),
    next: plainly(index.next(touch, frame, at)),
  });
  return { written: answer('written'), executed: answer('executed') };
}

/** The exact positions: of an access, by watching the page in the slices; of an execution, along the path. */
async function positionsOf(trace: Trace, index: TouchIndex, frame: number, at: bigint, tier: Tier): Promise<Record<Touch, Answer>> {
  const page = { physical: BigInt(frame) * 4096n, length: 4096 };
  const timeline = await Timeline.open(trace, { tier });
  const watchpoints = [{ space: 'physical', address: page.physical, length: page.length, access: 'write' } as const];
  const previousWrite = (): bigint | null => {
    for (let before = at; ; ) {
      const slice = index.previous('written', frame, before);
      if (slice === null) return null;
      timeline.seek(slice.to);
      const { hit } = timeline.back({ watchpoints, until: slice.from });
      if (hit !== null) return hit.at;
      before = slice.from;
    }
  };
  const nextWrite = (): bigint | null => {
    for (let from = at; from < trace.instructions; ) {
      const slice = index.next('written', frame, from);
      if (slice === null) break;
      timeline.seek(slice.from);
      const { hit } = timeline.forward({ watchpoints, until: slice.to });
      if (hit !== null) return hit.at;
      from = slice.to;
    }
    return null;
  };
  const executions = await Executions.open(trace, index, { tier, like: timeline.machine });
  return {
    written: { previous: numberOf(previousWrite()), next: numberOf(nextWrite()) },
    executed: { previous: numberOf(executions.previousExecution([page], at)), next: numberOf(executions.nextExecution([page], at)) },
  };
}

function touchesText(answers: Partial<Record<Touch, Answer>>): string {
  const text = (found: Answer['next']): string => {
    if (found === null) return 'never';
    return typeof found === 'number' ? `at ${grouped(found)}` : `within ${grouped(found.from)} to ${grouped(found.to)}`;
  };
  return Object.entries(answers)
    .map(([touch, { previous, next }]) => `${touch.padEnd(8)}  before: ${text(previous)}; from there on: ${text(next)}\n`)
    .join('');
}
