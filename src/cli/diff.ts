/** `palindrome diff A B`: where two runs part, and what each did then. */

import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { type DiffReport, diff, instructionText, openTrace, type RunStateDifference } from '../replay/index.ts';
import { plain, print, STATUS } from './report.ts';
import { tierOption } from './tier.ts';
import { traceFile } from './trace-argument.ts';

interface Options {
  readonly tier: Tier;
  readonly json?: boolean;
}

export const diffCommand = (): Command =>
  new Command('diff')
    .description('compare two runs: the first difference, and what each did then')
    .argument('<a>', 'a trace (*.mpk), or the directory of a finding')
    .argument('<b>', 'another')
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (first: string, second: string, { tier, json }: Options) => {
      const [a, b] = [await openTrace(traceFile(first)), await openTrace(traceFile(second))];
      const report = await diff(a, b, { tier });
      const { state } = report;
      const jsonState = state && { ...state, registers: Object.fromEntries(state.registers) };
      print(plain({ ...report, state: jsonState }) as object, json, textOf(report, first, second));
      process.exitCode = report.identical ? STATUS.done : STATUS.finding;
    });

function textOf({ identical, given, state, milestones }: DiffReport, first: string, second: string): string {
  if (identical) return 'the runs are the same\n';
  const names = [first, second] as const;
  const lines: string[] = [];
  if (given.length > 0) lines.push('what the runs were given differs:', ...given.map((each) => `  ${each}`));
  if (state !== null) lines.push(...stateLines(state, names));
  if (milestones === null) lines.push('both did the same to the world: system calls, results, exceptions, console');
  else {
    const { common, last, next } = milestones;
    lines.push(`the first ${common} system calls, results, exceptions and lines printed are the same`);
    if (last !== null) lines.push(`  the last: ${last[0].at} and ${last[1].at}  ${last[0].text}`);
    for (const [index, side] of next.entries()) {
      lines.push(`then, in ${names[index]}:`);
      lines.push(...(side.length === 0 ? ['  nothing more'] : side.map(({ at, text }) => `  ${String(at).padStart(12)}  ${text}`)));
    }
  }
  return `${lines.join('\n')}\n`;
}

function stateLines(state: RunStateDifference, names: readonly [string, string]): string[] {
  const { at, message, before, sides, seenAt, registers, pages, pageCount } = state;
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  const lines = [message, 'before, in both:', ...before.map((view) => `  ${String(view.at).padStart(12)}  ${instructionText(view)}`)];
  for (const [index, { next, events, process }] of sides.entries()) {
    lines.push(`then, in ${names[index]}${process === null ? '' : ` (${process})`}:`);
    lines.push(
      ...(next.length === 0 ? ['  the run has ended'] : next.map((view) => `  ${String(view.at).padStart(12)}  ${instructionText(view)}`)),
    );
    lines.push(...events.map((event) => `    event ${event}`));
  }
  if (seenAt !== null && seenAt !== at) lines.push('what differs first is in a device;');
  if (registers.size > 0) lines.push(`registers that differ after instruction ${seenAt}:`);
  for (const [name, values] of registers) lines.push(`  ${name.padEnd(10)} ${values.map(hex).join(' against ')}`);
  if (pageCount > 0) lines.push(`pages of memory that differ after instruction ${seenAt}: ${pageCount}`);
  for (const { physical, words, symbol } of pages)
    lines.push(`  from physical ${hex(physical)}${symbol === null ? '' : ` (${symbol})`}: ${words} words of 8 bytes`);
  return lines;
}
