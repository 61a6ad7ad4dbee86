/** `palindrome boot IMAGE`: any PVH ELF64 on the machine. */
import { basename } from 'node:path';
import { Command } from 'commander';
import { QuietHost, runOnce, type Stop, stopText, type Tier } from '../machine/index.ts';
import { addressesOf, addressesOption } from './addresses.ts';
import { outputFile, readInput } from './files.ts';
import { grouped, print, progress, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';

interface Options {
  readonly initrd?: string;
  readonly append?: string;
  readonly memory: number;
  readonly limit: number;
  readonly seed: string;
  readonly trace?: string;
  readonly addresses?: boolean;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const bootCommand = (): Command =>
  new Command('boot')
    .description('boot a kernel: any 64-bit ELF with a PVH entry, as qemu-system-x86_64 -kernel takes it')
    .argument('<image>', 'the kernel')
    .option('-i, --initrd <file>', 'initial RAM disk')
    .option('--append <text>', 'the kernel’s command line')
    .option('-m, --memory <bytes>', 'RAM of the machine', wholeNumber('memory', 1 << 20, 3 * 2 ** 30, true), 128 << 20)
    .option('-l, --limit <count>', 'end after so many instructions', wholeNumber('limit', 1, Number.MAX_SAFE_INTEGER), 10_000_000_000)
    .option('-s, --seed <text>', 'feeds the machine’s random numbers', '0')
    .option('-t, --trace <file>', 'record every instruction and event into this file')
    .addOption(addressesOption())
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (path: string, options: Options) => {
      const addresses = addressesOf(options);
      const image = readInput(path);
      const initrd = options.initrd === undefined ? null : readInput(options.initrd);
      const machine = { memoryBytes: options.memory, seed: options.seed, tier: options.tier, harness: false };
      const limit = BigInt(options.limit);
      const append = options.append === undefined ? {} : { append: options.append };
      const host = new ConsoleHost(!options.json);

      let result: { stop: Stop; instructions: bigint; hash: string };
      if (options.trace) {
        const { record } = await import('../replay/record.ts');
        const line = progress();
        result = await record({
          machine,
          image: { name: basename(path), bytes: image },
          ...(initrd && { initrd: { name: basename(options.initrd ?? ''), bytes: initrd } }),
          ...append,
          host,
          to: outputFile(options.trace, [path, ...(options.initrd === undefined ? [] : [options.initrd])]),
          addresses,
          limit,
          progress: (instructions) => line.show(() => `recording: ${grouped(instructions)} instructions`),
        });
        line.done();
      } else {
        result = await runOnce(machine, { image, ...(initrd && { initrd }), ...append }, host, { limit });
      }

      const { stop, hash } = result;
      const instructions = Number(result.instructions);
      const code = stop.reason === 'debug-exit' ? stop.code : null;
      const trace = options.trace ?? null;
      const what = stop.reason === 'unsupported' ? stop.what : null;
      print({ reason: stop.reason, code, what, console: Buffer.from(host.bytes).toString(), instructions, hash, trace }, options.json, '');
      if (!options.json)
        process.stderr.write(
          `${stopText(stop)} after ${grouped(instructions)} instructions; hash ${hash}${trace ? `; trace ${trace}` : ''}\n`,
        );
      if (what !== null) process.exitCode = STATUS.wrongUse;
    });

/** Keeps the console and, for people, shows it as it comes. */
class ConsoleHost extends QuietHost {
  readonly #isShown: boolean;

  constructor(isShown: boolean) {
    super();
    this.#isShown = isShown;
  }

  override serialOutput(byte: number): void {
    super.serialOutput(byte);
    if (this.#isShown) process.stdout.write(Uint8Array.of(byte));
  }
}
