/** `palindrome who TRACE --address A`: who wrote these bytes last, and from where the value came. */
import { Command } from 'commander';
import type { Tier } from '../machine/index.ts';
import { UserError } from '../machine/index.ts';
import { hexOf, type Link, openTrace, placeName, Who } from '../replay/index.ts';
import { grouped, plain, print, progress, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { positionOf, traceFile } from './trace-argument.ts';

interface Options {
  readonly address: string;
  readonly at?: string;
  readonly process?: string;
  readonly links: number;
  readonly computations: number;
  readonly back: number;
  readonly tier: Tier;
  readonly json?: boolean;
}

const DEFAULT_LENGTH = 8;

export const whoCommand = (): Command =>
  new Command('who')
    .description('who wrote these bytes last, and the chain of copies behind it, through registers, memory and processes')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .requiredOption(
      '-a, --address <address[:length]>',
      `what is asked for: a linear address, phys:0x… or a symbol (keel:scheduler+8); ${DEFAULT_LENGTH} bytes where no length is given`,
    )
    .option('--at <position>', 'the last write before this position: a count, or any that `palindrome timeline` knows (default: the end)')
    .option(
      '-p, --process <process>',
      'the address is one of this process: its number or its program (default: whose page tables are in use)',
    )
    .option('--links <count>', 'how many links a chain may have', wholeNumber('links', 0, 10_000), 64)
    .option(
      '--computations <count>',
      'go on through so many computations, to all that they were computed from',
      wholeNumber('computations', 0, 64),
      0,
    )
    .option('--back <count>', 'look so many instructions back for what wrote a register', wholeNumber('back', 1, 2 ** 40), 1 << 18)
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, options: Options) => {
      const { address, at, process, links, computations, back, tier, json } = options;
      const file = traceFile(path);
      const { text, length } = parsed(address);
      const trace = await openTrace(file);
      const line = progress();
      const who = await Who.open(trace, {
        path: file,
        tier,
        progress: (instructions) => line.show(() => `indexing: ${grouped(instructions)} of ${grouped(trace.instructions)} instructions`),
      });
      line.done();
      const position = at === undefined ? who.end : await positionOf(path, trace, at);
      if (position > who.end)
        throw new UserError(`who: position ${position} lies behind the end of the trace, which has ${who.end} instructions`);
      const bytes = who.resolve(text, { length, at: position, process: process ?? null });
      const chain = who.chain(bytes, position, { links, computations, instructions: BigInt(back) });
      print({ before: Number(position), writes: plain(chain) }, json, chain.map((link) => linkText(link, '', null)).join(''));
    });

/** The length stands behind the last colon, if it is a number: `keel:scheduler` has none. */
function parsed(address: string): { readonly text: string; readonly length: number } {
  const found = /^(.+):(0x[0-9a-f]+|\d+)$/i.exec(address);
  if (found === null || found[1] === 'phys') return { text: address, length: DEFAULT_LENGTH };
  return { text: found[1] ?? address, length: Number(found[2]) };
}

/** A link and, indented below it, those behind it. */
function linkText(link: Link, indent: string, how: 'copied' | 'computed' | null): string {
  const arrow = how === null ? '' : how === 'copied' ? '← ' : '⇠ ';
  const lines = [`${indent}${arrow}${whereText(link)}`];
  const rest = `${indent}${how === null ? '' : '  '}`;
  if (link.at !== null) {
    const { instruction } = link;
    const who = [grouped(link.at), link.process ?? '(process not known)', ...(instruction === null ? [] : [codeText(instruction)])];
    lines.push(`${rest}  ${who.join('  ')}`);
  }
  if (link.end !== null) lines.push(`${rest}  ${link.by === 'instruction' ? '∎ ' : ''}${link.end}`);
  return lines.map((each) => `${each}\n`).join('') + link.sources.map((source) => linkText(source.link, `${rest}  `, source.how)).join('');
}

function whereText({ place, before, after }: Link): string {
  const value = after.length === 0 ? '' : before === null ? ` = ${valueText(after)}` : `: ${valueText(before)} → ${valueText(after)}`;
  if (place.kind === 'register') return `${placeName(place)}${value}`;
  const name = place.name === null ? '' : ` ${place.name}`;
  const physical = place.linear === null ? '' : ` (phys:0x${place.physical.toString(16)})`;
  return `${placeName(place)}${physical}${name}, ${place.length} ${place.length === 1 ? 'byte' : 'bytes'}${value}`;
}

const MOST_SHOWN = 32;

/** Up to eight bytes as a number, more as they lie in memory. */
function valueText(bytes: Uint8Array): string {
  if (bytes.length <= 8) return `0x${hexOf(bytes)}`;
  return `${Buffer.from(bytes.subarray(0, MOST_SHOWN)).toString('hex')}${bytes.length > MOST_SHOWN ? '…' : ''}`;
}

function codeText({ rip, text, place }: NonNullable<Link['instruction']>): string {
  const where = [place?.symbol, place?.source].filter((part) => part != null).join(' ');
  return `0x${rip.toString(16)}  ${text}${where === '' ? '' : `  (${where})`}`;
}
