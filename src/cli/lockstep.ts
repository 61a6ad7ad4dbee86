/** `palindrome lockstep FILE…`: one run in two tiers at once, compared at stops; where they part, the instruction is found. */
import { Command } from 'commander';
import seedrandom from 'seedrandom';
import { buildKeel } from '../compiler/index.ts';
import { HarnessHost } from '../fuzz/index.ts';
import { type Boot, type Host, isBootable, QuietHost, stopText, type Tier, UserError } from '../machine/index.ts';
import { instructionText, type LockstepDifference, lockstep } from '../replay/index.ts';
import { readInput } from './files.ts';
import { loadPrograms } from './program.ts';
import { grouped, plain, print, progress, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';

interface Options {
  readonly initrd?: string;
  readonly append?: string;
  readonly args?: string;
  readonly memory: number;
  readonly limit: number;
  readonly every: number;
  readonly seed: string;
  readonly path?: boolean;
  readonly addresses?: boolean;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const lockstepCommand = (): Command =>
  new Command('lockstep')
    .description(
      'run a kernel, or programs on keel, interpreted and compiled at once, and compare the two; its status is 1 where they part',
    )
    .argument('<files...>', 'a kernel as for boot, or programs as for run')
    .option('-i, --initrd <file>', 'of a kernel: initial RAM disk')
    .option('--append <text>', 'of a kernel: its command line')
    .option('-a, --args <text>', 'of programs: arguments of the first, separated by spaces')
    .option('-m, --memory <bytes>', 'RAM of the machine', wholeNumber('memory', 1 << 20, 3 * 2 ** 30, true), 128 << 20)
    .option('-l, --limit <count>', 'end after so many instructions', wholeNumber('limit', 1, Number.MAX_SAFE_INTEGER), 10_000_000_000)
    .option('--every <count>', 'compare about every so many instructions', wholeNumber('every', 1, 1 << 19), 1 << 16)
    .option('-s, --seed <text>', 'feeds the machine’s random numbers, and the distances of the stops', '0')
    .option('--path', 'record the path on both, and compare it')
    .option('--addresses', 'likewise the addresses of memory operands')
    .addOption(tierOption(1, 'what is compared with the interpreter'))
    .option('--json', 'print one JSON object as the last line')
    .action(async (files: string[], options: Options) => {
      const { memory, seed, every, tier, json } = options;
      const { boot, host, isHarness } = load(files, options);
      const random = seedrandom(seed);
      const line = progress();
      const report = await lockstep({
        machine: {
          memoryBytes: memory,
          seed,
          harness: isHarness,
          record: { path: options.path ?? false, addresses: options.addresses ?? false },
        },
        boot,
        tiers: [0, tier],
        host,
        limit: BigInt(options.limit),
        stride: () => 1 + Math.floor(random() * 2 * every),
        progress: (instructions) => line.show(() => `the same: ${grouped(instructions)} instructions`),
      });
      line.done();
      const { difference, stops, hash, end } = report;
      const instructions = Number(report.instructions);
      const text =
        difference === null
          ? `the same in tier 0 and tier ${tier}: ${grouped(instructions)} instructions, ${stops} stops; ended by ${end && stopText(end)}; hash ${hash}\n`
          : describe(difference, tier);
      print({ same: difference === null, instructions, stops, hash, end, difference: difference && plain(difference) }, json, text);
      process.exitCode = difference === null ? STATUS.done : STATUS.finding;
    });

function load(files: readonly string[], { initrd, append, args }: Options): { boot: Boot; host: Host; isHarness: boolean } {
  const [first = ''] = files;
  const image = /\.[cm]?ts$/.test(first) ? null : readInput(first);
  if (image === null || !isBootable(image)) {
    const host = new HarnessHost();
    host.begin(loadPrograms(files, args).archive);
    return { boot: { image: buildKeel({ debug: false }).image }, host, isHarness: true };
  }
  if (files.length > 1) throw new UserError(`${first} is a kernel: it is booted alone; give programs to it by --initrd`);
  const boot = { image, ...(initrd !== undefined && { initrd: readInput(initrd) }), ...(append !== undefined && { append }) };
  return { boot, host: new QuietHost(), isHarness: false };
}

function describe(difference: LockstepDifference, tier: Tier): string {
  const { same, different, first, fromSnapshot, lines, block, instruction, registers } = difference;
  const hex = (value: bigint) => `0x${value.toString(16)}`;
  return [
    `tier 0 and tier ${tier} part: the same after ${same} instructions, different after ${different}; the smallest count that shows it is ${first}`,
    ...(fromSnapshot ? [] : [`  (in a run from power-on alone: from a snapshot at ${same} they stay the same)`]),
    ...lines.map((line) => `  ${line}`),
    'executed there, in tier 0:',
    ...block.map((view) => `${view === instruction ? '→' : ' '} ${view.at}  ${instructionText(view)}`),
    ...(instruction === null ? ['no instruction of these wrote what differs'] : [`first suspect: ${instructionText(instruction)}`]),
    ...registers.map(
      ({ name, before, after, other }) =>
        `  ${name}: ${hex(before)} before, ${hex(after)} after${other === after ? '' : `; tier ${tier} at ${first}: ${hex(other)}`}`,
    ),
    '',
  ].join('\n');
}
