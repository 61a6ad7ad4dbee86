/** `palindrome inspect TRACE`: what happened, selected; the registers at a position; profile and coverage of the run. */
import { Command } from 'commander';
import { UserError } from '../machine/index.ts';
import { EVENTS, openTrace, SELECTION_KEYS, type Trace } from '../replay/index.ts';
import { outputFile } from './files.ts';
import { writeCoverage } from './inspect-coverage.ts';
import { showInstructions, showMoment } from './inspect-moment.ts';
import type { InspectOptions } from './inspect-options.ts';
import { showProfile } from './inspect-profile.ts';
import { showSelected } from './inspect-selected.ts';
import { wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { positionOf, traceFile } from './trace-argument.ts';

const count = (what: string) => wholeNumber(what, 0, Number.MAX_SAFE_INTEGER);

export const inspectCommand = (): Command =>
  new Command('inspect')
    .description('look into a trace: events and instructions, registers at a position, profile, coverage')
    .argument('<traces...>', 'a trace (*.mpk), or the directory of a finding; several with --lcov')
    .option(
      '-s, --select <selection>',
      'only what this selects (see below); given again: what any of them selects',
      (text, all: string[]) => [...all, text],
      [],
    )
    .option('-k, --kind <kinds>', 'the same as --select kind=KINDS')
    .option('-c, --call <name>', 'the same as --select call=NAME')
    .option('--from <count>', 'first position', count('from'), 0)
    .option('--to <count>', 'first position that is left out', count('to'))
    .option('--limit <rows>', 'end after so many rows', wholeNumber('limit', 1, Number.MAX_SAFE_INTEGER))
    .option(
      '--at <position>',
      'show the registers at this position (a count, or any that `palindrome timeline` knows), and the instructions around it',
    )
    .option(
      '-i, --instructions <count>',
      'show so many instructions from --from (or --at), with recorded addresses',
      wholeNumber('instructions', 1, 10_000_000),
    )
    .option('--profile', 'count instructions by process, function and call')
    .option('--folded <file>', 'write these counts as folded stacks, for flame graphs')
    .option('--lcov <file>', 'write which source lines, functions and branches were executed, as lcov')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .option('--csv', 'print rows as comma-separated values, names in the first')
    .addHelpText('after', `\n${selectionHelp()}`)
    .action(async (paths: string[], options: InspectOptions) => {
      checkOptions(paths, options);
      if (options.lcov !== undefined) {
        await writeCoverage(paths.map(traceFile), options.lcov, options);
        return;
      }
      const file = traceFile(paths[0] ?? '');
      if (options.folded !== undefined) outputFile(options.folded, [file]);
      const trace = await openTrace(file);
      await show(trace, paths[0] ?? '', options);
    });

async function show(trace: Trace, path: string, options: InspectOptions): Promise<void> {
  if (options.profile === true || options.folded !== undefined) await showProfile(trace, options);
  else if (options.at !== undefined) await showMoment(trace, await positionOf(path, trace, options.at), options);
  else if (options.instructions !== undefined) await showInstructions(trace, BigInt(options.from), options.instructions, options);
  else await showSelected(trace, options);
}

/** What cannot be had together is refused: left out silently it would look like an answer. */
function checkOptions(paths: readonly string[], options: InspectOptions): void {
  const { select, kind, call, limit, at, instructions, profile, folded, lcov, json, csv } = options;
  const selects = select.length > 0 || kind !== undefined || call !== undefined || limit !== undefined;
  const modes = [selects, at !== undefined || instructions !== undefined, profile === true || folded !== undefined, lcov !== undefined];
  if (modes.filter(Boolean).length > 1)
    throw new UserError('inspect shows one thing: give either a selection, --at or --instructions, --profile or --folded, or --lcov');
  if (paths.length > 1 && lcov === undefined) throw new UserError('inspect looks into one trace; several are for --lcov');
  if (csv === true && (json === true || modes.slice(1).some(Boolean)))
    throw new UserError('--csv is for selected rows, and not with --json');
}

function selectionHelp(): string {
  const keys = SELECTION_KEYS.map(({ name, value, doc }) => `  ${`${name}=${value}`.padEnd(30)} ${doc}`);
  return [
    'A selection is clauses that all hold: KEY=VALUE[,VALUE…], or KEY!=… for what has none of the values. Keys:',
    ...keys,
    `Kinds: instruction; event (every one), interrupt, fault, page-fault, console; ${EVENTS.map(({ kind }) => kind).join(', ')}.`,
    'Without a kind it selects events, or instructions where symbol, source, image or op is asked for.',
    "Example: --select 'kind=syscall,page-fault process=2 at=1000..2000' --select 'symbol=PageTable.*'",
  ].join('\n');
}
