/** `palindrome run FILE…`: programs on keel on the machine, all started at once. */
import { Command } from 'commander';
import { buildKeel } from '../compiler/index.ts';
import { HarnessHost, verdict } from '../fuzz/index.ts';
import { type Observer, runOnce, stopText, type Tier, UserError } from '../machine/index.ts';
import { record } from '../replay/index.ts';
import { addressesOf, addressesOption } from './addresses.ts';
import { outputFile } from './files.ts';
import { loadPrograms } from './program.ts';
import { grouped, print, progress, STATUS, wholeNumber } from './report.ts';
import { tierOption } from './tier.ts';

interface Options {
  readonly trace?: string;
  readonly addresses?: boolean;
  readonly seed: string;
  readonly memory: number;
  readonly limit: number;
  readonly args?: string;
  readonly tier: Tier;
  readonly json?: boolean;
}

export const runCommand = (): Command =>
  new Command('run')
    .description('run programs (source or ELF) on keel; its status is the first program’s')
    .argument('<files...>', 'programs: *.ts sources or static x86-64 ELF executables')
    .option('-a, --args <text>', 'arguments of the first program, separated by spaces')
    .option('-t, --trace <file>', 'record every instruction and event into this file')
    .addOption(addressesOption())
    .option('-s, --seed <text>', 'feeds the machine’s random numbers', '0')
    .option('-m, --memory <bytes>', 'RAM of the machine', wholeNumber('memory', 16 << 20, 3 * 2 ** 30, true), 64 << 20)
    .option('-l, --limit <count>', 'end after so many instructions', wholeNumber('limit', 1, Number.MAX_SAFE_INTEGER), 10_000_000_000)
    .addOption(tierOption())
    .option('--json', 'print one JSON object as the last line')
    .action(async (files: string[], options: Options) => {
      const addresses = addressesOf(options);
      const { programs, archive } = loadPrograms(files, options.args);
      const host = new HarnessHost();
      host.begin(archive);
      // Only traces are looked at by debuggers.
      const kernel = buildKeel({ debug: options.trace !== undefined }).image;
      const machine = { memoryBytes: options.memory, seed: options.seed, tier: options.tier, harness: true };
      const limit = BigInt(options.limit);

      let result: { stop: Parameters<typeof verdict>[0]; instructions: bigint; hash: string };
      let counts: { syscall?: number; irq?: number; exception?: number };
      if (options.trace) {
        const line = progress();
        const recording = await record({
          machine,
          image: { name: 'keel.elf', bytes: kernel },
          symbols: programs,
          host,
          to: outputFile(options.trace, files),
          addresses,
          limit,
          progress: (instructions) => line.show(() => `recording: ${grouped(instructions)} instructions`),
        });
        line.done();
        ({ counts } = recording);
        result = recording;
      } else {
        const tally = { syscall: 0, irq: 0, exception: 0 };
        const observer: Observer = {
          syscall: () => void tally.syscall++,
          irq: () => void tally.irq++,
          exception: () => void tally.exception++,
        };
        result = await runOnce(machine, { image: kernel }, host, { limit, observer });
        counts = tally;
      }

      // keel leaves where it is handed nothing, which is what an archive larger than its buffer looks like to it.
      if (result.stop.reason === 'debug-exit')
        throw new UserError(
          `the programs (${archive.length} bytes) do not fit keel's buffer of 4 MiB, or an eighth of --memory; run smaller ones`,
        );
      const { reason, status } = verdict(result.stop);
      const { syscall = 0, irq = 0, exception = 0 } = counts;
      const instructions = Number(result.instructions);
      const output = host.text;
      const trace = options.trace ?? null;
      const ending = result.stop.reason === 'unsupported' ? stopText(result.stop) : describe(reason, status);
      const summary = `${ending}; ${grouped(instructions)} instructions, ${syscall} system calls, ${irq} interrupts, ${exception} exceptions; hash ${result.hash}${trace ? `; trace ${trace}` : ''}\n`;
      if (!options.json) process.stdout.write(host.bytes);
      print(
        { reason, status, output, instructions, syscalls: syscall, interrupts: irq, exceptions: exception, hash: result.hash, trace },
        options.json,
        '',
      );
      if (!options.json) process.stderr.write(summary);
      process.exitCode = reason === 'panic' ? STATUS.finding : STATUS.done;
    });

function describe(reason: string, status: number): string {
  switch (reason) {
    case 'exit':
      return `exit ${status}`;
    case 'signal':
      return `ended by signal ${status}`;
    case 'limit':
      return 'stopped at the limit of instructions';
    default:
      return `the kernel panicked (status ${status})`;
  }
}
