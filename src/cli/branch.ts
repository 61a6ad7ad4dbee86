/** `palindrome branch TRACE --at P --to NEW.mpk`: goes on from a recorded moment with other memory, registers or inputs, as a trace of its own. */
import { basename } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { stopText, type Tier } from '../machine/index.ts';
import { type BranchOptions, openTrace, type Write } from '../replay/index.ts';
import { outputFile, readInput } from './files.ts';
import { grouped, print, progress, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';
import { openTimeline, traceFile } from './trace-argument.ts';

interface Options {
  readonly at: string;
  readonly to: string;
  readonly setRegister: Readonly<Record<string, bigint>>;
  readonly write: readonly Write[];
  readonly input: NonNullable<BranchOptions['inputs']>;
  readonly limit: number;
  readonly addresses?: boolean;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const branchCommand = (): Command =>
  new Command('branch')
    .description('go on from a recorded moment with other memory, registers or inputs, as a new trace that names its parent')
    .argument('<trace>', 'a trace (*.mpk), or the directory of a finding')
    .requiredOption('--at <position>', 'where the recorded run is left: a count, or any position that `palindrome timeline` knows')
    .requiredOption('-t, --to <file>', 'the new trace')
    .option('-r, --set-register <name=value>', 'give a register another value; may be given again', register, {})
    .option('-w, --write <address=hex>', 'write bytes at a linear address (phys:0x…: a physical one); may be given again', write, [])
    .option(
      '-i, --input <door=what>',
      'what comes in from there on instead of what was recorded: serial=TEXT, serial=@FILE, program=@ARCHIVE (again for more); nothing behind = for none',
      input,
      {},
    )
    .option('-l, --limit <count>', 'end after so many instructions more', wholeNumber('limit', 1, Number.MAX_SAFE_INTEGER), 10_000_000_000)
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, options: Options) => {
      const file = traceFile(path);
      const trace = await openTrace(file);
      const timeline = await openTimeline(path, trace, { tier: options.tier });
      timeline.seek(timeline.resolve(options.at));
      const at = timeline.position;
      const line = progress();
      const { stop, instructions, hash, output } = await timeline.branch({
        parent: basename(file),
        to: outputFile(options.to, [file]),
        registers: options.setRegister,
        memory: options.write,
        inputs: options.input,
        limit: BigInt(options.limit),
        output: (byte) => {
          if (!options.json) process.stdout.write(Uint8Array.of(byte));
        },
        progress: (position) => line.show(() => `recording: ${grouped(position - at)} instructions`),
      });
      line.done();
      const console = Buffer.from(output).toString();
      print({ ...stop, at: Number(at), instructions: Number(instructions), console, hash, trace: options.to }, options.json, '');
      if (!options.json)
        process.stderr.write(
          `${stopText(stop)} at ${grouped(instructions)}, ${grouped(instructions - at)} instructions after ${grouped(at)}; hash ${hash}; trace ${options.to}\n`,
        );
    });

/** The two sides of the first `=`. */
function sides(what: string, text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`${what}.`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function register(text: string, before: Readonly<Record<string, bigint>>): Record<string, bigint> {
  const [name, value] = sides('a register is NAME=VALUE', text);
  if (!/^(\d{1,40}|0x[0-9a-f]{1,32})$/i.test(value))
    throw new InvalidArgumentError('the value of a register is a whole number (0x… for hexadecimal).');
  return { ...before, [name.toLowerCase()]: BigInt(value) };
}

function write(text: string, before: readonly Write[]): Write[] {
  const [place, hex] = sides('a write is ADDRESS=BYTES', text);
  const match = /^(phys:)?(0x[0-9a-f]{1,16}|\d{1,20})$/i.exec(place);
  if (match?.[2] === undefined)
    throw new InvalidArgumentError('the address of a write is a number (0x… for hexadecimal), behind phys: a physical one.');
  if (!/^([0-9a-f]{2})+$/i.test(hex)) throw new InvalidArgumentError('the bytes of a write are hexadecimal, two digits each.');
  return [...before, { space: match[1] === undefined ? 'linear' : 'physical', address: BigInt(match[2]), bytes: Buffer.from(hex, 'hex') }];
}

function input(text: string, before: NonNullable<BranchOptions['inputs']>): NonNullable<BranchOptions['inputs']> {
  const [door, what] = sides('an input is serial=… or program=…', text);
  if (door === 'serial') return { ...before, serial: what.startsWith('@') ? readInput(what.slice(1)) : Buffer.from(what) };
  if (door === 'program' && what === '') return { ...before, program: [] };
  if (door === 'program' && what.startsWith('@')) return { ...before, program: [...(before.program ?? []), readInput(what.slice(1))] };
  throw new InvalidArgumentError('an input is serial=TEXT, serial=@FILE or program=@ARCHIVE.');
}
