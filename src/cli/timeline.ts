/** `palindrome timeline TRACE [POSITION…]`: goes from position to position, and on or back to breakpoints and accesses, and shows what is there. */
import { Command } from 'commander';
import { type Breakpoint, type Tier, UserError, type Watchpoint } from '../machine/index.ts';
import { branchText, describeEvent, instructionText, openTrace, type Stopped, type Timeline } from '../replay/index.ts';
import { registerText } from './register-text.ts';
import { grouped, plain, print, progress, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { openTimeline, traceFile } from './trace-argument.ts';

interface Options {
  readonly break: readonly string[];
  readonly watch: readonly string[];
  readonly back?: boolean;
  readonly times: number;
  readonly instructions: number;
  readonly registers?: boolean;
  readonly mark?: string;
  readonly unmark?: string;
  readonly tier: Tier;
  readonly json?: boolean;
}

const HELP = `
Positions, each found from the one before:
  1100508   start   end   failure   .            a count of instructions, the ends, where the run failed, here
  event:7   syscall:write:3   irq:32   cr3:-1     an event by its number, or by kind, argument and occurrence (from 1; -1 is the last)
  fault:PF   process:hello   console:/panic/      an exception, a switch to a process, a printed line
  next:syscall   previous:fault:PF:2              from here on, or back
  end-1000   syscall:write+1   .-5                so many instructions after or before
  NAME                                            a mark`;

const each = (value: string, before: readonly string[]): string[] => [...before, value];

export const timelineCommand = (): Command =>
  new Command('timeline')
    .description('go to any position of a trace, on or back to breakpoints and accesses, and show what is there')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .argument('[positions...]', 'where to go, one after the other; none: tells what the trace is')
    .option('-b, --break <address>', 'then run to this instruction: an address or a symbol; may be given again', each, [])
    .option(
      '-w, --watch <address[:length[:r|w|rw]]>',
      'then run to an access: by linear address, phys:0x… or symbol; 8 bytes written, unless told otherwise',
      each,
      [],
    )
    .option('--back', 'run backwards')
    .option('--times <count>', 'so often', wholeNumber('times', 1, 100_000), 1)
    .option('-i, --instructions <count>', 'show so many instructions from there on', wholeNumber('instructions', 1, 1_000_000), 1)
    .option('-r, --registers', 'show the registers')
    .option('--mark <name>', 'give the last position a name, kept in TRACE.marks')
    .option('--unmark <name>', 'forget a name')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .addHelpText('after', HELP)
    .action(async (path: string, positions: readonly string[], options: Options) => {
      const trace = await openTrace(traceFile(path));
      const timeline = await openTimeline(path, trace, { tier: options.tier });
      if (options.unmark !== undefined && !timeline.marks.remove(options.unmark))
        throw new UserError(`timeline: there is no mark ${options.unmark}`);
      const stops: Shown[] = [];
      for (const position of positions) {
        timeline.seek(timeline.resolve(position));
        stops.push(show(timeline, null, options));
      }
      const isSearch = options.break.length + options.watch.length > 0;
      for (let i = 0; isSearch && i < options.times; i++) {
        const stopped = await search(timeline, options);
        stops.push(show(timeline, stopped, options));
        if (stopped.hit === null) break;
      }
      if (options.mark !== undefined) timeline.marks.set(options.mark, timeline.position);
      const text = stops.length > 0 ? stops.map((stop) => stop.text).join('') : options.mark === undefined ? summary(timeline) : '';
      print({ ...facts(timeline), stops: stops.map(({ json }) => json) }, options.json, text);
    });

async function search(timeline: Timeline, options: Options): Promise<Stopped> {
  const breakpoints = options.break.map((text): Breakpoint => ({ address: addressOf(timeline, text) }));
  const watchpoints = options.watch.map((text) => watchpointOf(timeline, text));
  const line = progress();
  try {
    return timeline[options.back ? 'back' : 'forward']({
      breakpoints,
      watchpoints,
      isInterrupted: () => {
        line.show(() => `at ${grouped(timeline.position)}`);
        return false;
      },
    });
  } finally {
    line.done();
  }
}

function addressOf(timeline: Timeline, text: string): bigint {
  return /^0x[0-9a-f]{1,16}$/i.test(text) ? BigInt(text) : timeline.symbols.addressOf(text).address;
}

const MOST_WATCHED = 1 << 20;

function watchpointOf(timeline: Timeline, text: string): Watchpoint {
  const match = /^(phys:)?(.+?)(?::(\d{1,7}))?(?::(r|w|rw))?$/.exec(text);
  const length = Number(match?.[3] ?? 8);
  if (match === null || length < 1 || length > MOST_WATCHED)
    throw new UserError(
      `--watch ${text}: give an address, perhaps a length from 1 to ${MOST_WATCHED}, and r, w or rw: keel:scheduler:4:rw`,
    );
  const access = ({ r: 'read', w: 'write', rw: 'access' } as const)[(match[4] ?? 'w') as 'r' | 'w' | 'rw'];
  return { space: match[1] === undefined ? 'linear' : 'physical', address: addressOf(timeline, match[2] ?? ''), length, access };
}

/** A position as it is shown. */
interface Shown {
  readonly text: string;
  readonly json: object;
}

function show(timeline: Timeline, stopped: Stopped | null, { instructions, registers }: Options): Shown {
  const { position, delivered, start, end } = timeline;
  const here = timeline.machine.registers();
  const events = timeline.events.here(position);
  const views = timeline.ahead(instructions);
  const why = stopped === null ? '' : ` · ${stopped.why}${stopped.hit?.kind === 'watchpoint' ? ` ${accessText(stopped.hit.access)}` : ''}`;
  const where = position === start ? ' · start' : position === end ? ' · end' : '';
  const text = [
    `position ${grouped(position)}${where}${why}${delivered > 0 ? ` · behind ${delivered} delivered` : ''}`,
    ...(registers ? [registerText(here).trimEnd()] : []),
    ...events.map((event) => `${String(event.at).padStart(12)}  ${describeEvent(event)}`),
    ...views.map((view) => `${String(view.at).padStart(12)}  ${instructionText(view)}`),
    '',
  ].join('\n');
  const json = {
    position: Number(position),
    delivered,
    why: stopped?.why ?? null,
    hit: plain(stopped?.hit ?? null),
    events: plain(events),
    instructions: plain(views),
    ...(registers && { registers: plain(here) }),
  };
  return { text, json };
}

function accessText({
  linear,
  physical,
  size,
  write,
  implicit,
}: {
  linear: bigint | null;
  physical: bigint;
  size: number;
  write: boolean;
  implicit: boolean;
}): string {
  const at = linear === null ? `physical 0x${physical.toString(16)}` : `0x${linear.toString(16)}`;
  return `${write ? 'write' : 'read'} of ${size} bytes at ${at}${implicit ? ', by the CPU itself' : ''}`;
}

function facts(timeline: Timeline): object {
  const { trace, start, end, failure, marks } = timeline;
  return {
    start: Number(start),
    end: Number(end),
    ended: timeline.ending,
    failure: failure === null ? null : Number(failure),
    branch: plain(trace.header.branch),
    checkpoints: trace.checkpoints.length,
    marks: Object.fromEntries(marks.all.map(([name, position]) => [name, Number(position)])),
  };
}

function summary(timeline: Timeline): string {
  const { trace, start, end, failure, marks, events } = timeline;
  return [
    ...(trace.header.branch === null ? [] : [branchText(trace.header.branch)]),
    `positions ${grouped(start)} to ${grouped(end)}; ${timeline.ending}`,
    ...(failure === null ? [] : [`it failed at ${grouped(failure)}`]),
    `${grouped(events.count)} events; ${trace.checkpoints.length} checkpoints`,
    ...marks.all.map(([name, position]) => `mark ${name} at ${grouped(position)}`),
    '',
  ].join('\n');
}
