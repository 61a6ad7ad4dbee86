/** `palindrome inspect TRACE`: what happened, in events; any range of instructions; the registers at a position. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { type Registers, type Tier, UserError } from '../machine/index.ts';
import {
  EVENTS,
  type EventKind,
  inspectEvents,
  inspectInstructions,
  inspectRegisters,
  instructionText,
  openTrace,
  Processes,
  type Trace,
} from '../replay/index.ts';
import { plain, print, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';

interface Options {
  readonly kind?: string;
  readonly call?: string;
  readonly from: number;
  readonly to?: number;
  readonly at?: number;
  readonly instructions?: number;
  readonly tier: Tier;
  readonly json?: boolean;
}

const count = (what: string) => wholeNumber(what, 0, Number.MAX_SAFE_INTEGER);

export const inspectCommand = (): Command =>
  new Command('inspect')
    .description('look into a trace: its events, any range of instructions, the registers at a position')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .option('-k, --kind <kinds>', `only these events, separated by commas: ${EVENTS.map(({ kind }) => kind).join(', ')}`)
    .option('-c, --call <name>', 'only system calls of this name')
    .option('--from <count>', 'first position', count('from'), 0)
    .option('--to <count>', 'first position that is left out', count('to'))
    .option('--at <count>', 'show the registers at this position, and the instructions around it', count('at'))
    .option('-i, --instructions <count>', 'show so many instructions from --from (or --at)', wholeNumber('instructions', 1, 10_000_000))
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, options: Options) => {
      const trace = await openTrace(existsSync(path) && statSync(path).isDirectory() ? join(path, 'trace.mpk') : path);
      if (options.at !== undefined) await showMoment(trace, BigInt(options.at), options);
      else if (options.instructions !== undefined) await showInstructions(trace, BigInt(options.from), options.instructions, options);
      else await showEvents(trace, options);
    });

async function showEvents(trace: Trace, { kind, call, from, to, tier, json }: Options): Promise<void> {
  const kinds = kind === undefined ? undefined : new Set(kind.split(',').map(asKind));
  const query = {
    from: BigInt(from),
    ...(to !== undefined && { to: BigInt(to) }),
    ...(kinds && { kinds }),
    ...(call !== undefined && { syscall: call }),
  };
  const mayHaveSwitches = call === undefined && (kinds === undefined || kinds.has('context-switch'));
  const processes = mayHaveSwitches ? await Processes.open(trace, { tier }) : null;
  const events: object[] = [];
  for (const { event, text, names } of inspectEvents(trace, query, processes)) {
    if (json) events.push(names === null ? event : { ...event, names });
    else process.stdout.write(`${String(event.at).padStart(12)}  ${text}\n`);
  }
  if (json) print({ instructions: Number(trace.instructions), events: plain(events) }, true, '');
}

function asKind(name: string): EventKind {
  const row = EVENTS.find(({ kind }) => kind === name);
  if (!row) throw new UserError(`inspect: there is no kind of event named "${name}"; kinds: ${EVENTS.map(({ kind }) => kind).join(', ')}`);
  return row.kind;
}

async function showInstructions(trace: Trace, from: bigint, instructions: number, { tier, json }: Options): Promise<void> {
  const views = await inspectInstructions(trace, from, instructions, { tier });
  const text = views.map((view) => `${String(view.at).padStart(12)}  ${instructionText(view)}\n`).join('');
  print({ instructions: plain(views) }, json, text);
}

/** How many instructions are shown around a moment, unless told otherwise. */
const AROUND = 16;

async function showMoment(trace: Trace, at: bigint, options: Options): Promise<void> {
  const { tier } = options;
  const registers = await inspectRegisters(trace, at, { tier });
  const from = at < AROUND / 2 ? 0n : at - BigInt(AROUND / 2);
  const views = await inspectInstructions(trace, from, options.instructions ?? AROUND, { tier });
  const lines = views.map((view) => `${view.at === at ? '→' : ' '}${String(view.at).padStart(12)}  ${instructionText(view)}\n`);
  print(
    { at: Number(at), registers: plain(registers), instructions: plain(views) },
    options.json,
    `${registerText(registers)}\n${lines.join('')}`,
  );
}

const NAMES = ['RAX', 'RCX', 'RDX', 'RBX', 'RSP', 'RBP', 'RSI', 'RDI', 'R8', 'R9', 'R10', 'R11', 'R12', 'R13', 'R14', 'R15'];

function registerText({ gpr, rip, rflags, cpl, cr0, cr2, cr3, cr4, segments }: Registers): string {
  const hex = (value: bigint) => value.toString(16).padStart(16, '0');
  const cells = [
    ...gpr.map((value, index) => [NAMES[index] ?? '', value] as const),
    ['RIP', rip],
    ['FLG', rflags],
    ['CR0', cr0],
    ['CR2', cr2],
    ['CR3', cr3],
    ['CR4', cr4],
    ['FSB', segments.fs.base],
    ['GSB', segments.gs.base],
  ] as const;
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += 4)
    rows.push(
      cells
        .slice(i, i + 4)
        .map(([name, value]) => `${name.padEnd(3)} ${hex(value)}`)
        .join('  '),
    );
  return `CPL ${cpl}\n${rows.join('\n')}\n`;
}
